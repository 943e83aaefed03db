//! One thread that makes all changes to the core.
//!
//! Changes wait for each other anyway. Made by the threads of a pool, what stays would lie between
//! what is soon freed again in the memory of every one of them, and never give it back: three times
//! the memory after an hour.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Sender};

use tokio::sync::oneshot;

use super::EmbeddedError;

type Job = Box<dyn FnOnce() + Send>;

/// Hands work to the thread, which ends when this is dropped and all work is done. Callers wait for
/// their work, so that there is never more of it than callers.
pub(super) struct Writer(Sender<Job>);

/// The work was not done to its end.
#[derive(Debug, thiserror::Error)]
#[error("it panicked")]
pub(super) struct Unfinished;

impl Writer {
    pub(super) fn start() -> Result<Self, EmbeddedError> {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                for job in queue {
                    // The waiting side hears of it, since its channel closes.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                }
            })
            .map_err(|error| EmbeddedError::Thread(error.to_string()))?;
        Ok(Self(jobs))
    }

    /// Does some work on the thread and waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let (done, result) = oneshot::channel();
        let job = move || {
            let _ = done.send(work());
        };
        self.0.send(Box::new(job)).map_err(|_| Unfinished)?;
        result.await.map_err(|_| Unfinished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_in_order_by_one_thread_that_survives_a_panic() {
        let writer = Writer::start().unwrap();
        let thread = || std::thread::current().id();
        let first = writer.run(thread).await.unwrap();
        let panicked = writer.run(|| [0][std::hint::black_box(1)]).await;
        assert!(panicked.is_err());
        assert_eq!(writer.run(thread).await.unwrap(), first);
        assert_ne!(first, thread());
    }
}
