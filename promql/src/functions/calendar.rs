//! Parts of a date, in UTC. Without an argument they mean the time of the evaluation.

use super::{Function, Type};

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
    Function::map("day_of_month", |v, _| Some(f64::from(Date::of(v).day))).args(&[Type::Vector], 1),
    Function::map("day_of_year", |v, _| {
        let date = Date::of(v);
        Some((days(v) - days_from_civil(date.year, 1, 1) + 1) as f64)
    })
    .args(&[Type::Vector], 1),
    Function::map("days_in_month", |v, _| {
        let date = Date::of(v);
        let (year, month) = if date.month == 12 {
            (date.year + 1, 1)
        } else {
            (date.year, date.month + 1)
        };
        let length = days_from_civil(year, month, 1) - days_from_civil(date.year, date.month, 1);
        Some(length as f64)
    })
    .args(&[Type::Vector], 1),
    Function::map("month", |v, _| Some(f64::from(Date::of(v).month))).args(&[Type::Vector], 1),
    Function::map("year", |v, _| Some(Date::of(v).year as f64)).args(&[Type::Vector], 1),
];

struct Date {
    year: i64,
    month: u8,
    day: u8,
}

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

impl Date {
    /// The calendar repeats every 400 years (an era); years begin in March here, so that the leap
    /// day is the last day of a year.
    fn of(value: f64) -> Self {
        let shifted = days(value) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * march_month + 2) / 5 + 1) as u8;
        let month = (if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        }) as u8;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }
}

/// Days from the epoch to a date; the inverse of [`Date::of`].
fn days_from_civil(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
