//! Ids that the application makes, since not every database hands them out the same way.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// 2025-01-01T00:00:00Z, so that ids stay below 2^53, which every JSON reader keeps exactly.
const FIRST_MS: i64 = 1_735_689_600_000;
const IDS_A_MS: i64 = 4_096;

/// Rising ids, unique in a process and, as long as clocks rise, after its restart. Where in its
/// millisecond one begins is secret: knowing when somebody ordered does not tell the order's id, and
/// two processes on one database seldom meet.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    last: AtomicI64,
    secret: RandomState,
}

impl Ids {
    /// Returns the next id.
    pub(crate) fn next(&self) -> i64 {
        let floor = (now_ms() - FIRST_MS).max(0) * IDS_A_MS;
        let floor = floor + (self.secret.hash_one(floor) as i64).rem_euclid(IDS_A_MS);
        let rise = |last: i64| Some((last + 1).max(floor));
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, rise);
        // The closure never refuses, so both arms hold the id before this one.
        let (Ok(last) | Err(last)) = last;
        (last + 1).max(floor)
    }
}

/// Returns milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn ids_rise_and_fit_into_a_double() {
        let ids = Ids::default();
        let drawn: Vec<i64> = (0..10_000).map(|_| ids.next()).collect();
        assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(drawn.iter().all(|id| *id > 0 && *id < 1 << 53));
    }
}
