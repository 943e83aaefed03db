//! `latency`: the request waits before it is handled.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Applies, Params};
use crate::decide::Draw;
use crate::model::MAX_DURATION;
use crate::model::decode::Fields;

/// How long requests wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// The wait, or where its distribution stands.
    pub delay: Duration,
    /// How far the wait strays.
    pub jitter: Duration,
    /// How it strays.
    pub distribution: Distribution,
}

/// How waits stray around `delay`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Always `delay`.
    Fixed,
    /// Evenly between `delay - jitter` and `delay + jitter`.
    Uniform,
    /// Mean `delay`, standard deviation `jitter`, cut at 0 and at four deviations.
    Normal,
    /// Mean `delay`, standard deviation `jitter`, a long tail cut at ten deviations.
    LogNormal,
    /// At least `delay`, on average `jitter` more, a heavy tail cut at fifty times `jitter`.
    Pareto,
}

const DISTRIBUTIONS: [(&str, Distribution); 5] = [
    ("fixed", Distribution::Fixed),
    ("uniform", Distribution::Uniform),
    ("normal", Distribution::Normal),
    ("lognormal", Distribution::LogNormal),
    ("pareto", Distribution::Pareto),
];

impl Latency {
    /// Returns a wait that is always the same.
    pub fn fixed(delay: Duration) -> Self {
        Self {
            delay,
            jitter: Duration::ZERO,
            distribution: Distribution::Fixed,
        }
    }

    /// Returns the longest wait this can ask for.
    pub fn ceiling(&self) -> Duration {
        let strays = match self.distribution {
            Distribution::Fixed => 0,
            Distribution::Uniform => 1,
            Distribution::Normal => 4,
            Distribution::LogNormal => 10,
            Distribution::Pareto => 50,
        };
        self.delay
            .saturating_add(self.jitter.saturating_mul(strays))
    }

    /// Returns the wait for one draw.
    pub fn sample(&self, draw: &Draw) -> Duration {
        let (delay, jitter) = (self.delay.as_secs_f64(), self.jitter.as_secs_f64());
        let seconds = match self.distribution {
            Distribution::Fixed => return self.delay,
            Distribution::Uniform => delay + jitter * (2.0 * draw.unit(1) - 1.0),
            Distribution::Normal => delay + jitter * draw.normal(),
            // The parameters of the underlying normal that give this mean and deviation.
            Distribution::LogNormal => {
                let variance = (1.0 + (jitter / delay).powi(2)).ln();
                (delay.ln() - variance / 2.0 + variance.sqrt() * draw.normal()).exp()
            }
            // With shape 1 + delay/jitter the mean is delay + jitter.
            Distribution::Pareto => delay / (1.0 - draw.unit(1)).powf(jitter / (jitter + delay)),
        };
        let ceiling = self.ceiling();
        if seconds >= ceiling.as_secs_f64() {
            ceiling
        } else {
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
        }
    }
}

impl Params for Latency {
    fn decode(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let delay = fields.duration("delay");
        let delay = fields.required("delay", delay, "how long requests wait, such as \"800ms\"");
        let has_jitter = fields.has("jitter");
        let jitter = fields.duration("jitter");
        let default = if has_jitter {
            Distribution::Uniform
        } else {
            Distribution::Fixed
        };
        let distribution = fields
            .one_of("distribution", &DISTRIBUTIONS)
            .unwrap_or(default);
        let (delay, jitter) = (delay?, jitter.unwrap_or_default());
        let latency = Self {
            delay,
            jitter,
            distribution,
        };
        latency.check(fields).then_some(latency)
    }

    fn encode(&self, map: &mut Map<String, Value>) {
        let text = |duration| Value::from(humantime::format_duration(duration).to_string());
        map.insert("delay".to_owned(), text(self.delay));
        if !self.jitter.is_zero() {
            map.insert("jitter".to_owned(), text(self.jitter));
        }
        let name = DISTRIBUTIONS
            .iter()
            .find(|(_, own)| *own == self.distribution);
        map.insert(
            "distribution".to_owned(),
            Value::from(name.map(|(name, _)| *name)),
        );
    }

    fn applies(&self) -> Applies {
        Applies {
            share: true,
            ramp: true,
            route: true,
        }
    }
}

impl Latency {
    fn check(&self, fields: &mut Fields<'_, '_>) -> bool {
        let strays = self.distribution != Distribution::Fixed;
        if strays && self.jitter.is_zero() {
            let help = "how far the wait strays, such as \"200ms\"".to_owned();
            fields.wrong("jitter", "is missing for this distribution", help);
        } else if !strays && !self.jitter.is_zero() {
            let help = "remove it, or choose uniform, normal, lognormal or pareto".to_owned();
            fields.wrong("jitter", "has no meaning for a fixed wait", help);
        } else if self.delay.is_zero()
            && !matches!(
                self.distribution,
                Distribution::Uniform | Distribution::Normal
            )
        {
            fields.wrong("delay", "must be more than zero", None);
        } else if self.ceiling() > MAX_DURATION {
            fields.wrong("delay", "may reach more than 24h", None);
        } else {
            return true;
        }
        false
    }
}
