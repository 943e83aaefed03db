//! The functions of PromQL.
//!
//! One table: each topic file lists its rows, and a row says everything about a function. To add
//! one, write it in the file of its topic and add its row there. Files that hold nothing but
//! subtle arithmetic: `counter` (extrapolation), `buckets` (interpolation), `regression`, `sweep` and
//! `running` (many windows of one series).

mod absent;
mod buckets;
mod calendar;
mod counter;
mod histogram;
mod label;
mod math;
mod over_time;
mod regression;
mod running;
mod smoothing;
mod sweep;
mod vector;
pub(crate) mod window;

use std::ops::RangeInclusive;

use crate::engine::context::{Context, Steps};
use crate::engine::rows::Datum;
use crate::engine::window::{Track, Window};
use crate::engine::{Profile, QueryError};
use crate::query::ast::{Call, Type};

/// One PromQL function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Types of the arguments.
    pub(crate) args: &'static [Type],
    /// How many arguments at the end may be left out.
    pub(crate) optional: usize,
    /// Whether the last argument may be repeated.
    pub(crate) repeated: bool,
    pub(crate) returns: Type,
    /// Versions that know the function.
    pub(crate) versions: RangeInclusive<Profile>,
    /// Whether Prometheus refuses it unless asked.
    pub(crate) experimental: bool,
    pub(crate) run: Run,
}

/// How a function is run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// Over each value of a vector, with the scalar arguments; nothing drops the element.
    Map(fn(f64, &[f64]) -> Option<f64>),
    /// Over each series of a range vector.
    Window(Over),
    /// Over everything at once.
    Whole(fn(&Context<'_>, &Call, Steps) -> Result<Datum, QueryError>),
}

/// A function over the samples of one series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Over {
    /// The function; it gets the scalar arguments too. Nothing means no result.
    pub(crate) compute: fn(&Window<'_>, &[f64]) -> Option<f64>,
    /// The same for all windows of a series at once, for functions without scalar arguments: it
    /// writes what it finds into a row that is absent everywhere.
    pub(crate) sweep: Option<fn(&Track<'_>, &mut [f64])>,
    /// Whether the result keeps the metric name.
    pub(crate) keeps_name: bool,
    /// Whether the function only makes sense on counters.
    pub(crate) counter: bool,
    /// Refuses scalar arguments.
    pub(crate) check: fn(&[f64]) -> Result<(), String>,
}

const EVERY_VERSION: RangeInclusive<Profile> = Profile::V2_42..=Profile::V3_5;

const TOPICS: [&[Function]; 10] = [
    absent::ROWS,
    calendar::ROWS,
    counter::ROWS,
    histogram::ROWS,
    label::ROWS,
    math::ROWS,
    over_time::ROWS,
    regression::ROWS,
    smoothing::ROWS,
    vector::ROWS,
];

/// Finds a function by name.
pub(crate) fn lookup(name: &str) -> Option<&'static Function> {
    static TABLE: [&[Function]; 10] = TOPICS;
    TABLE
        .iter()
        .flat_map(|topic| topic.iter())
        .find(|function| function.name == name)
}

/// Returns the names of the functions that a version knows, experimental ones included, sorted.
pub fn function_names(profile: Profile) -> Vec<&'static str> {
    let mut names: Vec<&str> = TOPICS
        .iter()
        .flat_map(|topic| topic.iter())
        .filter(|function| function.versions.contains(&profile))
        .map(|function| function.name)
        .collect();
    names.sort_unstable();
    names
}

impl Function {
    /// Checks number and types of arguments.
    pub(crate) fn check(&self, given: &[Type]) -> Result<(), String> {
        let least = self.args.len() - self.optional;
        let too_many = given.len() > self.args.len() && !self.repeated;
        if given.len() < least || too_many {
            return Err(format!(
                "the function `{}` takes {} arguments, found {}",
                self.name,
                if self.repeated {
                    format!("at least {least}")
                } else if self.optional > 0 {
                    format!("{least} to {}", self.args.len())
                } else {
                    least.to_string()
                },
                given.len()
            ));
        }
        for (index, given) in given.iter().enumerate() {
            let expected = self.args[index.min(self.args.len() - 1)];
            if *given != expected {
                return Err(format!(
                    "argument {} of `{}` must be of type {}, found {}",
                    index + 1,
                    self.name,
                    expected.name(),
                    given.name()
                ));
            }
        }
        Ok(())
    }

    /// A function from one vector to another.
    const fn map(name: &'static str, map: fn(f64, &[f64]) -> Option<f64>) -> Self {
        Self {
            name,
            args: &[Type::Vector],
            optional: 0,
            repeated: false,
            returns: Type::Vector,
            versions: EVERY_VERSION,
            experimental: false,
            run: Run::Map(map),
        }
    }

    /// A function over the windows of a range vector.
    const fn over(name: &'static str, compute: fn(&Window<'_>, &[f64]) -> Option<f64>) -> Self {
        Self {
            name,
            args: &[Type::Matrix],
            optional: 0,
            repeated: false,
            returns: Type::Vector,
            versions: EVERY_VERSION,
            experimental: false,
            run: Run::Window(Over {
                compute,
                sweep: None,
                keeps_name: false,
                counter: false,
                check: |_| Ok(()),
            }),
        }
    }

    /// A function that needs more than one element at a time.
    const fn whole(
        name: &'static str,
        args: &'static [Type],
        whole: fn(&Context<'_>, &Call, Steps) -> Result<Datum, QueryError>,
    ) -> Self {
        Self {
            name,
            args,
            optional: 0,
            repeated: false,
            returns: Type::Vector,
            versions: EVERY_VERSION,
            experimental: false,
            run: Run::Whole(whole),
        }
    }

    const fn args(mut self, args: &'static [Type], optional: usize) -> Self {
        self.args = args;
        self.optional = optional;
        self
    }

    const fn repeated(mut self) -> Self {
        self.repeated = true;
        self
    }

    const fn scalar(mut self) -> Self {
        self.returns = Type::Scalar;
        self
    }

    const fn since(mut self, profile: Profile) -> Self {
        self.versions = RangeInclusive::new(profile, Profile::V3_5);
        self
    }

    const fn until(mut self, profile: Profile) -> Self {
        self.versions = RangeInclusive::new(Profile::V2_42, profile);
        self
    }

    const fn experimental(mut self) -> Self {
        self.experimental = true;
        self
    }

    const fn keeps_name(mut self) -> Self {
        if let Run::Window(over) = self.run {
            self.run = Run::Window(Over {
                keeps_name: true,
                ..over
            });
        }
        self
    }

    const fn sweep(mut self, sweep: fn(&Track<'_>, &mut [f64])) -> Self {
        if let Run::Window(over) = self.run {
            self.run = Run::Window(Over {
                sweep: Some(sweep),
                ..over
            });
        }
        self
    }

    const fn checked(mut self, check: fn(&[f64]) -> Result<(), String>) -> Self {
        if let Run::Window(over) = self.run {
            self.run = Run::Window(Over { check, ..over });
        }
        self
    }

    const fn on_counters(mut self) -> Self {
        if let Run::Window(over) = self.run {
            self.run = Run::Window(Over {
                counter: true,
                ..over
            });
        }
        self
    }
}
