//! The wish to stop: once to stop and recover, twice to leave at once.

use std::sync::Arc;

use tokio::sync::watch;

/// A wish to stop that several hands can hold, such as a key, a signal and a screen.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<watch::Sender<u32>>);

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// Returns one that nobody has used.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Asks to stop: the first time to stop and recover, the second time to leave at once.
    pub fn request(&self) {
        self.0.send_modify(|requests| *requests += 1);
    }

    /// Returns how often it has been asked.
    pub fn requests(&self) -> u32 {
        *self.0.borrow()
    }

    /// Waits until it has been asked more often than `seen` times.
    pub async fn more_than(&self, seen: u32) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = receiver.wait_for(|requests| *requests > seen).await;
    }
}
