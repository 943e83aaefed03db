//! Counting over the last seconds: a ring of slots, so that old counts leave without a timer.

use std::time::{Duration, Instant};

/// Slots of a window; counts leave a slot at a time.
const SLOTS: u64 = 10;

/// Two counts over a sliding window. Pure: what time it is comes as an argument.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    slot_ms: u64,
    began: Instant,
    /// The number of the slot that each place holds now, and its counts.
    slots: [(u64, [u64; 2]); SLOTS as usize],
}

impl Window {
    /// Makes an empty window over about `length`.
    pub(crate) fn new(length: Duration, now: Instant) -> Self {
        Self {
            slot_ms: (length.as_millis() as u64 / SLOTS).max(1),
            began: now,
            slots: [(0, [0; 2]); SLOTS as usize],
        }
    }

    /// Adds to both counts.
    pub(crate) fn add(&mut self, counts: [u64; 2], now: Instant) {
        let number = self.number(now);
        let slot = &mut self.slots[(number % SLOTS) as usize];
        if slot.0 != number {
            *slot = (number, [0; 2]);
        }
        slot.1 = [slot.1[0] + counts[0], slot.1[1] + counts[1]];
    }

    /// Returns what was added lately.
    pub(crate) fn sums(&self, now: Instant) -> [u64; 2] {
        let number = self.number(now);
        let fresh = self.slots.iter().filter(|slot| slot.0 + SLOTS > number);
        fresh.fold([0; 2], |sums, (_, counts)| {
            [sums[0] + counts[0], sums[1] + counts[1]]
        })
    }

    /// Returns the number of the slot that `now` falls into.
    fn number(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_millis() as u64 / self.slot_ms
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Window;

    #[test]
    fn counts_leave_after_the_window() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut window = Window::new(Duration::from_secs(1), began);
        window.add([1, 0], at(50));
        window.add([2, 1], at(950));
        assert_eq!(window.sums(at(999)), [3, 1]);
        assert_eq!(window.sums(at(1_000)), [2, 1]);
        window.add([1, 1], at(1_050));
        assert_eq!(window.sums(at(1_899)), [3, 2]);
        assert_eq!(window.sums(at(1_900)), [1, 1]);
        assert_eq!(window.sums(at(60_000)), [0, 0]);
    }
}
