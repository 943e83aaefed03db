//! Where lines go: stdout, and a file when there is one.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, channel, sync_channel},
    },
    time::{Duration, Instant},
};

use super::{
    file::{LogFile, Rotating},
    queue::{Output, Queue},
};
use crate::{error::ShopError, telemetry::losses};

/// The places lines are written to; clones share them.
#[derive(Debug, Clone)]
pub struct Sink(Arc<[Queue]>);

/// Lets the lines of a [`Sink`] go, after an optional line that must be the first of all.
#[derive(Debug)]
pub struct FirstLine(SyncSender<Option<String>>);

impl FirstLine {
    /// Writes `line` before all others; dropping the handle lets the others go without it.
    pub fn write(self, line: String) {
        // The writer only ends with the process, so there is nothing to do about a failure.
        let _ = self.0.send(Some(line));
    }
}

impl Sink {
    /// Starts the threads that write; lines to stdout wait until the [`FirstLine`] is used or dropped.
    pub fn start(file: Option<LogFile>) -> Result<(Self, FirstLine), ShopError> {
        let (first, wait) = sync_channel(1);
        let mut queues = vec![Queue::start("log-stdout", Stdout { first: wait })?];
        if let Some(to) = file {
            let path = to.path.clone();
            let mut rotating = Rotating::new(to);
            rotating.open().map_err(|source| ShopError::File {
                doing: "open the log file",
                path,
                source,
            })?;
            queues.push(Queue::start("log-file", rotating)?);
        }
        Ok((Self(queues.into()), FirstLine(first)))
    }

    /// Returns how many lines of this process were lost.
    pub fn dropped(&self) -> u64 {
        losses::LOG_LINES.count()
    }

    /// Waits until what was logged so far is written, at most `limit`.
    pub fn flush(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let (done, wait) = channel();
        for queue in self.0.iter() {
            queue.flush(done.clone());
        }
        for _ in self.0.iter() {
            let left = deadline.saturating_duration_since(Instant::now());
            if wait.recv_timeout(left).is_err() {
                return;
            }
        }
    }

    pub(super) fn send(&self, line: &str) {
        for queue in self.0.iter() {
            queue.push(line);
        }
    }
}

struct Stdout {
    first: Receiver<Option<String>>,
}

impl Output for Stdout {
    fn begin(&mut self) {
        if let Ok(Some(line)) = self.first.recv() {
            let mut out = io::stdout();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }

    fn write(&mut self, text: &[u8], _: u64) -> u64 {
        // A closed stdout must not end the process, nor is it a loss: a parent may be gone, and
        // stdin will tell.
        let mut out = io::stdout().lock();
        let _ = out.write_all(text).and_then(|()| out.flush());
        0
    }
}
