//! `sum` and `count` of whole rows at once.
//!
//! Neumaier's compensated addition picks the larger operand to read off what was lost. Knuth's
//! form of it needs no comparison and gives the same error exactly, as long as nothing overflows;
//! without branches the loop over the steps runs in vector registers. Steps that overflowed are
//! added again the slow way.

use super::Grouped;
use crate::engine::grid::{absent, is_absent};
use crate::engine::rows::Rows;
use crate::sum::Sum;

/// Returns the sums of each group, one after another.
pub(super) fn sums(grouped: &Grouped, rows: &Rows) -> Vec<f64> {
    let steps = rows.steps();
    let cells = grouped.heads.len() * steps;
    let mut sums = vec![0.0; cells];
    let mut lost = vec![0.0; cells];
    let mut present = vec![0_u64; cells];
    for ((_, row), group) in rows.iter().zip(&grouped.group_of) {
        let at = group * steps..(group + 1) * steps;
        add(
            row,
            &mut sums[at.clone()],
            &mut lost[at.clone()],
            &mut present[at],
        );
    }
    for (cell, sum) in sums.iter_mut().enumerate() {
        if present[cell] == 0 {
            *sum = absent();
        } else if sum.is_finite() {
            *sum += lost[cell];
        } else {
            *sum = sum_again(grouped, rows, cell / steps, cell % steps);
        }
    }
    sums
}

/// An absent value adds 0, which changes nothing.
fn add(row: &[f64], sums: &mut [f64], lost: &mut [f64], present: &mut [u64]) {
    for (((value, sum), lost), present) in row.iter().zip(sums).zip(lost).zip(present) {
        let is_present = u64::from(!is_absent(*value));
        let value = f64::from_bits(value.to_bits() & is_present.wrapping_neg());
        let total = *sum + value;
        let added = total - *sum;
        *lost += (*sum - (total - added)) + (value - added);
        *sum = total;
        *present |= is_present;
    }
}

fn sum_again(grouped: &Grouped, rows: &Rows, group: usize, step: usize) -> f64 {
    let mut sum = Sum::default();
    for (row, of) in grouped.group_of.iter().enumerate() {
        let value = rows.row(row)[step];
        if *of == group && !is_absent(value) {
            sum.add(value);
        }
    }
    sum.total()
}

/// Returns how many rows of each group are there.
pub(super) fn counts(grouped: &Grouped, rows: &Rows) -> Vec<f64> {
    let steps = rows.steps();
    let mut counts = vec![0.0; grouped.heads.len() * steps];
    for ((_, row), group) in rows.iter().zip(&grouped.group_of) {
        for (count, value) in counts[group * steps..].iter_mut().zip(row) {
            *count += f64::from(u8::from(!is_absent(*value)));
        }
    }
    for count in &mut counts {
        if *count == 0.0 {
            *count = absent();
        }
    }
    counts
}
