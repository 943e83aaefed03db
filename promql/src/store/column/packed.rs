//! Whole numbers in as few bits as the widest of them needs.
//!
//! A run of numbers is written as its least number, a width, and every number's distance from the
//! least in that many bits. Equal numbers take no bits at all. All arithmetic wraps, so that every
//! `i64` comes back exactly.

use super::CHUNK;

/// Widths above this are rounded up to 64, so that one load of eight bytes always holds a number,
/// whatever the bit that it begins at.
const WIDEST_UNALIGNED: u32 = 56;

/// Returns how many bytes [`put`] writes for the numbers at most.
pub(super) fn size(numbers: &[i64]) -> usize {
    let (_, width) = frame(numbers);
    11 + (numbers.len() * width as usize).div_ceil(8)
}

/// Writes the numbers.
pub(super) fn put(out: &mut Vec<u8>, numbers: &[i64]) {
    let (least, width) = frame(numbers);
    put_whole(out, least);
    out.push(width as u8);
    if width == 64 {
        out.extend(
            numbers
                .iter()
                .flat_map(|n| distance(*n, least).to_le_bytes()),
        );
        return;
    }
    let (mut pending, mut filled) = (0_u64, 0);
    for number in numbers {
        pending |= distance(*number, least) << filled;
        filled += width;
        while filled >= 8 {
            out.push(pending as u8);
            pending >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(pending as u8);
    }
}

/// Writes the first number and the steps from each number to the next.
pub(super) fn put_steps(out: &mut Vec<u8>, first: i64, steps: &[i64]) {
    put_whole(out, first);
    put(out, steps);
}

/// Replaces the numbers after the first by their distance from the one before; returns the first
/// and those steps.
pub(super) fn steps<'b>(numbers: &[i64], buffer: &'b mut [i64; CHUNK]) -> (i64, &'b [i64]) {
    let Some((first, rest)) = numbers.split_first() else {
        return (0, &[]);
    };
    let mut last = *first;
    for (step, number) in buffer.iter_mut().zip(rest) {
        *step = number.wrapping_sub(last);
        last = *number;
    }
    (*first, &buffer[..rest.len().min(CHUNK)])
}

/// Writes one number, small ones in few bytes.
fn put_whole(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn frame(numbers: &[i64]) -> (i64, u32) {
    let least = numbers.iter().copied().min().unwrap_or(0);
    let greatest = numbers.iter().copied().max().unwrap_or(0);
    let width = u64::BITS - distance(greatest, least).leading_zeros();
    (least, if width > WIDEST_UNALIGNED { 64 } else { width })
}

fn distance(number: i64, least: i64) -> u64 {
    number.wrapping_sub(least) as u64
}

/// A place in what was written. Reading past the end gives zeros.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub(super) fn word(&mut self) -> u64 {
        load(self.take(8), 0)
    }

    /// Fills `out` with numbers that [`put`] wrote.
    #[inline]
    pub(super) fn numbers(&mut self, out: &mut [i64]) {
        let least = self.whole();
        self.distances(out);
        if least != 0 {
            for number in out {
                *number = number.wrapping_add(least);
            }
        }
    }

    /// Fills `out` with the sums of the steps that [`put_steps`] wrote.
    #[inline]
    pub(super) fn sums(&mut self, out: &mut [i64]) {
        let first = self.whole();
        self.sums_from(first, out);
    }

    /// Fills `out` with `first` and the sums of the steps that follow.
    #[inline]
    pub(super) fn sums_from(&mut self, first: i64, out: &mut [i64]) {
        let Some((head, steps)) = out.split_first_mut() else {
            return;
        };
        *head = first;
        let least = self.whole();
        self.distances(steps);
        let mut sum = first;
        for step in steps {
            // In this order the sums wait for one addition each and not for two.
            sum = sum.wrapping_add(step.wrapping_add(least));
            *step = sum;
        }
    }

    #[inline]
    fn distances(&mut self, out: &mut [i64]) {
        let width = u32::from(self.byte());
        let bytes = self.take((out.len() * width as usize).div_ceil(8));
        if width == 0 {
            out.fill(0);
            return;
        }
        let mask = u64::MAX >> (u64::BITS - width.min(u64::BITS));
        // As many numbers as one load is sure to hold, whatever bit it begins at.
        let per_load = (WIDEST_UNALIGNED / width) as usize;
        let width = width as usize;
        if per_load < 2 {
            for (index, number) in out.iter_mut().enumerate() {
                let bit = index * width;
                *number = ((load(bytes, bit / 8) >> (bit % 8)) & mask) as i64;
            }
            return;
        }
        for (index, group) in out.chunks_mut(per_load).enumerate() {
            let bit = index * per_load * width;
            let mut word = load(bytes, bit / 8) >> (bit % 8);
            for number in group {
                *number = (word & mask) as i64;
                word >>= width;
            }
        }
    }

    fn whole(&mut self) -> i64 {
        let (mut raw, mut shift) = (0_u64, 0);
        loop {
            let byte = self.byte();
            raw |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 || shift > 63 {
                return (raw >> 1) as i64 ^ -((raw & 1) as i64);
            }
        }
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }
}

/// Returns the eight bytes from a place on, zeros behind the end.
#[inline]
fn load(bytes: &[u8], at: usize) -> u64 {
    if let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        return u64::from_le_bytes(*word);
    }
    let mut word = [0; 8];
    let rest = bytes.get(at..).unwrap_or(&[]);
    word[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(word)
}
