//! Where the real programs are that we are tested against: the given folder of peers, that of the
//! user's cache, then the path.

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Returns a program; without it the test is skipped, or fails when `OBS_TUI_REQUIRE_PEERS=1`.
pub(crate) fn program(name: &str, test: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let peers = folders().into_iter().map(|peers| peers.join("bin"));
    let mut files = peers
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(name));
    found(files.find(|file| file.is_file()), name, test)
}

/// Returns the folder of a peer that consists of Python packages.
pub(crate) fn packages(name: &str, test: &str) -> Option<PathBuf> {
    let mut peers = folders().into_iter().map(|peers| peers.join(name));
    let holds_it = |folder: &PathBuf| Path::new(folder).join(name).is_dir();
    found(peers.find(holds_it), name, test)
}

fn found(place: Option<PathBuf>, name: &str, test: &str) -> Option<PathBuf> {
    if place.is_none() {
        let required = env::var("OBS_TUI_REQUIRE_PEERS").is_ok_and(|value| value == "1");
        assert!(!required, "{test} needs {name}");
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: needs {name}");
    }
    place
}

/// Returns the folders that peers are unpacked in.
pub(crate) fn folders() -> Vec<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let cache = cache.map(|cache| cache.join("obs-tui/peers"));
    set("OBS_TUI_PEERS").into_iter().chain(cache).collect()
}
