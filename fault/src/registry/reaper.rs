//! The task that ends faults in time, even if nobody asks.
//!
//! It is started with the first fault and sleeps until the next end. It belongs to the registry: when
//! the last handle is dropped it is aborted.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::{Inner, Registry, RegistryError};
use crate::kinds::Seam;

/// How often hooks hear of a ramp's progress.
const RAMP_TICK: Duration = Duration::from_millis(250);

/// The running task; dropped, it stops.
pub(super) struct Reaper(JoinHandle<()>);

impl Drop for Reaper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reaper {
    /// Starts the task on this runtime unless it runs already.
    pub(super) fn ensure(
        slot: &mut Option<Self>,
        registry: &Registry,
    ) -> Result<(), RegistryError> {
        if slot.as_ref().is_some_and(|reaper| !reaper.0.is_finished()) {
            return Ok(());
        }
        let runtime = Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
        let inner = Arc::downgrade(&registry.inner);
        *slot = Some(Self(
            runtime.spawn(run(inner, Arc::clone(&registry.inner.reap))),
        ));
        Ok(())
    }
}

async fn run(inner: Weak<Inner>, reap: Arc<tokio::sync::Notify>) {
    loop {
        let Some(wake) = next_wake(&inner) else {
            return;
        };
        tokio::select! {
            () = tokio::time::sleep_until(wake) => {}
            () = reap.notified() => {}
        }
    }
}

/// Ends what is over and returns when to look again; nothing when the registry is gone.
fn next_wake(inner: &Weak<Inner>) -> Option<tokio::time::Instant> {
    let registry = Registry {
        inner: inner.upgrade()?,
    };
    let (table, now) = registry.current();
    let growing = table.faults.iter().any(|live| {
        let body = &live.armed.body;
        let age = now.saturating_sub(live.armed.since);
        body.kind().seam() != Seam::Request
            && body.ramp.is_some_and(|ramp| age < ramp.over + RAMP_TICK)
    });
    if growing {
        registry.inner.changed.send_modify(|version| *version += 1);
    }
    let end = Duration::from_nanos(table.next_end());
    let idle = now + Duration::from_mins(1);
    let wake = if growing {
        end.min(now + RAMP_TICK)
    } else {
        end.min(idle)
    };
    Some(registry.inner.clock.instant(wake))
}
