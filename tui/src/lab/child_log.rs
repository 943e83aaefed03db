//! What the children log, in one file of bounded size.

use std::fs::File;
use std::io::Write as _;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::state;

/// The file is begun anew beyond this size.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The task that writes the file; it ends when every child is gone.
pub(super) struct ChildLog(JoinHandle<()>);

impl ChildLog {
    /// Starts writing to `lab.log` in the state folder.
    pub(super) fn start(lines: mpsc::Receiver<String>) -> Self {
        Self(tokio::task::spawn_blocking(move || write(lines)))
    }

    /// Waits until everything is written.
    pub(super) async fn finish(self) {
        // The task only fails when it panics; the log is then lost, which nobody needs to handle.
        let _ = self.0.await;
    }
}

/// Without a file the lines are still taken, as a full channel would count them as dropped.
fn write(mut lines: mpsc::Receiver<String>) {
    let mut file = begin();
    let mut written_bytes: u64 = 0;
    while let Some(line) = lines.blocking_recv() {
        if written_bytes > MAX_BYTES {
            file = begin();
            written_bytes = 0;
        }
        if let Some(open) = &mut file
            && writeln!(open, "{line}").is_err()
        {
            file = None;
        }
        written_bytes += line.len() as u64 + 1;
    }
}

fn begin() -> Option<File> {
    let path = state::state_folder().ok()?.join("lab.log");
    File::create(path).ok()
}
