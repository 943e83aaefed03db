//! When to ask again: one question at a time, backing off while answers fail.

/// After this long without an answer the question is asked again.
const LOST_AFTER_MS: i64 = 30_000;
const BACKOFF_MIN_MS: i64 = 500;
const BACKOFF_MAX_MS: i64 = 10_000;

/// The state of one repeated question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fetch {
    /// When it was asked, while no answer has come.
    asked_ms: Option<i64>,
    /// When to ask next.
    due_ms: i64,
    /// How many answers in a row have failed.
    pub(crate) failures: u32,
}

impl Fetch {
    /// Says whether to ask now, and notes that it was done.
    pub(crate) fn take(&mut self, now_ms: i64) -> bool {
        if let Some(asked_ms) = self.asked_ms {
            // A clock that went back looks like an answer from the future.
            if (0..LOST_AFTER_MS).contains(&(now_ms - asked_ms)) {
                return false;
            }
        } else if now_ms < self.due_ms && self.due_ms - now_ms <= LOST_AFTER_MS * 10 {
            return false;
        }
        self.asked_ms = Some(now_ms);
        true
    }

    /// Notes a good answer.
    pub(crate) fn answered(&mut self, now_ms: i64, refresh_ms: i64) {
        let from = self.asked_ms.take().unwrap_or(now_ms).min(now_ms);
        self.failures = 0;
        self.due_ms = (from + refresh_ms).max(now_ms);
    }

    /// Notes a failed answer; `salt` spreads the retries of many questions.
    pub(crate) fn failed(&mut self, now_ms: i64, salt: u64) {
        self.asked_ms = None;
        self.failures = self.failures.saturating_add(1);
        let pause = (BACKOFF_MIN_MS << (self.failures - 1).min(5)).min(BACKOFF_MAX_MS);
        let spread = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        self.due_ms = now_ms + pause * 3 / 4 + spread as i64 % (pause / 4);
    }

    /// Asks at the next opportunity, unless an answer is awaited. Failures stay counted.
    pub(crate) fn hurry(&mut self) {
        self.due_ms = 0;
    }

    /// Forgets the question that is out, so that another can be asked at once. While answers fail
    /// this changes nothing: pressing keys must not turn into a storm of retries.
    pub(crate) fn supersede(&mut self) {
        if self.failures == 0 {
            self.asked_ms = None;
            self.due_ms = 0;
        }
    }

    /// Returns when something is to be done next.
    pub(crate) fn wake_ms(&self) -> i64 {
        self.asked_ms
            .map_or(self.due_ms, |asked_ms| asked_ms + LOST_AFTER_MS)
    }

    /// Returns how long until the next attempt.
    pub(crate) fn retry_in_ms(&self, now_ms: i64) -> i64 {
        if self.asked_ms.is_some() {
            0
        } else {
            (self.due_ms - now_ms).max(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_once_and_backs_off() {
        let mut fetch = Fetch::default();
        assert!(fetch.take(1_000));
        assert!(!fetch.take(1_100), "an answer is awaited");
        fetch.answered(1_200, 1_000);
        assert!(!fetch.take(1_900));
        assert!(fetch.take(2_000));
        let mut pauses = Vec::new();
        let mut now = 2_000;
        for _ in 0..8 {
            fetch.failed(now, 0);
            pauses.push(fetch.retry_in_ms(now));
            now += fetch.retry_in_ms(now);
            assert!(fetch.take(now));
        }
        assert_eq!(pauses[..5], [375, 750, 1_500, 3_000, 6_000]);
        assert!(pauses.iter().all(|pause| *pause <= BACKOFF_MAX_MS));
    }

    #[test]
    fn survives_a_lost_answer_and_a_clock_that_jumps() {
        let mut fetch = Fetch::default();
        assert!(fetch.take(3_600_000));
        assert!(fetch.take(3_600_000 + LOST_AFTER_MS));
        assert!(fetch.take(0), "the clock went back");
        fetch.answered(3_600_000, 1_000);
        assert!(fetch.take(0), "the clock went back again");
    }
}
