//! What the tests across crates share: where the repository is, and where the real servers are.
//!
//! It holds no test and no product code. The tests are in `tests/it`.

pub mod binaries;
pub mod lab;
pub mod peers;
pub mod process;
pub mod servers;
pub mod terminal;

use std::path::{Path, PathBuf};

/// Returns the root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Returns the path of a program, or leaves the test with a loud line when the machine has none.
///
/// With `OBS_TUI_REQUIRE_PEERS=1`, as in CI, a missing program fails the test instead.
#[macro_export]
macro_rules! needs {
    ($test:expr, $program:expr) => {
        match $crate::peers::need($test, $program) {
            Some(path) => path,
            None => return,
        }
    };
}
