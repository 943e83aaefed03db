//! The programs of this workspace as a user would start them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// Returns the path of `obs-tui`, built if it is not there yet.
pub fn obs_tui() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("tui", "obs-tui")).clone()
}

/// Returns the path of `shop`, built if it is not there yet.
pub fn shop() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("shop", "shop")).clone()
}

/// `cargo test --workspace` has built every binary before it runs this one, and building one again
/// by itself would choose other features of its dependencies and compile them anew. A single
/// `cargo test -p e2e` builds none, so a binary that is older than a source file is brought up to
/// date here.
fn built(package: &str, binary: &str) -> PathBuf {
    let mut folder = std::env::current_exe().expect("the test knows its own path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(binary);
    let age = std::fs::metadata(&path).and_then(|meta| meta.modified());
    if age.is_ok_and(|built| built >= newest_source(&crate::repository())) {
        return path;
    }
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", package, "--bin", binary])
        .arg("--target-dir")
        .arg(folder.parent().expect("the profile folder has a parent"))
        .current_dir(crate::repository())
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "cargo build of {binary} failed");
    path
}

/// Returns when the newest file of the crates that end up in the binaries was written.
fn newest_source(repository: &Path) -> SystemTime {
    ["promql", "fault", "signals", "shop", "chaos", "tui"]
        .iter()
        .map(|folder| newest_in(&repository.join(folder).join("src")))
        .chain(["playbooks", "rules"].map(|folder| newest_in(&repository.join(folder))))
        .max()
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn newest_in(folder: &Path) -> SystemTime {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return SystemTime::UNIX_EPOCH;
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let meta = entry.metadata().ok()?;
            if meta.is_dir() {
                Some(newest_in(&entry.path()))
            } else {
                meta.modified().ok()
            }
        })
        .max()
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
