//! The one place that reads the clock.

use std::time::Duration;

use tokio::time::Instant;

/// A monotonic clock that starts at zero. Tokio's, so that tests can pause it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

#[expect(
    clippy::disallowed_methods,
    reason = "this is the rim: everything else is given `now`"
)]
impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.0)
    }

    pub(crate) fn instant(&self, at: Duration) -> Instant {
        self.0 + at
    }
}
