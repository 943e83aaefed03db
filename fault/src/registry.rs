//! What is armed, and the end of it.
//!
//! One registry per process, a cheap handle to clone. A request reads one atomic while nothing is
//! armed. `for` and leases end by a task that lives while something is armed, and by whoever looks
//! first, should that task be late.

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
use tracing::info;

use crate::kinds::{FaultKind, Seam};
use crate::model::{ArmRequest, Ended, FaultId, FaultStatus, same_route};

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

    /// Exempts routes (templates) from every fault.
    pub fn protect(&self, routes: &[String]) {
        let _state = self.state();
        let mut table = Table::clone(&self.table());
        table.protected.extend(routes.iter().cloned());
        self.publish(table);
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
        let offered = |kind: &FaultKind| state.offers.iter().any(|(seam, _)| *seam == kind.seam());
        FaultKind::ALL.iter().copied().filter(offered).collect()
    }

    /// Arms a fault, in place of the one of that id if there is one. Needs a tokio runtime.
    ///
    /// While faults of another owner live it is refused; with `take_over` they are withdrawn.
    pub fn arm(
        &self,
        id: &FaultId,
        request: ArmRequest,
        take_over: bool,
    ) -> Result<FaultStatus, RegistryError> {
        self.sweep();
        let mut state = self.state();
        self.check_offered(&state, &request)?;
        reaper::Reaper::ensure(&mut state.reaper, self)?;
        let now = self.now();
        let mut table = Table::clone(&self.table());
        // Before anything is withdrawn: a refused request changes nothing.
        let stays = |live: &&Arc<Live>| live.owner == request.owner && live.armed.id != *id;
        if table.faults.iter().filter(stays).count() >= MAX_LIVE {
            return Err(RegistryError::Full);
        }
        if let Some(other) = table.faults.iter().find(|live| live.owner != request.owner) {
            if !take_over {
                return Err(RegistryError::Owned {
                    owner: other.owner.clone(),
                    lease_remaining: other.lease_end().saturating_sub(now),
                });
            }
            let why = format!("taken over by {}", request.owner);
            self.end(
                &mut state,
                &mut table,
                now,
                Ended::Withdrawn,
                &why,
                |live| live.owner != request.owner,
            );
        }
        self.end(
            &mut state,
            &mut table,
            now,
            Ended::Withdrawn,
            "replaced",
            |live| live.armed.id == *id,
        );
        let live = Live::new(id.clone(), request, now);
        info!(
            target: "fault::audit",
            fault = %id, kind = %live.armed.body.kind(), owner = live.owner, reason = live.reason,
            what = %live.armed.body.to_value(), lasts_ms = live.duration.as_millis() as i64,
            lease_ms = live.lease.as_millis() as i64, "fault armed"
        );
        let status = live.status(now);
        table.faults.push(Arc::new(live));
        self.publish(table);
        Ok(status)
    }

    /// Renews the lease of a live fault.
    pub fn renew(&self, id: &FaultId, owner: Option<&str>) -> Result<FaultStatus, RegistryError> {
        self.sweep();
        let state = self.state();
        let table = self.table();
        let Some(live) = table.faults.iter().find(|live| live.armed.id == *id) else {
            return Err(missing(&state, id));
        };
        live.check_owner(owner)?;
        let now = self.now();
        live.renew(now);
        self.inner
            .next_end
            .store(table.next_end(), Ordering::Release);
        Ok(live.status(now))
    }

    /// Withdraws one fault; withdrawing an ended one returns how it ended.
    pub fn withdraw(
        &self,
        id: &FaultId,
        owner: Option<&str>,
        reason: &str,
    ) -> Result<FaultStatus, RegistryError> {
        self.sweep();
        let mut state = self.state();
        let mut table = Table::clone(&self.table());
        if let Some(live) = table.faults.iter().find(|live| live.armed.id == *id) {
            live.check_owner(owner)?;
            let now = self.now();
            self.end(
                &mut state,
                &mut table,
                now,
                Ended::Withdrawn,
                reason,
                |live| live.armed.id == *id,
            );
            self.publish(table);
        }
        let ended = state.ended.iter().find(|(status, _)| status.id == *id);
        ended
            .map(|(status, _)| status.clone())
            .ok_or(RegistryError::Unknown(id.clone()))
    }

    /// Withdraws every fault, or every fault of one owner; returns those it ended.
    pub fn withdraw_all(&self, owner: Option<&str>, reason: &str) -> Vec<FaultId> {
        self.sweep();
        let mut state = self.state();
        let mut table = Table::clone(&self.table());
        let now = self.now();
        let ended = self.end(
            &mut state,
            &mut table,
            now,
            Ended::Withdrawn,
            reason,
            |live| owner.is_none_or(|owner| owner == live.owner),
        );
        self.publish(table);
        ended
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

    /// Ends what is over.
    fn sweep(&self) {
        let now = self.now();
        if nanos(now) < self.inner.next_end.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.state();
        let mut table = Table::clone(&self.table());
        for (why, text) in [
            (Ended::Expired, "`for` is over"),
            (Ended::LeaseLost, "nobody renewed it"),
        ] {
            self.end(&mut state, &mut table, now, why, text, |live| {
                live.is_over(now) == Some(why)
            });
        }
        self.publish(table);
    }

    fn check_offered(&self, state: &State, request: &ArmRequest) -> Result<(), RegistryError> {
        let kind = request.fault.kind();
        let mut offered = state
            .offers
            .iter()
            .filter(|(seam, _)| *seam == kind.seam())
            .peekable();
        if offered.peek().is_none() {
            let kinds = FaultKind::ALL
                .iter()
                .copied()
                .filter(|kind| state.offers.iter().any(|(seam, _)| *seam == kind.seam()));
            return Err(RegistryError::NotOffered {
                kind,
                offered: kinds.collect(),
            });
        }
        let scope = &request.fault.scope;
        if let Some(service) = &scope.service
            && !offered.clone().any(|(_, own)| own == service)
        {
            let services = offered.map(|(_, own)| own.clone()).collect();
            return Err(RegistryError::NoService {
                service: service.clone(),
                services,
            });
        }
        if let Some(route) = &scope.route
            && self.table().is_protected(route)
        {
            return Err(RegistryError::Protected(route.clone()));
        }
        Ok(())
    }

    /// Takes what `which` picks out of `table`, remembers it as ended and wakes what it holds up.
    fn end(
        &self,
        state: &mut State,
        table: &mut Table,
        now: Duration,
        why: Ended,
        text: &str,
        which: impl Fn(&Live) -> bool,
    ) -> Vec<FaultId> {
        let (over, live): (Vec<_>, Vec<_>) = table.faults.drain(..).partition(|live| which(live));
        table.faults = live;
        for fault in &over {
            let mut status = fault.status(now);
            status.end(why);
            info!(
                target: "fault::audit",
                fault = %status.id, kind = %fault.armed.body.kind(), owner = status.owner,
                ended = why.name(), reason = text, evaluated = status.evaluated as i64,
                injected = status.injected as i64, age_ms = status.age_ms as i64, "fault ended"
            );
            state.ended.push_front((status, now));
        }
        state.ended.truncate(MAX_ENDED);
        for fault in &over {
            fault.ended.cancel();
        }
        over.iter().map(|fault| fault.armed.id.clone()).collect()
    }

    fn publish(&self, table: Table) {
        let inner = &self.inner;
        inner.next_end.store(table.next_end(), Ordering::Release);
        let live = table.faults.len();
        *inner.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        // After the table, so that whoever sees the number finds the faults.
        inner.live.store(live, Ordering::Release);
        inner.changed.send_modify(|version| *version += 1);
        inner.reap.notify_one();
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

fn missing(state: &State, id: &FaultId) -> RegistryError {
    match state
        .ended
        .iter()
        .find(|(status, _)| status.id == *id)
        .and_then(|(status, _)| status.ended)
    {
        Some(ended) => RegistryError::Over {
            id: id.clone(),
            ended,
        },
        None => RegistryError::Unknown(id.clone()),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Table {
    fn is_protected(&self, route: &str) -> bool {
        self.protected.iter().any(|own| same_route(own, route))
    }
}
