//! Where obs-tui keeps its files: journals and logs under the XDG state folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use etcetera::BaseStrategy;
use tracing_subscriber::EnvFilter;

use crate::stop::Stop;

/// Returns the state folder, such as `~/.local/state/obs-tui`, and makes it if need be.
pub fn state_folder() -> io::Result<PathBuf> {
    let base = etcetera::choose_base_strategy()
        .ok()
        .and_then(|strategy| strategy.state_dir());
    let folder = base.unwrap_or_else(std::env::temp_dir).join("obs-tui");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Returns the folder of the journals.
pub fn runs_folder() -> io::Result<PathBuf> {
    let folder = state_folder()?.join("runs");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The log is begun anew beyond this size.
const MAX_LOG_BYTES: u64 = 16 * 1024 * 1024;

/// Sends obs-tui's own log to `file`, or to `obs-tui.log` in the state folder.
///
/// A file that was named must be writable; without one, a log that cannot be kept is left out.
pub fn start_log(file: Option<&Path>) -> Result<(), Stop> {
    let path = match file {
        Some(path) => path.to_owned(),
        None => match state_folder() {
            Ok(folder) => folder.join("obs-tui.log"),
            Err(_) => return Ok(()),
        },
    };
    let too_long = fs::metadata(&path).is_ok_and(|meta| meta.len() > MAX_LOG_BYTES);
    let opened = fs::OpenOptions::new()
        .create(true)
        .write(true)
        .append(!too_long)
        .truncate(too_long)
        .open(&path);
    let log = match opened {
        Ok(log) => log,
        Err(error) if file.is_some() => {
            return Err(Stop::usage(format!(
                "--log-file {}: {error}",
                path.display()
            )));
        }
        Err(_) => return Ok(()),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start in one process keeps the first log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(log))
        .try_init();
    Ok(())
}
