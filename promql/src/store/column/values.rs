//! The values of one chunk, in the shortest of four encodings. Each keeps the exact bits.
//!
//! - decimal: most values of a monitored system were printed with few digits. `12.345` is held as
//!   the whole number 12345 and the exponent 3; division gives back the same bits, since both are
//!   exact and division rounds correctly. Values that do not come back (NaN, ±Inf, -0.0, too many
//!   digits) are listed as exceptions.
//! - decimal steps: the same, but the distance to the value before, for counters.
//! - table: the few distinct bit patterns, and which of them each value is.
//! - bits: the patterns as whole numbers. Values of like size share their upper bits.

use super::CHUNK;
use super::packed::{self, Reader};

const BITS: u8 = 0;
const TABLE: u8 = 1;
const DECIMAL: u8 = 2;
const DECIMAL_STEPS: u8 = 3;

const MAX_TABLE: usize = 16;
const MAX_EXCEPTIONS: usize = 16;

/// Powers of ten, all exact. Decimals of 15 digits always come back, so more would not help.
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// Whole numbers up to here are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes at most [`CHUNK`] values.
pub(super) fn put(out: &mut Vec<u8>, values: &[f64]) {
    let mut numbers = [0; CHUNK];
    for (number, value) in numbers.iter_mut().zip(values) {
        *number = value.to_bits() as i64;
    }
    let bits = &numbers[..values.len()];
    let table = Table::of(values);
    let decimal = Decimal::of(values);
    let table_size = table.as_ref().map_or(usize::MAX, Table::size);
    let decimal_size = decimal.as_ref().map_or(usize::MAX, Decimal::size);
    let bits_size = packed::size(bits);
    match (table, decimal) {
        (Some(table), _) if table_size < decimal_size.min(bits_size) => table.put(out),
        (_, Some(decimal)) if decimal_size <= bits_size => decimal.put(out),
        _ => {
            out.push(BITS);
            packed::put(out, bits);
        }
    }
}

/// Fills `out`, at most [`CHUNK`] values, with what [`put`] wrote.
#[inline]
pub(super) fn read(reader: &mut Reader<'_>, out: &mut [f64]) {
    let mut buffer = [0; CHUNK];
    let count = out.len().min(CHUNK);
    let numbers = &mut buffer[..count];
    match reader.byte() {
        TABLE => read_table(reader, numbers, out),
        DECIMAL => read_decimal(reader, numbers, out, Reader::numbers),
        DECIMAL_STEPS => read_decimal(reader, numbers, out, Reader::sums),
        _ => {
            reader.numbers(numbers);
            for (value, number) in out.iter_mut().zip(numbers) {
                *value = f64::from_bits(*number as u64);
            }
        }
    }
}

fn read_table(reader: &mut Reader<'_>, numbers: &mut [i64], out: &mut [f64]) {
    let count = usize::from(reader.byte());
    let mut patterns = [0.0; MAX_TABLE];
    for pattern in patterns.iter_mut().take(count) {
        *pattern = f64::from_bits(reader.word());
    }
    reader.numbers(numbers);
    for (value, number) in out.iter_mut().zip(numbers) {
        *value = patterns[*number as usize % MAX_TABLE];
    }
}

#[inline]
fn read_decimal<'a>(
    reader: &mut Reader<'a>,
    numbers: &mut [i64],
    out: &mut [f64],
    fill: impl Fn(&mut Reader<'a>, &mut [i64]),
) {
    let exponent = usize::from(reader.byte()) % POWERS.len();
    let exceptions = usize::from(reader.byte());
    let mut listed = reader.clone();
    for _ in 0..exceptions {
        reader.byte();
        reader.word();
    }
    fill(reader, numbers);
    let power = POWERS[exponent];
    if exponent == 0 {
        for (value, number) in out.iter_mut().zip(&*numbers) {
            *value = *number as f64;
        }
    } else {
        for (value, number) in out.iter_mut().zip(&*numbers) {
            *value = *number as f64 / power;
        }
    }
    for _ in 0..exceptions {
        let (index, bits) = (usize::from(listed.byte()), listed.word());
        if let Some(value) = out.get_mut(index) {
            *value = f64::from_bits(bits);
        }
    }
}

struct Table {
    patterns: Vec<u64>,
    indices: [i64; CHUNK],
    count: usize,
}

impl Table {
    fn of(values: &[f64]) -> Option<Self> {
        let mut patterns: Vec<u64> = Vec::with_capacity(MAX_TABLE);
        let mut indices = [0; CHUNK];
        for (index, value) in indices.iter_mut().zip(values) {
            let bits = value.to_bits();
            let known = patterns.iter().position(|pattern| *pattern == bits);
            if known.is_none() {
                if patterns.len() == MAX_TABLE {
                    return None;
                }
                patterns.push(bits);
            }
            *index = known.unwrap_or(patterns.len() - 1) as i64;
        }
        Some(Self {
            patterns,
            indices,
            count: values.len(),
        })
    }

    fn size(&self) -> usize {
        1 + self.patterns.len() * 8 + packed::size(&self.indices[..self.count])
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend([TABLE, self.patterns.len() as u8]);
        out.extend(self.patterns.iter().flat_map(|bits| bits.to_le_bytes()));
        packed::put(out, &self.indices[..self.count]);
    }
}

struct Decimal {
    exponent: usize,
    /// Place and bits of the values that the numbers do not give.
    exceptions: Vec<(u8, u64)>,
    numbers: [i64; CHUNK],
    count: usize,
}

impl Decimal {
    fn of(values: &[f64]) -> Option<Self> {
        let exponent = common_exponent(values)?;
        let mut exceptions = Vec::new();
        let mut numbers = [0; CHUNK];
        let mut last = None;
        for (index, (number, value)) in numbers.iter_mut().zip(values).enumerate() {
            if let Some(scaled) = scaled(*value, exponent) {
                *number = scaled;
                last = Some(scaled);
            } else {
                if exceptions.len() == MAX_EXCEPTIONS {
                    return None;
                }
                exceptions.push((index as u8, value.to_bits()));
                *number = last.unwrap_or(0);
            }
        }
        Some(Self {
            exponent,
            exceptions,
            numbers,
            count: values.len(),
        })
    }

    fn numbers(&self) -> &[i64] {
        &self.numbers[..self.count]
    }

    fn size(&self) -> usize {
        let mut buffer = [0; CHUNK];
        let (_, steps) = packed::steps(self.numbers(), &mut buffer);
        let numbers = packed::size(self.numbers()).min(10 + packed::size(steps));
        2 + self.exceptions.len() * 9 + numbers
    }

    fn put(&self, out: &mut Vec<u8>) {
        let mut buffer = [0; CHUNK];
        let (first, steps) = packed::steps(self.numbers(), &mut buffer);
        let in_steps = 10 + packed::size(steps) < packed::size(self.numbers());
        let kind = if in_steps { DECIMAL_STEPS } else { DECIMAL };
        out.extend([kind, self.exponent as u8, self.exceptions.len() as u8]);
        for (index, bits) in &self.exceptions {
            out.push(*index);
            out.extend(bits.to_le_bytes());
        }
        if in_steps {
            packed::put_steps(out, first, steps);
        } else {
            packed::put(out, self.numbers());
        }
    }
}

/// Returns the smallest exponent that suits every value which any exponent suits.
fn common_exponent(values: &[f64]) -> Option<usize> {
    let mut common = 0;
    let mut exceptions = 0;
    for value in values {
        match (common..POWERS.len()).find(|exponent| scaled(*value, *exponent).is_some()) {
            Some(exponent) => common = exponent,
            None => exceptions += 1,
        }
        if exceptions > MAX_EXCEPTIONS {
            return None;
        }
    }
    Some(common)
}

/// Returns the whole number that gives the same bits when it is divided by the power of ten.
fn scaled(value: f64, exponent: usize) -> Option<i64> {
    let power = POWERS[exponent];
    let number = if exponent == 0 {
        value as i64
    } else {
        let product = value * power;
        (product + 0.5_f64.copysign(product)) as i64
    };
    let is_same = (number as f64 / power).to_bits() == value.to_bits();
    (is_same && (number as f64).abs() <= EXACT).then_some(number)
}
