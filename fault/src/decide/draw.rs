//! Numbers that look random and are a function of their inputs.
//!
//! FNV-1a turns text into 64 bits, the finalizer of `SplitMix64` spreads them. Neither is secret;
//! both are stable across versions and platforms, which `std`'s hasher does not promise.

/// The numbers that belong to one decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw(u64);

/// `SplitMix64`'s increment: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Draw {
    /// Returns the draw of the n-th request.
    pub(crate) fn nth(stream: u64, nth: u64) -> Self {
        Self(spread(stream ^ spread(nth.wrapping_add(GOLDEN))))
    }

    /// Returns the draw of a key.
    pub(crate) fn sticky(stream: u64, key: &str) -> Self {
        Self(spread(stream ^ spread(fnv(key.as_bytes()))))
    }

    /// Returns the number of that index, in 0 (inclusive) to 1 (exclusive).
    pub fn unit(&self, index: u64) -> f64 {
        let bits = spread(self.0.wrapping_add(index.wrapping_mul(GOLDEN)));
        // The upper 53 bits are as many as a float can hold evenly.
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a normally distributed number (Box–Muller on numbers 1 and 2).
    pub(crate) fn normal(self) -> f64 {
        // 1 - u is never 0, whose logarithm would be infinite.
        let radius = (-2.0 * (1.0 - self.unit(1)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit(2)).cos()
    }
}

/// Returns what keeps the draws of two faults, or of two seeds, apart.
pub(crate) fn stream(seed: u64, id: &str) -> u64 {
    spread(spread(seed.wrapping_add(GOLDEN)) ^ fnv(id.as_bytes()))
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn spread(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
