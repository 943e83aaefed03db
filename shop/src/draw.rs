//! Lots drawn by hash: the n-th draw of a seed is the same in every run, whatever ran beside it.

/// Draws of one (seed, n); a `SplitMix64` sequence that starts at their hash.
#[derive(Debug, Clone)]
pub struct Draw {
    state: u64,
}

impl Draw {
    /// Starts the draws of the `n`-th thing under `seed`.
    pub fn new(seed: u64, n: u64) -> Self {
        let mut start = Self { state: seed };
        let hashed = start.next();
        Self {
            state: hashed ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        }
    }

    /// Returns the next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        // 53 bits are what an f64 holds exactly.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a number below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;

    #[test]
    fn draws_repeat_by_seed_and_number_and_stay_in_range() {
        assert_eq!(Draw::new(1, 2).next(), Draw::new(1, 2).next());
        assert_ne!(Draw::new(1, 2).next(), Draw::new(1, 3).next());
        assert_ne!(Draw::new(1, 2).next(), Draw::new(2, 2).next());
        let mut draw = Draw::new(3, 4);
        for _ in 0..1_000 {
            assert!((0.0..1.0).contains(&draw.unit()));
            assert!(draw.below(10) < 10);
        }
        assert_eq!(draw.below(0), 0);
    }
}
