//! The programs of this workspace as a user would start them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

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

/// `cargo test --workspace` builds every binary before it runs this one; a single
/// `cargo test -p e2e` does not, so the binary is brought up to date here.
fn built(package: &str, binary: &str) -> PathBuf {
    let mut folder = std::env::current_exe().expect("the test knows its own path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", package, "--bin", binary])
        .arg("--target-dir")
        .arg(folder.parent().expect("the profile folder has a parent"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "cargo build of {binary} failed");
    folder.join(binary)
}
