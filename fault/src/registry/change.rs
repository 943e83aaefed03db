//! Arming, renewing and ending faults: the slow side of the registry.
//!
//! One change at a time. The table that requests read is copied, changed and put in place as a
//! whole; what the ended faults held up is woken after that, so that it finds them gone.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::info;

use super::live::{Live, Table};
use super::{MAX_ENDED, MAX_LIVE, Registry, RegistryError, State, nanos, reaper};
use crate::kinds::FaultKind;
use crate::model::{ArmRequest, Ended, FaultId, FaultStatus};

impl Registry {
    /// Exempts routes (templates) from every fault.
    pub fn protect(&self, routes: &[String]) {
        let mut change = Change::begin(self);
        change.table.protected.extend(routes.iter().cloned());
        change.commit();
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
        let mut change = Change::begin(self);
        change.check_offered(&request)?;
        change.check_room(id, &request.owner)?;
        change.check_owner(&request.owner, take_over)?;
        reaper::Reaper::ensure(&mut change.state.reaper, self)?;
        let why = format!("taken over by {}", request.owner);
        change.end(Ended::Withdrawn, &why, |live| live.owner != request.owner);
        change.end(Ended::Withdrawn, "replaced", |live| live.armed.id == *id);
        let live = Live::new(id.clone(), request, change.now);
        live.log();
        let status = live.status(change.now);
        change.table.faults.push(Arc::new(live));
        change.commit();
        Ok(status)
    }

    /// Renews the lease of a live fault; with an owner only if it is theirs.
    pub fn renew(&self, id: &FaultId, owner: Option<&str>) -> Result<FaultStatus, RegistryError> {
        self.sweep();
        let change = Change::begin(self);
        let Some(live) = change.find(id) else {
            return Err(change.missing(id));
        };
        live.check_owner(owner)?;
        live.renew(change.now);
        let next_end = change.table.next_end();
        self.inner.next_end.store(next_end, Ordering::Release);
        Ok(live.status(change.now))
    }

    /// Withdraws one fault, with an owner only if it is theirs; withdrawing an ended one returns how
    /// it ended.
    pub fn withdraw(
        &self,
        id: &FaultId,
        owner: Option<&str>,
        reason: &str,
    ) -> Result<FaultStatus, RegistryError> {
        self.sweep();
        let mut change = Change::begin(self);
        if let Some(live) = change.find(id) {
            live.check_owner(owner)?;
        }
        change.end(Ended::Withdrawn, reason, |live| live.armed.id == *id);
        let earlier = change.ended_earlier(id);
        let now = change.commit().into_iter().next();
        now.or(earlier).ok_or(RegistryError::Unknown(id.clone()))
    }

    /// Withdraws every fault, or every fault of one owner; returns those it ended.
    pub fn withdraw_all(&self, owner: Option<&str>, reason: &str) -> Vec<FaultId> {
        self.sweep();
        let mut change = Change::begin(self);
        change.end(Ended::Withdrawn, reason, |live| {
            owner.is_none_or(|owner| owner == live.owner)
        });
        change
            .commit()
            .into_iter()
            .map(|status| status.id)
            .collect()
    }

    /// Ends what is over.
    pub(super) fn sweep(&self) {
        if nanos(self.now()) < self.inner.next_end.load(Ordering::Acquire) {
            return;
        }
        let mut change = Change::begin(self);
        let now = change.now;
        for (why, text) in [
            (Ended::Expired, "`for` is over"),
            (Ended::LeaseLost, "nobody renewed it"),
        ] {
            change.end(why, text, |live| live.is_over(now) == Some(why));
        }
        change.commit();
    }
}

/// A change under way. Dropped instead of committed, it leaves everything as it was.
struct Change<'r> {
    registry: &'r Registry,
    state: MutexGuard<'r, State>,
    table: Table,
    over: Vec<(Arc<Live>, FaultStatus, String)>,
    now: Duration,
}

impl<'r> Change<'r> {
    fn begin(registry: &'r Registry) -> Self {
        let state = registry.state();
        let table = Table::clone(&registry.table());
        Self {
            registry,
            state,
            table,
            over: Vec::new(),
            now: registry.now(),
        }
    }

    fn find(&self, id: &FaultId) -> Option<&Arc<Live>> {
        self.table.faults.iter().find(|live| live.armed.id == *id)
    }

    /// Takes out what `which` picks.
    fn end(&mut self, why: Ended, text: &str, which: impl Fn(&Live) -> bool) {
        for live in self.table.faults.extract_if(.., |live| which(live)) {
            let mut status = live.status(self.now);
            status.end(why);
            self.over.push((live, status, text.to_owned()));
        }
    }

    /// Puts the change in place, wakes what the ended faults held up, and returns them.
    fn commit(mut self) -> Vec<FaultStatus> {
        for (_, status, _) in &self.over {
            self.state.ended.push_front((status.clone(), self.now));
        }
        self.state.ended.truncate(MAX_ENDED);
        let inner = &self.registry.inner;
        inner
            .next_end
            .store(self.table.next_end(), Ordering::Release);
        let live = self.table.faults.len();
        *inner.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(self.table);
        // After the table, so that whoever sees the number finds the faults.
        inner.live.store(live, Ordering::Release);
        inner.changed.send_modify(|version| *version += 1);
        inner.reap.notify_one();
        // All of them before the first request wakes: it may have another one of them ahead.
        self.over.iter().for_each(|(live, ..)| live.mark_ended());
        for (live, status, reason) in &self.over {
            live.wake.cancel();
            log_end(status, reason);
        }
        self.over.into_iter().map(|(_, status, _)| status).collect()
    }

    fn check_offered(&self, request: &ArmRequest) -> Result<(), RegistryError> {
        let kind = request.fault.kind();
        let services: Vec<&str> = self.state.services_of(kind).collect();
        if services.is_empty() {
            let offered = |kind: &FaultKind| self.state.services_of(*kind).next().is_some();
            let offered = FaultKind::ALL.iter().copied().filter(offered).collect();
            return Err(RegistryError::NotOffered { kind, offered });
        }
        let scope = &request.fault.scope;
        match (&scope.service, &scope.route) {
            (Some(service), _) if !services.contains(&service.as_str()) => {
                let services = services.into_iter().map(str::to_owned).collect();
                Err(RegistryError::NoService {
                    service: service.clone(),
                    services,
                })
            }
            (_, Some(route)) if self.table.spares(route) => {
                Err(RegistryError::Protected(route.clone()))
            }
            _ => Ok(()),
        }
    }

    fn check_room(&self, id: &FaultId, owner: &str) -> Result<(), RegistryError> {
        let stays = |live: &&Arc<Live>| live.owner == owner && live.armed.id != *id;
        if self.table.faults.iter().filter(stays).count() < MAX_LIVE {
            Ok(())
        } else {
            Err(RegistryError::Full)
        }
    }

    fn check_owner(&self, owner: &str, take_over: bool) -> Result<(), RegistryError> {
        match self.table.faults.iter().find(|live| live.owner != owner) {
            Some(other) if !take_over => Err(RegistryError::Owned {
                owner: other.owner.clone(),
                lease_remaining: other.lease_end().saturating_sub(self.now),
            }),
            _ => Ok(()),
        }
    }

    fn ended_earlier(&self, id: &FaultId) -> Option<FaultStatus> {
        let mut ended = self.state.ended.iter().map(|(status, _)| status);
        ended.find(|status| status.id == *id).cloned()
    }

    fn missing(&self, id: &FaultId) -> RegistryError {
        match self.ended_earlier(id).and_then(|status| status.ended) {
            Some(ended) => RegistryError::Over {
                id: id.clone(),
                ended,
            },
            None => RegistryError::Unknown(id.clone()),
        }
    }
}

impl State {
    /// Returns the services for which this process carries out a kind.
    pub(super) fn services_of(&self, kind: FaultKind) -> impl Iterator<Item = &str> {
        let seam = kind.seam();
        self.offers
            .iter()
            .filter(move |(own, _)| *own == seam)
            .map(|(_, service)| service.as_str())
    }
}

impl Live {
    fn log(&self) {
        info!(
            target: "fault::audit",
            fault = %self.armed.id, kind = %self.armed.body.kind(), owner = self.owner,
            reason = self.reason, what = %self.armed.body.to_value(),
            for_ms = self.duration.as_millis() as i64, lease_ms = self.lease.as_millis() as i64,
            "fault armed"
        );
    }
}

fn log_end(status: &FaultStatus, reason: &str) {
    info!(
        target: "fault::audit",
        fault = %status.id, kind = %status.fault.kind(), owner = status.owner,
        ended = status.ended.map(Ended::name), reason, evaluated = status.evaluated as i64,
        injected = status.injected as i64, age_ms = status.age_ms as i64,
        "fault ended"
    );
}
