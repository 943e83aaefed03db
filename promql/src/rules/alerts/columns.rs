//! Many evaluations at once: the state machine is run along the columns of each alert.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alert, Alerts, Config, Data, METRIC_NAME, Phase};
use crate::engine::{Grid, Row, is_absent};
use crate::labels::Labels;
use crate::value::stale_nan;

/// What many evaluations of a rule came to.
pub(in crate::rules) struct Advanced {
    /// How many alerts were pending or firing at each step.
    pub(in crate::rules) active: Vec<usize>,
    /// `ALERTS` and `ALERTS_FOR_STATE`, if they were asked for.
    pub(in crate::rules) samples: Vec<Row>,
}

/// Two elements had the same labels at one step, which is an error of the rule.
pub(in crate::rules) struct SameLabels;

/// The samples of one alert.
struct States {
    pending: Vec<f64>,
    firing: Vec<f64>,
    active_at_s: Vec<f64>,
}

impl Alerts {
    /// Moves every alert on by all steps of a grid. `rows` are the elements of the expression; the
    /// labels of an alert must not depend on its value.
    ///
    /// Changes of state are not told, and of annotations only the last ones are kept.
    pub(in crate::rules) fn advance_columns(
        &mut self,
        rows: &[Row],
        grid: Grid,
        config: &Config,
        wants_samples: bool,
    ) -> Result<Advanced, SameLabels> {
        let sources = self.sources(rows, grid, config)?;
        let mut advanced = Advanced {
            active: vec![0; grid.steps],
            samples: Vec::new(),
        };
        let known: BTreeSet<Labels> = self
            .by_labels
            .keys()
            .chain(sources.keys())
            .cloned()
            .collect();
        let mut distinct = BTreeSet::new();
        for labels in known {
            let sources = sources.get(&labels).map(Vec::as_slice).unwrap_or_default();
            let mut states = wants_samples.then(|| States::new(grid.steps));
            let alert = self.by_labels.remove(&labels);
            let (alert, last) = self.one(
                alert,
                rows,
                sources,
                grid,
                &mut advanced.active,
                &mut states,
            );
            if let Some(states) = states {
                let shown = self.shown(&labels);
                states.into_rows(&shown, &mut advanced.samples);
                if !distinct.insert(shown) {
                    return Err(SameLabels);
                }
            }
            let Some(mut alert) = alert else { continue };
            if let Some(row) = last {
                let data = self.data(&rows[row].labels, alert.value, config);
                alert.annotations = self.annotations_of(&data);
            }
            self.by_labels.insert(labels, alert);
        }
        Ok(advanced)
    }

    /// Returns what templates can refer to; rules whose templates ask queries are not run in columns.
    fn data<'d>(&'d self, labels: &'d Labels, value: f64, config: &'d Config) -> Data<'d> {
        Data {
            alert: &self.name,
            labels,
            value,
            external_labels: &config.external_labels,
            external_url: &config.external_url,
            patterns: &self.patterns,
            query: &|_| Err("no query can be asked here".to_owned()),
        }
    }

    /// Finds, for the labels of each alert, the rows that it comes from: mostly one, several if they
    /// take turns.
    fn sources(
        &self,
        rows: &[Row],
        grid: Grid,
        config: &Config,
    ) -> Result<BTreeMap<Labels, Vec<usize>>, SameLabels> {
        let mut sources: BTreeMap<Labels, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            let labels = self.labels_of(&self.data(&row.labels, 0.0, config));
            let same = sources.entry(labels).or_default();
            let collides = same.iter().any(|other| {
                let other = &rows[*other].values;
                (0..grid.steps).any(|step| !is_absent(other[step]) && !is_absent(row.values[step]))
            });
            if collides {
                return Err(SameLabels);
            }
            same.push(index);
        }
        Ok(sources)
    }

    /// Runs one alert; returns it and the row of its last element.
    fn one(
        &self,
        mut alert: Option<Alert>,
        rows: &[Row],
        sources: &[usize],
        grid: Grid,
        active: &mut [usize],
        states: &mut Option<States>,
    ) -> (Option<Alert>, Option<usize>) {
        let mut last = None;
        for (step, active) in active.iter_mut().enumerate() {
            let t_ms = grid.at(step);
            let source = sources
                .iter()
                .find(|row| !is_absent(rows[**row].values[step]));
            if let Some(row) = source {
                last = Some(*row);
                let value = rows[*row].values[step];
                let current = match alert.take() {
                    Some(known) if !matches!(known.phase, Phase::Resolved { .. }) => {
                        Alert { value, ..known }
                    }
                    _ => Alert {
                        annotations: Vec::new(),
                        value,
                        active_at_ms: t_ms,
                        phase: Phase::Pending,
                        last_sent_ms: None,
                    },
                };
                alert.insert(current).hold(t_ms, self.for_ms);
            } else if let Some(current) = &mut alert
                && !current.fade(t_ms, self.keep_firing_for_ms)
            {
                alert = None;
            }
            if let Some(current) = &alert
                && !matches!(current.phase, Phase::Resolved { .. })
            {
                *active += 1;
                if let Some(states) = states {
                    states.note(step, current);
                }
            }
        }
        (alert, last)
    }
}

impl States {
    fn new(steps: usize) -> Self {
        let absent = || vec![stale_nan(); steps];
        Self {
            pending: absent(),
            firing: absent(),
            active_at_s: absent(),
        }
    }

    fn note(&mut self, step: usize, alert: &Alert) {
        match alert.phase {
            Phase::Pending => self.pending[step] = 1.0,
            Phase::Firing { .. } => self.firing[step] = 1.0,
            Phase::Resolved { .. } => return,
        }
        self.active_at_s[step] = alert.active_at_ms.div_euclid(1000) as f64;
    }

    fn into_rows(self, labels: &Labels, rows: &mut Vec<Row>) {
        let alerts = labels.with(METRIC_NAME, "ALERTS");
        let row = |labels, values| Row { labels, values };
        rows.extend([
            row(alerts.with("alertstate", "pending"), self.pending),
            row(alerts.with("alertstate", "firing"), self.firing),
            row(
                labels.with(METRIC_NAME, "ALERTS_FOR_STATE"),
                self.active_at_s,
            ),
        ]);
    }
}
