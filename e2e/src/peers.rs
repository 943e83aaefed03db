//! Finds the real programs the tests compare against; `.ci/install-peers` fetches them.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Set to `1` where no test may be skipped.
pub const REQUIRE: &str = "OBS_TUI_REQUIRE_PEERS";

/// Finds a program: in `$OBS_TUI_PEERS/bin`, in the peers folder of the user's cache, in `PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    let folders = [given(), cached()].into_iter().flatten();
    let path = env::var_os("PATH").unwrap_or_default();
    folders
        .map(|peers| peers.join("bin"))
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|path| is_program(path))
}

/// Finds a program `test` cannot do without.
///
/// Without it: panics when [`REQUIRE`] is `1`, else says on stderr that the test is skipped, past the
/// capture of the test runner, and returns `None`.
pub fn need(test: &str, program: &str) -> Option<PathBuf> {
    let found = find(program);
    if found.is_none() {
        let required = env::var(REQUIRE).is_ok_and(|value| value == "1");
        assert!(
            !required,
            "{test} needs {program} and {REQUIRE}=1; run .ci/install-peers"
        );
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: needs {program}");
    }
    found
}

fn given() -> Option<PathBuf> {
    env::var_os("OBS_TUI_PEERS").map(PathBuf::from)
}

fn cached() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(cache.join("obs-tui").join("peers"))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
