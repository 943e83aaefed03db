//! Collecting: the recorded series of the run, which decide what alerts did, and which a report
//! shows.

use promql::value::Series;
use signals::source::Range;

use super::alerts;
use super::io::{Command, Out, RangeAsk};
use crate::event::{EventKind, RecordedSeries};
use crate::playbook::Playbook;

/// How much is read from before the run began to act.
const BEFORE_MS: i64 = 15_000;
/// A server answers with at most 11,000 steps.
const MAX_STEPS: i64 = 10_000;

type Recorded = Result<Vec<Series>, String>;

/// The range queries under way and their answers.
#[derive(Debug)]
pub(super) struct Collect {
    pub(super) range: Range,
    pub(super) alerts: Option<Recorded>,
    pub(super) probes: Vec<Option<Recorded>>,
}

impl Collect {
    /// Asks for everything, on a grid of whole seconds.
    pub(super) fn begin(playbook: &Playbook, from_ms: i64, out: &mut Out) -> Self {
        let start_ms = (from_ms - BEFORE_MS).div_euclid(1000) * 1000;
        let end_ms = out.now_ms.div_euclid(1000) * 1000;
        let step_ms = ((end_ms - start_ms) / MAX_STEPS / 1000 + 1) * 1000;
        let range = Range {
            start_ms,
            end_ms,
            step_ms,
        };
        let mut ask = |ask, expr: &str| {
            out.send(Command::Range {
                ask,
                expr: expr.to_owned(),
                range,
            });
        };
        ask(RangeAsk::Alerts, alerts::ALL);
        let probes = &playbook.steady_state.probes;
        for (index, probe) in probes.iter().enumerate() {
            ask(RangeAsk::Probe(index), &probe.query.text);
        }
        Self {
            range,
            alerts: None,
            probes: vec![None; probes.len()],
        }
    }

    pub(super) fn answer(&mut self, ask: RangeAsk, result: Recorded) {
        match ask {
            RangeAsk::Alerts => self.alerts = Some(result),
            RangeAsk::Probe(index) => self.probes[index] = Some(result),
        }
    }

    pub(super) fn complete(&self) -> bool {
        self.alerts.is_some() && self.probes.iter().all(Option::is_some)
    }

    /// Puts the probes' series into the journal.
    pub(super) fn record(&self, playbook: &Playbook, out: &mut Out) {
        for (probe, answer) in playbook.steady_state.probes.iter().zip(&self.probes) {
            match answer {
                Some(Ok(list)) => {
                    for series in list {
                        out.emit(EventKind::Series(RecordedSeries {
                            name: probe.name.clone(),
                            query: probe.query.text.clone(),
                            labels: alerts::plain(&series.labels),
                            samples: samples(series),
                        }));
                    }
                }
                Some(Err(error)) => out.note(format!("the series of {}: {error}", probe.name)),
                None => {}
            }
        }
    }
}

fn samples(series: &Series) -> Vec<(i64, Option<f64>)> {
    let samples = series.samples.iter();
    samples
        .map(|sample| (sample.t_ms, Some(sample.value).filter(|v| v.is_finite())))
        .collect()
}
