//! What is armed, and the end of it.
//!
//! One registry per process, a cheap handle to clone. A request reads one atomic while nothing is
//! armed. `for` and leases end by a task that lives while something is armed, and by whoever looks
//! first, should that task be late.

mod change;
mod clock;
mod error;
mod live;
mod reaper;

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::kinds::{FaultKind, Seam};
use crate::model::FaultStatus;

use clock::Clock;
pub use error::RegistryError;
pub(crate) use live::{Live, Table};

/// At most this many faults live at once.
pub const MAX_LIVE: usize = 64;
/// This many ended faults are remembered.
pub const MAX_ENDED: usize = 256;

/// What is armed in this process; a handle, cheap to clone.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    /// How many faults live: the one thing a request reads while it is 0.
    live: AtomicUsize,
    /// When the next fault ends, in nanoseconds of `clock`.
    next_end: AtomicU64,
    table: RwLock<Arc<Table>>,
    state: Mutex<State>,
    clock: Clock,
    boot_id: String,
    changed: watch::Sender<u64>,
    reap: Arc<Notify>,
}

#[derive(Default)]
struct State {
    ended: VecDeque<(FaultStatus, Duration)>,
    offers: BTreeSet<(Seam, String)>,
    reaper: Option<reaper::Reaper>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let live = self.inner.live.load(Ordering::Relaxed);
        f.debug_struct("Registry")
            .field("live", &live)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Returns a registry with nothing armed and a boot id of its own.
    pub fn new() -> Self {
        let boot_id =
            crate::token::random_bytes::<8>()
                .iter()
                .fold(String::new(), |mut text, byte| {
                    let _ = write!(text, "{byte:02x}");
                    text
                });
        Self {
            inner: Arc::new(Inner {
                live: AtomicUsize::new(0),
                next_end: AtomicU64::new(u64::MAX),
                table: RwLock::default(),
                state: Mutex::default(),
                clock: Clock::start(),
                boot_id,
                changed: watch::Sender::new(0),
                reap: Arc::default(),
            }),
        }
    }

    /// Returns the id that changes with every start of the process.
    pub fn boot_id(&self) -> &str {
        &self.inner.boot_id
    }

    /// Says that this process carries out the faults of a seam for a service.
    ///
    /// A fault whose seam or service nobody offers is refused, since it could have no effect.
    pub fn offer(&self, seam: Seam, service: &str) {
        self.state().offers.insert((seam, service.to_owned()));
    }

    /// Returns the services this process hosts.
    pub fn services(&self) -> Vec<String> {
        let services: BTreeSet<String> = self
            .state()
            .offers
            .iter()
            .map(|(_, service)| service.clone())
            .collect();
        services.into_iter().collect()
    }

    /// Returns the kinds this process can carry out.
    pub fn kinds(&self) -> Vec<FaultKind> {
        let state = self.state();
        let offered = |kind: &FaultKind| state.services_of(*kind).next().is_some();
        FaultKind::ALL.iter().copied().filter(offered).collect()
    }

    /// Returns the live faults, in the order in which they were armed.
    pub fn snapshot(&self) -> Vec<FaultStatus> {
        self.sweep();
        let now = self.now();
        self.table()
            .faults
            .iter()
            .map(|live| live.status(now))
            .collect()
    }

    /// Returns the ended faults, the latest first, at most [`MAX_ENDED`].
    pub fn ended(&self) -> Vec<FaultStatus> {
        self.sweep();
        let now = self.now();
        let ago = |at: &Duration| u64::try_from(now.saturating_sub(*at).as_millis()).ok();
        let state = self.state();
        let ended = state.ended.iter();
        ended
            .map(|(status, at)| FaultStatus {
                ended_ago_ms: ago(at),
                ..status.clone()
            })
            .collect()
    }

    /// Says whether nothing is armed: one atomic load.
    pub fn is_idle(&self) -> bool {
        self.inner.live.load(Ordering::Relaxed) == 0
    }

    /// Returns a receiver that hears of every change of what is armed.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Returns the time since the registry was made, on a monotonic clock.
    pub(crate) fn now(&self) -> Duration {
        self.inner.clock.now()
    }

    /// Returns what lives now, after ending what is over.
    pub(crate) fn current(&self) -> (Arc<Table>, Duration) {
        let now = self.now();
        if nanos(now) >= self.inner.next_end.load(Ordering::Acquire) {
            self.sweep();
        }
        (self.table(), now)
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(
            &self
                .inner
                .table
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
