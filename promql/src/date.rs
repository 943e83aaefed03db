//! Dates of the Gregorian calendar from days since the epoch, for any year.
//!
//! The calendar repeats every 400 years (an era). Years begin in March here, so that the leap day is
//! the last day of a year.

/// Days from the first of March of the year 0 to the epoch.
const EPOCH_DAYS: i64 = 719_468;
const ERA_DAYS: i64 = 146_097;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: u8,
    /// From 1.
    pub(crate) day: u8,
}

impl Date {
    pub(crate) fn from_days(days: i64) -> Self {
        let shifted = days + EPOCH_DAYS;
        let era = shifted.div_euclid(ERA_DAYS);
        let day_of_era = shifted.rem_euclid(ERA_DAYS);
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

    /// Returns the days since the epoch.
    pub(crate) fn days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let march_month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * march_month + 2) / 5 + i64::from(self.day) - 1;
        era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
            - EPOCH_DAYS
    }

    /// Returns the day of the year, from 1.
    pub(crate) fn day_of_year(self) -> i64 {
        let first = Self {
            month: 1,
            day: 1,
            ..self
        };
        self.days() - first.days() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_an_era_comes_back_and_follows_the_one_before() {
        let mut before = Date::from_days(-200_001);
        for days in -200_000..200_000 {
            let date = Date::from_days(days);
            assert_eq!(date.days(), days);
            let next_day =
                (date.year, date.month, date.day - 1) == (before.year, before.month, before.day);
            assert!(next_day || date.day == 1, "{before:?} {date:?}");
            before = date;
        }
        let leap = Date {
            year: 2024,
            month: 12,
            day: 31,
        };
        assert_eq!((leap.days(), leap.day_of_year()), (20_088, 366));
    }
}
