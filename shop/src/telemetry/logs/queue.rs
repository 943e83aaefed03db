//! A bounded buffer of lines in front of one place they are written to.
//!
//! Whoever logs appends a line under a short lock; a thread of the queue's own swaps the buffer out
//! and writes all of it at once. A place that does not take lines costs lines (counted), never
//! requests.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    time::Duration,
};

use crate::telemetry::losses;

/// Most bytes that wait.
const WAITING_BYTES: usize = 4 * 1024 * 1024;
/// How long lines gather, so that a busy process wakes its writer seldom.
const GATHER: Duration = Duration::from_millis(2);
/// A buffer that grew beyond this is given back.
const KEPT_BYTES: usize = 256 * 1024;

/// Where lines are written to in the end; lives on the queue's thread.
pub(super) trait Output: Send + 'static {
    /// Comes before the first line; may wait.
    fn begin(&mut self) {}

    /// Writes whole lines; returns how many of them were lost.
    fn write(&mut self, text: &[u8], lines: u64) -> u64;
}

/// The queue; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    lines: u64,
    flushes: Vec<Sender<()>>,
    /// The writer sleeps and must be woken.
    asleep: bool,
}

impl Queue {
    /// Starts the thread that writes; it ends with the process.
    pub(super) fn start(name: &str, mut output: impl Output) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let own = Arc::clone(&shared);
        let writer = std::thread::Builder::new().name(name.to_owned());
        writer.spawn(move || {
            output.begin();
            let mut text = Vec::new();
            loop {
                let (lines, flushes) = own.take(&mut text);
                if !text.is_empty() {
                    losses::LOG_LINES.add(output.write(&text, lines));
                }
                for flushed in flushes {
                    let _ = flushed.send(());
                }
                text.clear();
                text.shrink_to(KEPT_BYTES);
            }
        })?;
        Ok(Self(shared))
    }

    /// Adds a line, or counts it as lost when too much waits.
    pub(super) fn push(&self, line: &str) {
        let mut waiting = self.0.lock();
        if waiting.text.len() + line.len() > WAITING_BYTES {
            drop(waiting);
            losses::LOG_LINES.add(1);
            return;
        }
        waiting.text.extend_from_slice(line.as_bytes());
        waiting.lines += 1;
        self.0.wake_up(waiting);
    }

    /// Sends to `done` when what was pushed so far is written.
    pub(super) fn flush(&self, done: Sender<()>) {
        let mut waiting = self.0.lock();
        waiting.flushes.push(done);
        self.0.wake_up(waiting);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_up(&self, mut waiting: MutexGuard<'_, Waiting>) {
        if std::mem::take(&mut waiting.asleep) {
            drop(waiting);
            self.wake.notify_one();
        }
    }

    /// Waits for something to do and swaps the buffer out.
    fn take(&self, text: &mut Vec<u8>) -> (u64, Vec<Sender<()>>) {
        let mut waiting = self.lock();
        if waiting.text.is_empty() && waiting.flushes.is_empty() {
            waiting.asleep = true;
            while waiting.asleep {
                waiting = self
                    .wake
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
        if waiting.flushes.is_empty() {
            drop(waiting);
            std::thread::sleep(GATHER);
            waiting = self.lock();
        }
        std::mem::swap(&mut waiting.text, text);
        (
            std::mem::take(&mut waiting.lines),
            std::mem::take(&mut waiting.flushes),
        )
    }
}
