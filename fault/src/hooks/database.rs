//! What a service's database suffers.

use std::sync::Arc;

use tokio::sync::watch;

use crate::kinds::{Fault, Seam, StallMode};
use crate::model::Share;
use crate::registry::{Live, Registry};

/// What is to be held now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stall {
    /// The part of the pool's connections to hold.
    pub connections: Share,
    /// Whether to hold a lock that every write needs.
    pub lock: bool,
}

impl Stall {
    /// Nothing is to be held.
    pub const NONE: Self = Self {
        connections: Share::NONE,
        lock: false,
    };

    /// Returns how many connections of a pool are to be held; a share above zero holds at least one.
    pub fn connections_of(&self, pool: usize) -> usize {
        let wanted = (pool as f64 * self.connections.part()).ceil() as usize;
        wanted.min(pool)
    }
}

/// A service's view of the stalls that are armed for its database.
#[derive(Debug, Clone)]
pub struct DbStalls {
    registry: Registry,
    service: Arc<str>,
    changes: watch::Receiver<u64>,
    last: Stall,
}

impl Registry {
    /// Returns the stalls of one service's database, and offers to carry them out.
    pub fn db_stalls(&self, service: &str) -> DbStalls {
        self.offer(Seam::Database, service);
        DbStalls {
            registry: self.clone(),
            service: service.into(),
            changes: self.subscribe(),
            last: Stall::NONE,
        }
    }
}

impl DbStalls {
    /// Returns what is to be held now.
    pub fn current(&self) -> Stall {
        if self.registry.is_idle() {
            return Stall::NONE;
        }
        let (table, now) = self.registry.current();
        let mut stall = Stall::NONE;
        for (live, mode) in self.mine(&table.faults) {
            let level = live.armed.body.level(now.saturating_sub(live.armed.since));
            match mode {
                StallMode::Connections if level > stall.connections => stall.connections = level,
                StallMode::Connections => {}
                StallMode::Lock => stall.lock = true,
            }
        }
        stall
    }

    /// Waits until something else is to be held than this handle last said, and returns it.
    ///
    /// A new handle has said [`Stall::NONE`]. Ends only with the stall changing: cancel safe.
    pub async fn changed(&mut self) -> Stall {
        loop {
            self.changes.mark_unchanged();
            let stall = self.current();
            if stall != self.last {
                self.last = stall;
                return stall;
            }
            if self.changes.changed().await.is_err() {
                // The registry lives as long as this handle does.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Counts a query that the service starts; `held` says whether it finds something held.
    ///
    /// This is what proves that a stall acts, so it must tell what is, not what is wanted.
    pub fn query(&self, held: bool) {
        if self.registry.is_idle() {
            return;
        }
        let (table, _) = self.registry.current();
        for (live, _) in self.mine(&table.faults) {
            live.evaluate();
            if held {
                live.inject();
            }
        }
    }

    fn mine<'t>(
        &'t self,
        faults: &'t [Arc<Live>],
    ) -> impl Iterator<Item = (&'t Arc<Live>, StallMode)> {
        faults
            .iter()
            .filter_map(|live| match &live.armed.body.fault {
                Fault::DbStall(stall) if live.armed.body.scope.covers_service(&self.service) => {
                    Some((live, stall.mode))
                }
                _ => None,
            })
    }
}
