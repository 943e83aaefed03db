//! Rounds of probes: all are asked, all are judged, again and again until all hold or time is up.

use promql::value::Value;

use super::io::{Ask, Out, Poll};
use crate::event::{EventKind, ProbeResult, When};
use crate::playbook::Probe;
use crate::tolerance::Reading;
use crate::verdict::{CheckKind, CheckStatus};

/// How often probes are asked while they are awaited.
pub(super) const EVERY_MS: i64 = 1000;

/// Asks a set of probes in rounds.
#[derive(Debug)]
pub(super) struct Rounds {
    when: When,
    poll: Poll,
    /// Index in the playbook, and the last result.
    probes: Vec<(usize, Option<ProbeResult>)>,
    open: usize,
}

impl Rounds {
    pub(super) fn new(when: When, every_ms: i64, probes: impl IntoIterator<Item = usize>) -> Self {
        Self {
            when,
            poll: Poll::new(every_ms),
            probes: probes.into_iter().map(|index| (index, None)).collect(),
            open: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.probes.is_empty()
    }

    /// Starts a round when it is time. Returns whether it did.
    pub(super) fn tick(&mut self, probes: &[Probe], out: &mut Out) -> bool {
        if self.probes.is_empty() {
            return false;
        }
        let Some(round) = self.poll.due(out) else {
            return false;
        };
        self.open = self.probes.len();
        for (index, _) in &self.probes {
            let ask = Ask::Probe {
                index: *index,
                round,
            };
            out.query(ask, &probes[*index].query.text);
        }
        true
    }

    /// Takes an answer. Returns whether it completed the round.
    pub(super) fn answer(
        &mut self,
        probes: &[Probe],
        (index, round): (usize, u32),
        result: &Result<Value, String>,
        out: &mut Out,
    ) -> bool {
        if self.poll.round != Some(round) {
            return false;
        }
        let Some((_, last)) = self.probes.iter_mut().find(|(known, _)| *known == index) else {
            return false;
        };
        let found = judge(&probes[index], self.when, result);
        let said = last
            .as_ref()
            .is_some_and(|last| last.status == found.status);
        if !said {
            out.emit(EventKind::Probe(found.clone()));
        }
        *last = Some(found);
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.poll.answered(round);
        }
        self.open == 0
    }

    /// Says whether every probe held in the last complete round.
    pub(super) fn all_hold(&self) -> bool {
        self.results()
            .all(|result| result.is_some_and(|r| r.status == CheckStatus::Pass))
    }

    pub(super) fn results(&self) -> impl Iterator<Item = Option<&ProbeResult>> {
        self.probes.iter().map(|(_, result)| result.as_ref())
    }

    /// Turns the last results into checks.
    pub(super) fn conclude(&self, probes: &[Probe], kind: CheckKind, out: &mut Out) {
        for (index, result) in &self.probes {
            let (status, detail) = match result {
                Some(result) => (result.status, result.detail.clone()),
                None => (CheckStatus::Error, "no answer".to_owned()),
            };
            out.check(kind, &probes[*index].name, status, detail);
        }
    }
}

/// Judges one answer. No data is an error, never a pass.
pub(super) fn judge(probe: &Probe, when: When, result: &Result<Value, String>) -> ProbeResult {
    let tolerance = probe.tolerance;
    let (status, value, detail) = match result {
        Err(error) => (CheckStatus::Error, None, error.clone()),
        Ok(value) => match tolerance.read(value) {
            Reading::Within(value) => (
                CheckStatus::Pass,
                Some(value),
                format!("{} {tolerance}", crate::number(value)),
            ),
            Reading::Outside(value) => (
                CheckStatus::Fail,
                Some(value),
                format!("{} is not {tolerance}", crate::number(value)),
            ),
            Reading::NoData => (
                CheckStatus::Error,
                None,
                format!("no data: `{}` returns nothing to judge", probe.query.text),
            ),
        },
    };
    ProbeResult {
        name: probe.name.clone(),
        when,
        status,
        value: value.filter(|value| value.is_finite()),
        detail,
    }
}
