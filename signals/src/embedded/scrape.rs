//! What a scrape leaves in the store: samples, stale markers and the five series about itself.
//!
//! Semantics of Prometheus 3.5: every sample carries the time the scrape began; a failed scrape ends
//! all series of the one before; a series missing from a good scrape ends; samples with a time of
//! their own are exempt from both.

use std::collections::HashMap;

use promql::labels::{Labels, METRIC_NAME};
use promql::store::{AppendError, Store};
use promql::value::stale_nan;

use super::TargetSpec;
use super::exemplars::Exemplars;
use crate::clean;
use crate::exposition::{Format, Limits, ParseError, Parser, Row, Rows, parse};
use crate::source::{Health, Target};

/// Samples with a time of their own may lie this far in the future, as in Prometheus.
const FUTURE_LIMIT_MS: i64 = 10 * 60 * 1000;

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

/// A series of the target as it was seen last.
struct Cached {
    labels: Labels,
    scrape: u64,
    own_time: bool,
}

/// A target and the series it had in the last scrape.
pub(super) struct TargetState {
    job: String,
    instance: String,
    url: String,
    generation: u64,
    scrape: u64,
    series: HashMap<Box<str>, Cached>,
    report: [Labels; 5],
    health: Health,
    last_scrape_ms: Option<i64>,
    last_seconds: f64,
}

/// The counts of one scrape.
#[derive(Default)]
struct Counts {
    scraped: usize,
    added: usize,
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
            job: spec.job.clone(),
            instance: spec.instance.clone(),
            url: spec.url.clone(),
            generation: 0,
            scrape: 0,
            series: HashMap::new(),
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
        scraped: &Scraped,
    ) {
        let mut counts = Counts::default();
        self.scrape += 1;
        let outcome = match &scraped.body {
            Ok((format, text)) => self.good(
                store,
                exemplars,
                t_ms,
                (*format, text, scraped.parser),
                &mut counts,
            ),
            Err(reason) => Err(reason.clone()),
        };
        self.mark_vanished(store, t_ms);
        let values = [
            f64::from(u8::from(outcome.is_ok())),
            scraped.seconds,
            counts.scraped as f64,
            counts.scraped as f64,
            counts.added as f64,
        ];
        for (labels, value) in self.report.iter().zip(values) {
            // A target that exposes these names itself loses against the report.
            let _ = store.append(labels, t_ms, value);
        }
        if matches!(&scraped.body, Ok((_, text)) if outcome.is_ok() && !text.is_empty()) {
            let current = self.scrape;
            self.series.retain(|_, cached| cached.scrape == current);
        }
        self.health = match outcome {
            Ok(()) => Health::Ok,
            Err(reason) => Health::Err(clean::message(&reason)),
        };
        self.last_scrape_ms = Some(t_ms);
        self.last_seconds = scraped.seconds;
    }

    /// Ends every series, those about the scrape included.
    pub(super) fn end(mut self, store: &mut Store, t_ms: i64) {
        if let Some(last) = self.last_scrape_ms {
            let t_ms = t_ms.max(last + 1);
            self.scrape += 1;
            self.mark_vanished(store, t_ms);
            for labels in &self.report {
                let _ = store.append(labels, t_ms, stale_nan());
            }
        }
    }

    pub(super) fn shown(&self, interval_ms: i64) -> Target {
        Target {
            job: clean::message(&self.job),
            instance: clean::message(&self.instance),
            url: clean::message(&self.url),
            health: self.health.clone(),
            last_scrape_ms: self.last_scrape_ms,
            last_duration_ms: self.last_seconds * 1000.0,
            interval_ms,
        }
    }

    fn good(
        &mut self,
        store: &mut Store,
        exemplars: &mut Exemplars,
        t_ms: i64,
        (format, text, parser): (Format, &str, Parser),
        counts: &mut Counts,
    ) -> Result<(), String> {
        let rows = read(parser, format, text, counts).map_err(|e| e.to_string())?;
        for row in &rows {
            self.take(store, exemplars, t_ms, row, counts)?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        store: &mut Store,
        exemplars: &mut Exemplars,
        t_ms: i64,
        row: &Row<'_>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        if !self.series.contains_key(row.key.as_ref()) {
            counts.added += 1;
            let cached = Cached {
                labels: self.relabel(row),
                scrape: 0,
                own_time: false,
            };
            self.series.insert(row.key.as_ref().into(), cached);
        }
        let Some(cached) = self.series.get_mut(row.key.as_ref()) else {
            return Ok(());
        };
        cached.scrape = self.scrape;
        cached.own_time = row.t_ms.is_some();
        let sample_ms = row.t_ms.unwrap_or(t_ms);
        if let Some(exemplar) = &row.exemplar {
            exemplars.take(&cached.labels, exemplar, t_ms);
        }
        if sample_ms > t_ms + FUTURE_LIMIT_MS {
            return Ok(());
        }
        match store.append(&cached.labels, sample_ms, row.value) {
            Err(full @ AppendError::Full { .. }) => Err(full.to_string()),
            // Second samples of one time and samples from the past are left out, as in Prometheus.
            Ok(()) | Err(_) => Ok(()),
        }
    }

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

    /// Writes stale markers for the series of the scrape before that are not in this one.
    fn mark_vanished(&self, store: &mut Store, t_ms: i64) {
        let before = self.scrape - 1;
        let mut vanished: Vec<&Labels> = self
            .series
            .values()
            .filter(|cached| cached.scrape == before && !cached.own_time)
            .map(|cached| &cached.labels)
            .collect();
        vanished.sort_unstable();
        for labels in vanished {
            // It fails where the same series was written in another spelling, which is right.
            let _ = store.append(labels, t_ms, stale_nan());
        }
    }
}

/// Reads all samples before any is taken in; what was read before a mistake is counted.
fn read<'a>(
    parser: Parser,
    format: Format,
    text: &'a str,
    counts: &mut Counts,
) -> Result<Vec<Row<'a>>, ParseError> {
    let rows = match parser {
        Parser::Compat => parse(parser, format, text, Limits::default())?,
        Parser::Strict => {
            let rows = Rows::new(format, text, Limits::default());
            return rows
                .inspect(|row| counts.scraped += usize::from(row.is_ok()))
                .collect();
        }
    };
    counts.scraped = rows.len();
    Ok(rows)
}

#[cfg(test)]
mod tests;
