//! How much traffic is due at which moment: a rate or a crowd, with linear ramps.
//!
//! Pure: time is an argument, in seconds since the start.

use std::{str::FromStr, time::Duration};

/// What a schedule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Open loop: journeys that start each second, whatever the shop answers.
    Rate,
    /// Closed loop: customers, each of whom comes back only after its last visit ended.
    Users,
}

impl Demand {
    const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Users => "users",
        }
    }
}

/// A ramp from the level before to another one; written `60s:rate=100` or `60s:users=20`.
///
/// Two stages with the same level hold it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// How long the ramp takes; 0 is a jump.
    pub over: Duration,
    /// What is counted.
    pub demand: Demand,
    /// The level at its end.
    pub level: f64,
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}: write DURATION:rate=N or DURATION:users=N");
        let (over, level) = text.split_once(':').ok_or_else(wrong)?;
        let (demand, level) = level.split_once('=').ok_or_else(wrong)?;
        let demand = match demand.trim() {
            "rate" => Demand::Rate,
            "users" => Demand::Users,
            _ => return Err(wrong()),
        };
        let over = humantime::parse_duration(over.trim())
            .map_err(|error| format!("{over:?}: {error}; write a duration such as 60s"))?;
        let level = match demand {
            Demand::Rate => parse_rate(level.trim())?,
            Demand::Users => f64::from(parse_users(level.trim())?),
        };
        Ok(Self {
            over,
            demand,
            level,
        })
    }
}

/// Most customers of a closed loop.
const MOST_USERS: u32 = 100_000;

/// Reads a rate a second: finite, not negative, at most 100,000.
pub(super) fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_| "write a number a second, such as 60".to_owned())?;
    if (0.0..=100_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("a rate lies between 0 and 100000 a second".to_owned())
    }
}

fn parse_users(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(users) if users <= MOST_USERS => Ok(users),
        _ => Err(format!("users are a whole number of at most {MOST_USERS}")),
    }
}

/// What was asked for, not yet checked.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Journeys a second.
    pub rate: Option<f64>,
    /// Customers of a closed loop.
    pub users: Option<u32>,
    /// Ramps, one after the other.
    pub stages: Vec<Stage>,
    /// How long the first ramp takes, from nothing.
    pub ramp_up: Duration,
    /// How long the last ramp takes, down to nothing.
    pub ramp_down: Duration,
    /// The whole time; without it, the time of the stages, or for ever.
    pub duration: Option<Duration>,
}

/// Journeys a second where nothing is said.
pub const USUAL_RATE: f64 = 60.0;

/// Levels over time, in straight lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    demand: Demand,
    /// Moments and levels; before the first the level is that of the first, and after the last that
    /// of the last. Two points at one moment are a jump.
    points: Vec<(f64, f64)>,
    end: Option<f64>,
    /// In a closed loop: journeys a second that all customers make together.
    pace: Option<f64>,
}

impl Schedule {
    /// Checks what was asked for; an error says which flags do not go together.
    pub fn new(wish: &Wish) -> Result<Self, String> {
        let demand = demand(wish)?;
        let given = match demand {
            Demand::Rate => wish.rate,
            Demand::Users => wish.users.map(f64::from),
        };
        let ramps = !wish.ramp_up.is_zero() || !wish.ramp_down.is_zero();
        if ramps && !wish.stages.is_empty() {
            return Err(
                "--ramp-up and --ramp-down do not go with --stage: a stage is a ramp".into(),
            );
        }
        let points = if wish.stages.is_empty() {
            flat(given.unwrap_or(USUAL_RATE), wish)?
        } else {
            staged(given.unwrap_or(0.0), &wish.stages)
        };
        let last = points.last().map_or(0.0, |(at, _)| *at);
        let staged_end = (!wish.stages.is_empty()).then_some(last);
        let end = wish.duration.map(|duration| duration.as_secs_f64());
        Ok(Self {
            demand,
            points,
            end: end.or(staged_end),
            pace: wish.rate.filter(|_| demand == Demand::Users),
        })
    }

    /// Returns a level that stays for ever.
    pub fn steady(demand: Demand, level: f64) -> Self {
        Self {
            demand,
            points: vec![(0.0, level)],
            end: None,
            pace: None,
        }
    }

    /// Returns the schedule with another end.
    #[must_use]
    pub fn lasting(self, duration: Duration) -> Self {
        Self {
            end: Some(duration.as_secs_f64()),
            ..self
        }
    }

    /// Returns what the levels count.
    pub fn demand(&self) -> Demand {
        self.demand
    }

    /// Returns the journeys a second of a closed loop that keeps a pace.
    pub fn pace(&self) -> Option<f64> {
        self.pace
    }

    /// Returns when the traffic ends, in seconds; never without an end.
    pub fn end(&self) -> f64 {
        self.end.unwrap_or(f64::INFINITY)
    }

    /// Returns the level at a moment.
    pub fn level(&self, at: f64) -> f64 {
        let next = self.points.partition_point(|(moment, _)| *moment <= at);
        match (
            next.checked_sub(1).map(|before| self.points[before]),
            self.points.get(next),
        ) {
            (Some((from, low)), Some((to, high))) => low + (high - low) * (at - from) / (to - from),
            (Some((_, level)), None) => level,
            (None, next) => next.map_or(0.0, |(_, level)| *level),
        }
    }

    /// Returns the highest level there will be.
    pub fn highest(&self) -> f64 {
        let levels = self.points.iter().map(|(_, level)| *level);
        levels.fold(0.0, f64::max)
    }

    /// Returns the mean level between two moments that lie close together.
    pub fn mean(&self, from: f64, to: f64) -> f64 {
        f64::midpoint(self.level(from), self.level(to))
    }
}

fn demand(wish: &Wish) -> Result<Demand, String> {
    let Some(first) = wish.stages.first() else {
        return Ok(if wish.users.is_some() {
            Demand::Users
        } else {
            Demand::Rate
        });
    };
    if wish.stages.iter().any(|stage| stage.demand != first.demand) {
        return Err("the stages of one run count either rate= or users=".to_owned());
    }
    if first.demand == Demand::Rate && wish.users.is_some() {
        return Err(format!(
            "--users is a closed loop and --stage {}= an open one: give stages with users=",
            first.demand.name()
        ));
    }
    Ok(first.demand)
}

fn flat(level: f64, wish: &Wish) -> Result<Vec<(f64, f64)>, String> {
    let (up, down) = (wish.ramp_up.as_secs_f64(), wish.ramp_down.as_secs_f64());
    let mut points = vec![(up, level)];
    if up > 0.0 {
        points.insert(0, (0.0, 0.0));
    }
    if down > 0.0 {
        let end = wish
            .duration
            .ok_or("--ramp-down needs --duration: without one there is no end")?;
        let from = end.as_secs_f64() - down;
        if from < up {
            return Err("the ramps are longer than --duration".to_owned());
        }
        points.extend([(from, level), (end.as_secs_f64(), 0.0)]);
    }
    Ok(points)
}

fn staged(start: f64, stages: &[Stage]) -> Vec<(f64, f64)> {
    let mut points = vec![(0.0, start)];
    let mut at = 0.0;
    for stage in stages {
        at += stage.over.as_secs_f64();
        points.push((at, stage.level));
    }
    points
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Demand, Schedule, Stage, Wish, parse_rate};

    fn stages(texts: &[&str]) -> Vec<Stage> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn levels(schedule: &Schedule, moments: &[f64]) -> Vec<f64> {
        moments.iter().map(|at| schedule.level(*at)).collect()
    }

    #[test]
    fn stages_ramp_hold_and_jump() {
        let wish = Wish {
            stages: stages(&["10s:rate=100", "20s:rate=100", "0s:rate=40", "10s:rate=40"]),
            ..Wish::default()
        };
        let schedule = Schedule::new(&wish).unwrap();
        assert_eq!((schedule.demand(), schedule.end()), (Demand::Rate, 40.0));
        let seen = levels(&schedule, &[0.0, 5.0, 10.0, 29.0, 30.0, 40.0, 99.0]);
        assert_eq!(seen, [0.0, 50.0, 100.0, 100.0, 40.0, 40.0, 40.0]);
        assert_eq!(schedule.mean(0.0, 1.0), 5.0);
    }

    #[test]
    fn a_ramp_goes_up_from_nothing_and_down_to_it() {
        let wish = Wish {
            users: Some(8),
            ramp_up: Duration::from_secs(4),
            ramp_down: Duration::from_secs(2),
            duration: Some(Duration::from_secs(10)),
            ..Wish::default()
        };
        let schedule = Schedule::new(&wish).unwrap();
        assert_eq!(schedule.demand(), Demand::Users);
        let seen = levels(&schedule, &[0.0, 1.0, 4.0, 8.0, 9.0, 10.0]);
        assert_eq!(seen, [0.0, 2.0, 8.0, 8.0, 4.0, 0.0]);
        assert_eq!(schedule.highest(), 8.0);
    }

    #[test]
    fn without_a_word_it_is_sixty_a_second_for_ever() {
        let schedule = Schedule::new(&Wish::default()).unwrap();
        assert_eq!(schedule, Schedule::steady(Demand::Rate, 60.0));
        assert_eq!((schedule.level(1e9), schedule.end()), (60.0, f64::INFINITY));
    }

    #[test]
    fn a_rate_beside_users_is_their_pace() {
        let wish = Wish {
            users: Some(4),
            rate: Some(2.0),
            ..Wish::default()
        };
        let schedule = Schedule::new(&wish).unwrap();
        assert_eq!((schedule.level(0.0), schedule.pace()), (4.0, Some(2.0)));
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        let up = Duration::from_secs(1);
        let stages = stages(&["1s:rate=1"]);
        let mixed = vec![stages[0], "1s:users=1".parse().unwrap()];
        for (wish, expect) in [
            (
                Wish {
                    stages: mixed,
                    ..Wish::default()
                },
                "either rate= or users=",
            ),
            (
                Wish {
                    stages: stages.clone(),
                    users: Some(1),
                    ..Wish::default()
                },
                "--users is a closed loop",
            ),
            (
                Wish {
                    stages,
                    ramp_up: up,
                    ..Wish::default()
                },
                "do not go with --stage",
            ),
            (
                Wish {
                    ramp_down: up,
                    ..Wish::default()
                },
                "--ramp-down needs --duration",
            ),
            (
                Wish {
                    ramp_up: up * 2,
                    ramp_down: up,
                    duration: Some(up),
                    ..Wish::default()
                },
                "longer than --duration",
            ),
        ] {
            let error = Schedule::new(&wish).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
        for bad in [
            "60s",
            "60s:rate",
            "x:rate=1",
            "1s:rate=-1",
            "1s:users=1.5",
            "1s:orders=1",
        ] {
            assert!(bad.parse::<Stage>().is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn rates_are_finite() {
        assert_eq!(parse_rate("60"), Ok(60.0));
        for bad in ["inf", "NaN", "-1"] {
            assert!(parse_rate(bad).is_err(), "{bad} must be refused");
        }
    }

    proptest! {
        #[test]
        fn a_level_never_leaves_its_stages(
            ramps in prop::collection::vec((0_u64..20_000, 0_u32..1_000), 1..8),
            at in 0.0..200.0_f64,
        ) {
            let stages: Vec<Stage> = ramps.iter().map(|(over, level)| Stage {
                over: Duration::from_millis(*over),
                demand: Demand::Users,
                level: f64::from(*level),
            }).collect();
            let highest = ramps.iter().map(|(_, level)| *level).max().unwrap_or(0);
            let schedule = Schedule::new(&Wish { stages, ..Wish::default() }).unwrap();
            let level = schedule.level(at);
            prop_assert!((0.0..=f64::from(highest)).contains(&level), "{level}");
        }
    }
}
