//! How often each of a closed set of things comes: whole weights, written `NAME=WEIGHT,…`.

use std::fmt::{self, Write as _};

use crate::draw::Draw;

/// One weight for each of `N` things; at least one is above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weights<const N: usize>([u32; N]);

impl<const N: usize> Weights<N> {
    /// Takes weights of which at least one is above 0.
    pub(super) const fn new(weights: [u32; N]) -> Self {
        Self(weights)
    }

    /// Reads `NAME=WEIGHT,…`; what is not named has weight 0. `what` is what a name stands for.
    pub(super) fn parse(text: &str, what: &str, names: [&str; N]) -> Result<Self, String> {
        let mut weights = [0; N];
        for part in text.split(',').map(str::trim) {
            let (name, weight) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?}: write NAME=WEIGHT"))?;
            let at = names
                .iter()
                .position(|known| *known == name)
                .ok_or_else(|| format!("no {what} {name:?}; there are {}", names.join(", ")))?;
            weights[at] = weight
                .parse()
                .map_err(|_| format!("{weight:?}: a weight is a whole number"))?;
        }
        if weights.iter().all(|weight| *weight == 0) {
            return Err("at least one weight must be above 0".to_owned());
        }
        Ok(Self(weights))
    }

    /// Returns the place of the thing that `draw` picks.
    pub(super) fn pick(&self, draw: &mut Draw) -> usize {
        let mut left = draw.below(self.total());
        for (at, weight) in self.0.iter().enumerate() {
            if left < u64::from(*weight) {
                return at;
            }
            left -= u64::from(*weight);
        }
        0
    }

    /// Returns the weight of the thing at a place.
    pub(super) fn of(&self, at: usize) -> u32 {
        self.0[at]
    }

    /// Returns the sum of the weights.
    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|weight| u64::from(*weight)).sum()
    }

    /// Writes what [`Self::parse`] reads.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, names: [&str; N]) -> fmt::Result {
        for (at, (name, weight)) in names.iter().zip(self.0).enumerate() {
            if at > 0 {
                f.write_char(',')?;
            }
            write!(f, "{name}={weight}")?;
        }
        Ok(())
    }
}

/// Deals places out by turns, so that any few in a row hold each as often as its weight says.
///
/// Of four customers with four equal weights each kind is one, which lots would not promise.
#[derive(Debug, Clone)]
pub(super) struct Turns<const N: usize> {
    weights: Weights<N>,
    credit: [i64; N],
}

impl<const N: usize> Turns<N> {
    pub(super) fn new(weights: Weights<N>) -> Self {
        Self {
            weights,
            credit: [0; N],
        }
    }

    /// Returns whose turn it is.
    pub(super) fn next(&mut self) -> usize {
        let mut first = 0;
        for at in 0..N {
            self.credit[at] += i64::from(self.weights.of(at));
            if self.credit[at] > self.credit[first] {
                first = at;
            }
        }
        self.credit[first] -= self.weights.total() as i64;
        first
    }
}

#[cfg(test)]
mod tests {
    use super::{Turns, Weights};
    use crate::draw::Draw;

    const NAMES: [&str; 3] = ["a", "b", "c"];

    #[test]
    fn mistakes_are_named() {
        for (text, expect) in [
            ("d=1", "no letter \"d\"; there are a, b, c"),
            ("a", "write NAME=WEIGHT"),
            ("a=x", "a weight is a whole number"),
            ("a=0", "at least one weight"),
        ] {
            let error = Weights::parse(text, "letter", NAMES).unwrap_err();
            assert!(error.contains(expect), "{text}: {error}");
        }
    }

    #[test]
    fn lots_follow_the_weights() {
        let weights = Weights::parse("a=1, c=3", "letter", NAMES).unwrap();
        let mut seen = [0; 3];
        for n in 0..40_000 {
            seen[weights.pick(&mut Draw::new(7, n))] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((9_500..10_500).contains(&seen[0]), "{seen:?}");
    }

    #[test]
    fn turns_are_exact_among_few() {
        let mut equal = Turns::new(Weights::new([1, 1, 1]));
        let dealt: Vec<usize> = (0..3).map(|_| equal.next()).collect();
        assert_eq!(dealt, [0, 1, 2]);
        let mut unequal = Turns::new(Weights::new([5, 0, 1]));
        let dealt: Vec<usize> = (0..12).map(|_| unequal.next()).collect();
        assert_eq!(dealt.iter().filter(|at| **at == 2).count(), 2, "{dealt:?}");
        assert!(!dealt.contains(&1), "{dealt:?}");
    }
}
