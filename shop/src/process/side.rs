//! The runtime beside the business: metrics and control answer on it whatever the business does.

use std::{io, thread::JoinHandle, time::Duration};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// How long the runtime is given to end.
const END_LIMIT: Duration = Duration::from_secs(1);

/// A runtime on a thread of its own; dropping it ends it without waiting.
#[derive(Debug)]
pub struct SideRuntime {
    handle: Handle,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl SideRuntime {
    /// Starts the thread.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("side".to_owned())
            .spawn(move || {
                runtime.block_on(stopped.cancelled());
                runtime.shutdown_timeout(END_LIMIT);
            })?;
        Ok(Self {
            handle,
            stop,
            thread: Some(thread),
        })
    }

    /// Returns where to spawn.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends the runtime and waits for its thread; blocks, so it belongs outside of any runtime.
    pub fn end(mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for SideRuntime {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
