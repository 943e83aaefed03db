//! One thread that makes all changes to the core.
//!
//! Changes wait for each other anyway. Made by the threads of a pool, what stays would lie between
//! what is soon freed again in the memory of every one of them, and never give it back: three times
//! the memory after an hour.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::EmbeddedError;

type Job = Box<dyn FnOnce() + Send>;

/// Work that may wait for the thread; more of it waits where it comes from.
const QUEUE: usize = 16;

/// Hands work to the thread. Dropping it ends the thread and waits for that.
pub(super) struct Writer {
    /// Nothing only while this is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// The work was not done to its end.
#[derive(Debug, thiserror::Error)]
#[error("it panicked")]
pub(super) struct Unfinished;

impl Writer {
    pub(super) fn start() -> Result<Self, EmbeddedError> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    // The waiting side hears of it, since its channel closes.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                }
            })
            .map_err(|error| EmbeddedError::Thread(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
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
        let jobs = self.jobs.as_ref().ok_or(Unfinished)?;
        jobs.send(Box::new(job)).await.map_err(|_| Unfinished)?;
        result.await.map_err(|_| Unfinished)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // Work may hold the last handle; the thread then drops this and cannot wait for itself.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
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

    #[tokio::test]
    async fn dropping_it_waits_for_the_work_that_was_taken() {
        let (started, begun) = oneshot::channel();
        let (ended, mut end) = oneshot::channel();
        let writer = Writer::start().unwrap();
        {
            let work = writer.run(move || {
                let _ = started.send(());
                std::thread::sleep(std::time::Duration::from_millis(50));
                let _ = ended.send(());
            });
            tokio::select! {
                _ = work => {}
                _ = begun => {}
            }
        }
        drop(writer);
        assert!(end.try_recv().is_ok(), "the thread has ended");
    }
}
