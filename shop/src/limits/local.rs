//! Buckets in this process.

use std::{
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::{Client, Quota};

/// Most clients with a bucket of their own; beyond it, all start anew.
const MOST_CLIENTS: usize = 20_000;
/// How many requests pass between two looks at the number of clients.
const LOOK_EVERY: usize = 512;

pub(super) struct Buckets {
    quota: governor::Quota,
    limiter: RwLock<DefaultKeyedRateLimiter<Client>>,
    asked: AtomicUsize,
}

impl std::fmt::Debug for Buckets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buckets")
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

impl Buckets {
    pub(super) fn new(quota: Quota) -> Self {
        let quota = governor::Quota::per_second(quota.per_second).allow_burst(quota.burst());
        Self {
            quota,
            limiter: RwLock::new(RateLimiter::keyed(quota)),
            asked: AtomicUsize::new(0),
        }
    }

    pub(super) fn take(&self, client: Client) -> Result<(), Duration> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if asked.is_multiple_of(LOOK_EVERY) {
            self.forget();
        }
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
        limiter
            .check_key(&client)
            .map_err(|early| early.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets clients whose bucket is full again, which is as good as none. When that is not enough,
    /// everyone starts anew: that forgives a moment, and costs no memory.
    fn forget(&self) {
        {
            let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
            if limiter.len() <= MOST_CLIENTS {
                return;
            }
            limiter.retain_recent();
            if limiter.len() <= MOST_CLIENTS {
                return;
            }
        }
        tracing::warn!("more clients at once than rate limits are kept for: all start anew");
        let mut limiter = self.limiter.write().unwrap_or_else(PoisonError::into_inner);
        *limiter = RateLimiter::keyed(self.quota);
    }

    #[cfg(test)]
    fn clients(&self) -> usize {
        self.limiter.read().map_or(0, |limiter| limiter.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Buckets, Client, LOOK_EVERY, MOST_CLIENTS, Quota};

    #[test]
    fn a_flood_of_clients_does_not_fill_the_memory() {
        let buckets = Buckets::new(Quota::per_second(1).unwrap());
        for user in 0..3 * MOST_CLIENTS as i64 {
            let _ = buckets.take(Client::User(user));
            if user % 1_000 == 0 {
                assert!(buckets.clients() <= MOST_CLIENTS + LOOK_EVERY);
            }
        }
    }
}
