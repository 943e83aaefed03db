//! What a scrape leaves in the store: samples, stale markers and the five series about itself.
//!
//! Semantics of Prometheus 3.5: every sample carries the time the scrape began; a failed scrape ends
//! the series of the one before; a series missing from a good scrape ends; samples with a time of
//! their own are exempt from both. A text that breaks off leaves no sample at all, yet the series
//! before the break count as seen: they do not end, and keep their last value.

mod known;

use promql::labels::{Labels, METRIC_NAME};
use promql::store::{AppendError, Store};
use promql::value::stale_nan;

use super::TargetSpec;
use super::exemplars::Exemplars;
use crate::clean;
use crate::exposition::{Format, Limits, Parser, Row, Rows, parse};
use crate::source::{Health, Target};
use known::Known;

/// The series about a scrape, in the order of `Report::values`.
const REPORT: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// What came back from a target.
#[derive(Debug)]
pub(super) struct Scraped {
    /// The body with its format, or why there is none.
    pub(super) body: Result<(Format, String), String>,
    /// How the body is read.
    pub(super) parser: Parser,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
}

impl Scraped {
    /// Reads all samples, or those before the first mistake, before any is taken in.
    pub(super) fn read(&self) -> Reading<'_> {
        let (rows, outcome) = match &self.body {
            Err(reason) => (Vec::new(), Err(reason.clone())),
            Ok((format, text)) => read(self.parser, *format, text),
        };
        Reading {
            rows,
            outcome,
            is_empty: self.body.as_ref().map_or(true, |(_, text)| text.is_empty()),
            seconds: self.seconds,
        }
    }
}

fn read(parser: Parser, format: Format, text: &str) -> (Vec<Row<'_>>, Result<(), String>) {
    if parser == Parser::Compat {
        return match parse(parser, format, text, Limits::default()) {
            Ok(rows) => (rows, Ok(())),
            Err(error) => (Vec::new(), Err(error.to_string())),
        };
    }
    let mut rows = Vec::new();
    for row in Rows::new(format, text, Limits::default()) {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => return (rows, Err(error.to_string())),
        }
    }
    (rows, Ok(()))
}

/// The samples of a scrape, up to where it went wrong.
pub(super) struct Reading<'a> {
    rows: Vec<Row<'a>>,
    outcome: Result<(), String>,
    is_empty: bool,
    seconds: f64,
}

/// What tells a target from others.
struct Name {
    job: String,
    instance: String,
}

/// A target and the series it had in the last scrape.
pub(super) struct TargetState {
    name: Name,
    url: String,
    generation: u64,
    known: Known,
    report: [Labels; 5],
    health: Health,
    last_scrape_ms: Option<i64>,
    last_seconds: f64,
}

impl TargetState {
    pub(super) fn new(spec: &TargetSpec) -> Self {
        let report = REPORT.map(|name| {
            Labels::from_pairs([
                (METRIC_NAME, name),
                ("job", &spec.job),
                ("instance", &spec.instance),
            ])
        });
        Self {
            name: Name {
                job: spec.job.clone(),
                instance: spec.instance.clone(),
            },
            url: spec.url.clone(),
            generation: 0,
            known: Known::default(),
            report,
            health: Health::Unknown,
            last_scrape_ms: None,
            last_seconds: 0.0,
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Gives the target another address; what the old one still answers no longer counts.
    pub(super) fn move_to(&mut self, url: &str, generation: u64) {
        url.clone_into(&mut self.url);
        self.generation = generation;
    }

    /// Takes in one scrape.
    pub(super) fn commit(
        &mut self,
        store: &mut Store,
        exemplars: &mut Exemplars,
        t_ms: i64,
        reading: &Reading<'_>,
    ) {
        store.set_now(t_ms);
        let known = self.known.len();
        self.known.begin();
        let outcome = match &reading.outcome {
            Ok(()) => reading
                .rows
                .iter()
                .try_for_each(|row| self.take(store, exemplars, t_ms, row)),
            Err(reason) => {
                for row in &reading.rows {
                    self.known.see(row, || self.name.relabel(row));
                }
                Err(reason.clone())
            }
        };
        let added = self.known.len() - known;
        self.mark_vanished(store, t_ms);
        let scraped = reading.rows.len() as f64;
        let values = [
            f64::from(u8::from(outcome.is_ok())),
            reading.seconds,
            scraped,
            scraped,
            added as f64,
        ];
        for (labels, value) in self.report.iter().zip(values) {
            // A target that exposes such a series itself was first, and its sample stays.
            let _ = store.append(labels, t_ms, value);
        }
        self.known
            .forget_unseen(outcome.is_ok() && !reading.is_empty);
        self.health = match outcome {
            Ok(()) => Health::Ok,
            Err(reason) => Health::Err(clean::message(&reason)),
        };
        self.last_scrape_ms = Some(t_ms);
        self.last_seconds = reading.seconds;
    }

    /// Ends every series, those about the scrape included.
    pub(super) fn end(mut self, store: &mut Store, t_ms: i64) {
        if let Some(last) = self.last_scrape_ms {
            let t_ms = t_ms.max(last + 1);
            self.known.begin();
            self.mark_vanished(store, t_ms);
            for labels in &self.report {
                let _ = store.append(labels, t_ms, stale_nan());
            }
        }
    }

    pub(super) fn shown(&self, interval_ms: i64) -> Target {
        Target {
            job: clean::message(&self.name.job),
            instance: clean::message(&self.name.instance),
            url: clean::message(&self.url),
            health: self.health.clone(),
            last_scrape_ms: self.last_scrape_ms,
            last_duration_ms: self.last_seconds * 1000.0,
            interval_ms,
        }
    }

    fn take(
        &mut self,
        store: &mut Store,
        exemplars: &mut Exemplars,
        t_ms: i64,
        row: &Row<'_>,
    ) -> Result<(), String> {
        let cached = self.known.see(row, || self.name.relabel(row));
        let sample_ms = row.t_ms.unwrap_or(t_ms);
        if let Some(exemplar) = &row.exemplar
            // One from the future would keep every later one out.
            && !exemplar.t_ms.is_some_and(|own_ms| store.is_too_new(own_ms))
        {
            exemplars.take(&cached.labels, exemplar, t_ms);
        }
        match store.append_at(cached.place, &cached.labels, sample_ms, row.value) {
            Ok(place) => {
                if cached.place != Some(place) {
                    cached.place = Some(place);
                    cached.share_labels(store.labels_at(place));
                }
                Ok(())
            }
            Err(full @ AppendError::Full { .. }) => Err(full.to_string()),
            // Second samples of one time and samples from the past or too far in the future are
            // left out, as in Prometheus.
            Err(_) => Ok(()),
        }
    }

    /// Writes stale markers for the series of the scrape before that are not in this one.
    fn mark_vanished(&self, store: &mut Store, t_ms: i64) {
        for labels in self.known.vanished() {
            // It fails where the same series was written in another spelling, which is right.
            let _ = store.append(labels, t_ms, stale_nan());
        }
    }
}

impl Name {
    /// Adds the labels of the target; labels of the sample that clash get a prefix.
    fn relabel(&self, row: &Row<'_>) -> Labels {
        let own = row.label_set();
        let mut pairs: Vec<(String, String)> = Vec::with_capacity(own.len() + 2);
        for (name, value) in own.iter() {
            let mut name = name.to_owned();
            if name == "job" || name == "instance" {
                name.insert_str(0, "exported_");
                while own.get(&name).is_some() {
                    name.insert_str(0, "exported_");
                }
            }
            pairs.push((name, value.to_owned()));
        }
        pairs.push(("job".to_owned(), self.job.clone()));
        pairs.push(("instance".to_owned(), self.instance.clone()));
        Labels::from_pairs(pairs)
    }
}

#[cfg(test)]
mod tests;
