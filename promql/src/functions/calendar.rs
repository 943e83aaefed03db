//! Parts of a date, in UTC. Without an argument they mean the time of the evaluation.

use super::{Function, Type};
use crate::date::Date;

pub(super) const ROWS: &[Function] = &[
    Function::map("minute", |v, _| {
        Some(seconds(v).div_euclid(60).rem_euclid(60) as f64)
    })
    .args(&[Type::Vector], 1),
    Function::map("hour", |v, _| {
        Some(seconds(v).div_euclid(3600).rem_euclid(24) as f64)
    })
    .args(&[Type::Vector], 1),
    Function::map("day_of_week", |v, _| {
        Some((days(v) + 4).rem_euclid(7) as f64)
    })
    .args(&[Type::Vector], 1),
    Function::map("day_of_month", |v, _| Some(f64::from(date(v).day))).args(&[Type::Vector], 1),
    Function::map("day_of_year", |v, _| Some(date(v).day_of_year() as f64))
        .args(&[Type::Vector], 1),
    Function::map("days_in_month", |v, _| {
        let (year, month) = (date(v).year, date(v).month);
        let first = Date {
            year,
            month,
            day: 1,
        };
        let next = match month {
            12 => Date {
                year: year + 1,
                month: 1,
                day: 1,
            },
            _ => Date {
                month: month + 1,
                ..first
            },
        };
        let length = next.days() - first.days();
        Some(length as f64)
    })
    .args(&[Type::Vector], 1),
    Function::map("month", |v, _| Some(f64::from(date(v).month))).args(&[Type::Vector], 1),
    Function::map("year", |v, _| Some(date(v).year as f64)).args(&[Type::Vector], 1),
];

/// Seconds from the year in which Go's calendar begins to the epoch.
const GO_CALENDAR_TO_EPOCH_S: i64 = 62_135_596_800 + 9_223_371_966_579_724_800;

/// Seconds since the epoch. A value that no integer holds (NaN, infinity) becomes the smallest
/// integer and then the date that Go's unsigned calendar makes of it, as in Prometheus.
fn seconds(value: f64) -> i128 {
    let fits = value >= i64::MIN as f64 && value < -(i64::MIN as f64);
    let since_epoch = if fits { value as i64 } else { i64::MIN };
    let since_start = since_epoch.wrapping_add(GO_CALENDAR_TO_EPOCH_S) as u64;
    i128::from(since_start) - i128::from(GO_CALENDAR_TO_EPOCH_S)
}

fn days(value: f64) -> i64 {
    seconds(value).div_euclid(86_400) as i64
}

fn date(value: f64) -> Date {
    Date::from_days(days(value))
}
