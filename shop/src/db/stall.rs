//! A stalled database, really stalled: connections of the pool are taken and kept, or a lock that
//! every write needs and no read does is held, for as long as the registry of faults says so.
//!
//! The connections that are kept come from the same queue that queries wait in, so what a stall
//! does to requests is what a leak or a stuck client does.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use fault::hooks::{DbStalls, Stall};

use super::{
    Db,
    driver::{Connection, Lock},
};

/// How often a ramp is looked at; a withdrawal is heard of at once.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What a stall holds at this moment; read by every query.
#[derive(Debug, Default)]
pub(super) struct Held {
    connections: AtomicUsize,
    lock: AtomicBool,
}

impl Held {
    pub(super) fn connections(&self) -> bool {
        self.connections.load(Ordering::Relaxed) > 0
    }

    pub(super) fn lock(&self) -> bool {
        self.lock.load(Ordering::Relaxed)
    }
}

type Taking<T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send>>;

/// Carries out the stalls of one database, for ever.
pub(crate) async fn hold_stalls(db: Arc<Db>, mut stalls: DbStalls) {
    let mut holder = Holder {
        db,
        connections: Vec::new(),
        lock: None,
        taking: None,
        locking: None,
    };
    let mut wanted = Stall::NONE;
    loop {
        holder.let_go(wanted);
        holder.reach_for(wanted);
        holder.tell();
        tokio::select! {
            biased;
            stall = stalls.changed() => wanted = stall,
            taken = next(&mut holder.taking) => {
                holder.taking = None;
                holder.keep(taken);
            }
            locked = next(&mut holder.locking) => {
                holder.locking = None;
                // A lock that another writer held for too long is asked for again.
                holder.lock = locked.ok();
            }
            () = tokio::time::sleep(LOOK_AGAIN) => wanted = stalls.current(),
        }
    }
}

/// Waits for what is being taken, for ever when nothing is.
async fn next<T>(taking: &mut Option<Taking<T>>) -> Result<T, sqlx::Error> {
    match taking {
        Some(taking) => taking.await,
        None => std::future::pending().await,
    }
}

struct Holder {
    db: Arc<Db>,
    connections: Vec<Connection>,
    /// The connection in whose session the lock is held; closing it lets go.
    lock: Option<Lock>,
    taking: Option<Taking<Connection>>,
    locking: Option<Taking<Lock>>,
}

impl Holder {
    fn target(&self, wanted: Stall) -> usize {
        wanted.connections_of(self.db.options.connections as usize)
    }

    fn let_go(&mut self, wanted: Stall) {
        self.connections.truncate(self.target(wanted));
        if self.connections.len() >= self.target(wanted) {
            self.taking = None;
        }
        if !wanted.lock {
            self.lock = None;
            self.locking = None;
        }
    }

    fn reach_for(&mut self, wanted: Stall) {
        if self.connections.len() < self.target(wanted) && self.taking.is_none() {
            let pool = self.db.pool.clone();
            self.taking = Some(Box::pin(async move { pool.acquire().await }));
        }
        if wanted.lock && self.lock.is_none() && self.locking.is_none() {
            self.locking = Some(Box::pin(Lock::take(self.db.options.clone())));
        }
    }

    fn keep(&mut self, taken: Result<Connection, sqlx::Error>) {
        // A wait that ran out is begun again: the queue is long because the stall works.
        if let Ok(connection) = taken {
            self.connections.push(connection);
        }
    }

    fn tell(&self) {
        self.db
            .held
            .connections
            .store(self.connections.len(), Ordering::Relaxed);
        self.db
            .held
            .lock
            .store(self.lock.is_some(), Ordering::Relaxed);
    }
}
