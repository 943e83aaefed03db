//! Points in time: what `toTime` returns and `humanizeTimestamp` writes.

use std::fmt;

use super::number::general;
use super::value::Value;
use crate::date::Date;

/// Milliseconds since the epoch, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(i64);

const DAY_S: i64 = 86_400;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Writes seconds since the epoch as a time; what is no number as it is.
pub(super) fn humanize(seconds: f64) -> Result<String, String> {
    if !seconds.is_finite() {
        return Ok(general(seconds, 4));
    }
    Time::from_seconds(seconds).map(|time| time.to_string())
}

impl Time {
    /// Returns the time that lies some seconds behind the epoch, cut to milliseconds.
    pub(super) fn from_seconds(seconds: f64) -> Result<Self, String> {
        if !seconds.is_finite() {
            return Err("value is NaN or Inf".to_owned());
        }
        let nanoseconds = seconds * 1e9;
        if nanoseconds.abs() > 9_223_372_036_854_775_807.0 {
            let shown = super::number::shortest(seconds);
            return Err(format!(
                "{shown} cannot be represented as a nanoseconds timestamp since it overflows int64"
            ));
        }
        Ok(Self(nanoseconds as i64 / 1_000_000))
    }

    fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    fn days(self) -> i64 {
        self.seconds().div_euclid(DAY_S)
    }

    /// Returns year, month from 1, day from 1.
    fn date(self) -> (i64, usize, i64) {
        let Date { year, month, day } = Date::from_days(self.days());
        (year, usize::from(month), i64::from(day))
    }

    fn clock(self) -> (i64, i64, i64) {
        let second = self.seconds().rem_euclid(DAY_S);
        (second / 3600, second / 60 % 60, second % 60)
    }

    fn weekday(self) -> &'static str {
        WEEKDAYS[(self.days() + 4).rem_euclid(7) as usize]
    }

    /// Returns nanoseconds and the seconds since the year 1: what a time is made of in Go.
    pub(super) fn fields(self) -> (i64, i64) {
        const YEAR_1_S: i64 = 62_135_596_800;
        (
            self.0.rem_euclid(1000) * 1_000_000,
            self.seconds() + YEAR_1_S,
        )
    }

    /// Calls a method of Go's `Time`; nothing where there is none that is built.
    pub(super) fn method(self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.clock();
        let value = match name {
            "Format" => return Some(self.format_with(args)),
            "Year" => Value::Int(year),
            "Month" => MONTHS[month - 1].into(),
            "Day" => Value::Int(day),
            "Weekday" => self.weekday().into(),
            "YearDay" => Value::Int(Date::from_days(self.days()).day_of_year()),
            "Hour" => Value::Int(hour),
            "Minute" => Value::Int(minute),
            "Second" => Value::Int(second),
            "Nanosecond" => Value::Int(self.0.rem_euclid(1000) * 1_000_000),
            "Unix" => Value::Int(self.seconds()),
            "UnixMilli" => Value::Int(self.0),
            "String" => self.to_string().into(),
            "UTC" => Value::Time(std::rc::Rc::new(self)),
            _ => return None,
        };
        Some(if args.is_empty() {
            Ok(value)
        } else {
            Err(format!(
                "wrong number of args for {name}: want 0 got {}",
                args.len()
            ))
        })
    }

    fn format_with(self, args: &[Value]) -> Result<Value, String> {
        match args {
            [Value::Text(layout)] => Ok(self.format(layout).into()),
            _ => Err(format!(
                "wrong number of args for Format: want 1 got {}",
                args.len()
            )),
        }
    }

    /// Writes the time like an example: `2006-01-02 15:04:05`.
    fn format(self, layout: &str) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.clock();
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let name = MONTHS[month - 1];
        let weekday = self.weekday();
        let half = if hour < 12 { "AM" } else { "PM" };
        // Longer examples come before those they begin with.
        let parts: [(&str, String); 29] = [
            ("January", name.to_owned()),
            ("Jan", name[..3].to_owned()),
            ("Monday", weekday.to_owned()),
            ("Mon", weekday[..3].to_owned()),
            ("MST", "UTC".to_owned()),
            ("2006", format!("{year:04}")),
            ("-07:00:00", "+00:00:00".to_owned()),
            ("-07:00", "+00:00".to_owned()),
            ("-0700", "+0000".to_owned()),
            ("-07", "+00".to_owned()),
            ("Z07:00", "Z".to_owned()),
            ("Z0700", "Z".to_owned()),
            (
                "002",
                format!("{:03}", Date::from_days(self.days()).day_of_year()),
            ),
            ("01", format!("{month:02}")),
            ("02", format!("{day:02}")),
            ("03", format!("{twelve:02}")),
            ("04", format!("{minute:02}")),
            ("05", format!("{second:02}")),
            ("06", format!("{:02}", year.rem_euclid(100))),
            ("15", format!("{hour:02}")),
            ("_2", format!("{day:2}")),
            ("PM", half.to_owned()),
            ("pm", half.to_ascii_lowercase()),
            (".000", format!(".{:03}", self.0.rem_euclid(1000))),
            ("1", month.to_string()),
            ("2", day.to_string()),
            ("3", twelve.to_string()),
            ("4", minute.to_string()),
            ("5", second.to_string()),
        ];
        let mut out = String::new();
        let mut rest = layout;
        while let Some(c) = rest.chars().next() {
            if let Some((example, text)) = parts.iter().find(|(e, _)| rest.starts_with(e)) {
                out.push_str(text);
                rest = &rest[example.len()..];
            } else {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        out
    }
}

/// Writes `2006-01-02 15:04:05.999 +0000 UTC`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.clock();
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        )?;
        let fraction = self.0.rem_euclid(1000);
        if fraction != 0 {
            let digits = format!("{fraction:03}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str(" +0000 UTC")
    }
}
