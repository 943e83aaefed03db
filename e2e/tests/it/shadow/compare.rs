//! What a query looked like over time on both sides, and how far apart the two are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use promql::value::{Sample, Series};
use signals::Source;
use signals::source::Range;

/// The grid on which both are read, in milliseconds.
pub(crate) const STEP_MS: i64 = 100;

/// A value that held from one moment on; `None` where the series was absent.
#[derive(Debug, Clone, PartialEq)]
struct Phase {
    from_ms: i64,
    value: Option<String>,
}

/// One change that both sides saw.
#[derive(Debug)]
pub(crate) struct Change {
    /// The series and what it became.
    pub(crate) what: String,
    /// When it did in Prometheus, milliseconds since the epoch.
    pub(crate) real_ms: i64,
    /// When it did in our engine.
    pub(crate) own_ms: i64,
}

impl Change {
    /// Returns how much later ours is, in milliseconds.
    pub(crate) fn apart_ms(&self) -> i64 {
        self.own_ms - self.real_ms
    }
}

type Phases = BTreeMap<String, Vec<Phase>>;

/// Both answers to one query.
#[derive(Debug)]
pub(crate) struct Pair {
    query: String,
    range: Range,
    real: Phases,
    own: Phases,
}

impl Pair {
    /// Asks both sources.
    pub(crate) async fn ask(
        query: &str,
        range: Range,
        real: &dyn Source,
        own: &dyn Source,
    ) -> Self {
        let phases = async |source: &dyn Source| {
            let answer = source.range(query, range).await;
            let answer = answer.unwrap_or_else(|error| panic!("{query}: {error}"));
            phases(&answer.value, range)
        };
        Self {
            query: query.to_owned(),
            range,
            real: phases(real).await,
            own: phases(own).await,
        }
    }

    /// Returns the changes of all series, or what differs in set or order.
    pub(crate) fn changes(&self) -> Result<Vec<Change>, String> {
        let mut changes = Vec::new();
        let mut problems = String::new();
        let names: BTreeSet<&String> = self.real.keys().chain(self.own.keys()).collect();
        let never = [Phase {
            from_ms: self.range.start_ms,
            value: None,
        }];
        for name in names {
            let of = |phases: &'_ Phases| phases.get(name).map_or(never.to_vec(), Clone::clone);
            let (real, own) = (of(&self.real), of(&self.own));
            let values = |phases: &[Phase]| -> Vec<Option<String>> {
                phases.iter().map(|phase| phase.value.clone()).collect()
            };
            if values(&real) != values(&own) {
                let _ = writeln!(
                    problems,
                    "{}: {name}\n  real {}\n  own  {}",
                    self.query,
                    self.told(&real),
                    self.told(&own)
                );
            }
            let pairs = real.into_iter().zip(own).skip(1);
            changes.extend(pairs.map(|(real, own)| Change {
                what: format!("{name} {}", real.value.as_deref().unwrap_or("absent")),
                real_ms: real.from_ms,
                own_ms: own.from_ms,
            }));
        }
        if problems.is_empty() {
            Ok(changes)
        } else {
            Err(problems)
        }
    }

    fn told(&self, phases: &[Phase]) -> String {
        let words: Vec<String> = phases
            .iter()
            .map(|phase| {
                let after_s = (phase.from_ms - self.range.start_ms) as f64 / 1000.0;
                format!("{after_s:.1}s {}", phase.value.as_deref().unwrap_or("-"))
            })
            .collect();
        words.join(", ")
    }
}

fn phases(series: &[Series], range: Range) -> Phases {
    series
        .iter()
        .map(|one| (one.labels.to_string(), over_time(&one.samples, range)))
        .collect()
}

/// Returns the values in the order in which they came, each once.
fn over_time(samples: &[Sample], range: Range) -> Vec<Phase> {
    let by_time: BTreeMap<i64, f64> = samples.iter().map(|one| (one.t_ms, one.value)).collect();
    let steps = (range.end_ms - range.start_ms) / range.step_ms;
    let mut phases: Vec<Phase> = Vec::new();
    for from_ms in (0..=steps).map(|step| range.start_ms + step * range.step_ms) {
        let value = by_time.get(&from_ms).map(ToString::to_string);
        if phases.last().is_none_or(|phase| phase.value != value) {
            phases.push(Phase { from_ms, value });
        }
    }
    phases
}

/// Returns the pairs of changes that one side saw in this order, more than `apart_ms` apart, and the
/// other the other way round.
pub(crate) fn reversed(changes: &[Change], apart_ms: i64) -> Vec<String> {
    let mut found = Vec::new();
    for one in changes {
        for other in changes {
            let real_ms = other.real_ms - one.real_ms;
            let own_ms = other.own_ms - one.own_ms;
            if (real_ms > apart_ms && own_ms < 0) || (own_ms > apart_ms && real_ms < 0) {
                found.push(format!("{} and {}", one.what, other.what));
            }
        }
    }
    found
}
