//! The engine behind the trait: the same questions and errors as a server has.

use std::sync::Arc;

use async_trait::async_trait;
use promql::engine::{Evaluated, QueryError};
use promql::labels::Labels;
use promql::query::Query;
use promql::rules;
use promql::value::{Series, Value};

use super::core::Core;
use super::{Embedded, Shared};
use crate::clean;
use crate::prometheus::check_range;
use crate::source::{
    Alert, AlertState, Answer, Exemplar, Health, Range, Rule, RuleKind, Source, SourceError, Target,
};

impl Embedded {
    /// Runs a question beside the runtime, since a heavy query takes its time.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Core) -> T + Send + 'static,
    ) -> Result<Answer<T>, SourceError> {
        let shared: Arc<Shared> = self.shared.clone();
        let task = tokio::task::spawn_blocking(move || {
            shared.read(|core| Answer {
                at_ms: core
                    .progress()
                    .last_scrape_ms
                    .unwrap_or(shared.settings.started_ms),
                value: question(core),
                notes: Vec::new(),
            })
        });
        task.await.map_err(|error| SourceError::Failed {
            url: self.describe(),
            status: 500,
            message: error.to_string(),
        })
    }
}

#[async_trait]
impl Source for Embedded {
    fn describe(&self) -> String {
        "embedded".to_owned()
    }

    async fn instant(&self, query: &str, at_ms: Option<i64>) -> Result<Answer<Value>, SourceError> {
        let parsed = parsed(query)?;
        let at_ms = at_ms.unwrap_or_else(|| self.shared.settings.clock.now_ms());
        let answer = self.ask(move |core| core.instant(&parsed, at_ms)).await?;
        told(query, answer)
    }

    async fn range(&self, query: &str, range: Range) -> Result<Answer<Vec<Series>>, SourceError> {
        check_range(query, range)?;
        let parsed = parsed(query)?;
        let answer = self.ask(move |core| core.range(&parsed, range)).await?;
        let answer = told(query, answer)?;
        match answer.value {
            Value::Matrix(series) => Ok(Answer {
                value: series,
                at_ms: answer.at_ms,
                notes: answer.notes,
            }),
            _ => Err(bad_query(
                query,
                "a range query gives numbers over time; this gives none",
            )),
        }
    }

    async fn rules(&self) -> Result<Answer<Vec<Rule>>, SourceError> {
        self.ask(|core| {
            let (rules, groups) = core.rules();
            let interval = |name: &str| {
                let group = groups.iter().find(|group| group.name == name);
                group.map_or(0, |group| group.interval_ms)
            };
            rules
                .into_iter()
                .map(|status| {
                    let interval_ms = interval(&status.group);
                    rule(status, interval_ms)
                })
                .collect()
        })
        .await
    }

    async fn targets(&self) -> Result<Answer<Vec<Target>>, SourceError> {
        let interval_ms = self.shared.settings.scrape_interval_ms;
        self.ask(move |core| core.targets(interval_ms)).await
    }

    async fn exemplars(
        &self,
        query: &str,
        range: Range,
    ) -> Result<Answer<Vec<Exemplar>>, SourceError> {
        let parsed = parsed(query)?;
        self.ask(move |core| core.exemplars(&parsed, range)).await
    }
}

fn parsed(query: &str) -> Result<Query, SourceError> {
    Query::parse(query).map_err(|error| bad_query(query, &error.to_string()))
}

fn bad_query(query: &str, message: &str) -> SourceError {
    SourceError::BadQuery {
        query: clean::message(query),
        message: clean::message(message),
    }
}

fn told(
    query: &str,
    answer: Answer<Result<Evaluated, QueryError>>,
) -> Result<Answer<Value>, SourceError> {
    let evaluated = answer
        .value
        .map_err(|error| bad_query(query, &error.to_string()))?;
    let notes = evaluated
        .notes
        .warnings
        .iter()
        .chain(&evaluated.notes.infos);
    Ok(Answer {
        notes: notes.map(|note| clean::message(note)).collect(),
        value: clean::value(evaluated.value),
        at_ms: answer.at_ms,
    })
}

fn rule(status: rules::RuleStatus, interval_ms: i64) -> Rule {
    let kind = match status.kind {
        rules::RuleKind::Recording => RuleKind::Recording,
        rules::RuleKind::Alerting => RuleKind::Alerting {
            for_ms: status.for_ms,
            keep_firing_for_ms: status.keep_firing_for_ms,
            alerts: status.alerts.into_iter().filter_map(alert).collect(),
        },
    };
    Rule {
        group: clean::message(&status.group),
        name: clean::message(&status.name),
        expr: clean::text(&status.query).into_owned(),
        labels: clean::labels(&Labels::from_pairs(status.labels)),
        annotations: clean::pairs(status.annotations),
        kind,
        health: match status.health {
            rules::Health::Unknown => Health::Unknown,
            rules::Health::Ok => Health::Ok,
            rules::Health::Err => {
                Health::Err(clean::message(&status.last_error.unwrap_or_default()))
            }
        },
        last_evaluation_ms: status.last_evaluation_ms,
        interval_ms,
    }
}

fn alert(status: rules::AlertStatus) -> Option<Alert> {
    let state = match status.state {
        rules::AlertState::Inactive => return None,
        rules::AlertState::Pending => AlertState::Pending,
        rules::AlertState::Firing => AlertState::Firing,
    };
    Some(Alert {
        labels: clean::labels(&status.labels),
        annotations: clean::pairs(status.annotations),
        state,
        active_at_ms: status.active_at_ms,
        value: status.value,
    })
}
