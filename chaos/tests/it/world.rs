//! A world in which a run takes place without time passing: a shop whose errors follow the faults,
//! an engine whose alert follows the errors, fault targets that can die, restart or do nothing.

mod script;

use std::collections::BTreeMap;
use std::sync::Arc;

use chaos::event::{Event, EventKind, FaultEnd};
use chaos::run::{Command, FaultView, Input, Machine, RangeAsk, RulesFailure, Setup, TargetState};
use chaos::{Outcome, Playbook};
use promql::labels::Labels;
use promql::value::{Point, Sample, Series, Value};
pub(crate) use script::Script;
use signals::source::{Health, Range, Rule, RuleKind};

pub(crate) const START_MS: i64 = 1_700_000_000_000;
const TICK_MS: i64 = 100;

#[derive(Debug, Clone)]
struct Fault {
    id: String,
    owner: String,
    start_ms: i64,
    hard_end_ms: i64,
    lease_ms: i64,
    renewed_ms: i64,
    ended: Option<(FaultEnd, i64)>,
    evaluated: u64,
    injected: u64,
}

pub(crate) struct World {
    script: Script,
    now_ms: i64,
    faults: Vec<Fault>,
    boot_id: String,
    restarted: bool,
    /// Active alerts by second, `ALERTS` as recorded.
    history: Vec<(i64, Vec<(Labels, &'static str)>)>,
    errors: Vec<(i64, Option<f64>)>,
}

pub(crate) struct Ran {
    pub(crate) events: Vec<Event>,
    pub(crate) outcome: Outcome,
    /// Faults that outlived the run.
    pub(crate) left: usize,
    /// Seconds from beginning to verdict.
    pub(crate) took_s: f64,
}

pub(crate) fn run(playbook: &str, script: Script) -> Ran {
    let playbook = Playbook::parse("test.yaml", playbook, &BTreeMap::new())
        .unwrap_or_else(|problems| panic!("{}", problems[0]));
    let setup = Setup {
        run_id: "run-1".to_owned(),
        source: "a world".to_owned(),
        embedded: true,
        targets: vec!["shop".to_owned()],
        seed: 7,
        take_over: false,
    };
    let mut machine = Machine::new(Arc::new(playbook), setup);
    let mut world = World {
        now_ms: START_MS,
        faults: vec![],
        boot_id: "boot-1".to_owned(),
        restarted: false,
        history: vec![],
        errors: vec![],
        script,
    };
    let mut cancels = world.script.cancel_at_s.clone();
    let mut events = Vec::new();
    for _ in 0..100_000 {
        let mut inputs = vec![Input::Tick];
        if cancels
            .first()
            .is_some_and(|at| world.since_start_s() >= *at)
        {
            cancels.remove(0);
            inputs.push(Input::Cancel);
        }
        while !inputs.is_empty() {
            let mut next = Vec::new();
            for input in inputs {
                for command in machine.step(world.now_ms, input) {
                    match command {
                        Command::Emit(event) => events.push(event),
                        Command::Finish(outcome) => {
                            let took_s = world.since_start_s();
                            let live = |f: &&Fault| f.ended.is_none();
                            let left = world.faults.iter().filter(live).count();
                            assert!(machine.step(world.now_ms, Input::Tick).is_empty());
                            return Ran {
                                events,
                                outcome: *outcome,
                                left,
                                took_s,
                            };
                        }
                        Command::Arm { .. } => {
                            // The answer to an older question always overtakes the fault.
                            let overtaken = Input::Listed {
                                target: 0,
                                asked_ms: world.now_ms - 1,
                                result: Ok(world.listing()),
                            };
                            next.push(world.answer(command));
                            next.push(overtaken);
                        }
                        command => next.push(world.answer(command)),
                    }
                }
            }
            inputs = next;
        }
        world.pass();
    }
    panic!(
        "the run does not end; last events: {:#?}",
        &events[events.len() - 5..]
    );
}

fn at(since_s: Option<f64>, at_s: f64) -> bool {
    since_s.is_some_and(|at| at_s >= at)
}

impl World {
    fn since_start_s(&self) -> f64 {
        (self.now_ms - START_MS) as f64 / 1000.0
    }

    fn pass(&mut self) {
        self.now_ms += TICK_MS;
        let now_ms = self.now_ms;
        let at_s = self.since_start_s();
        if at(self.script.target_restarts_at_s, at_s) && !self.restarted {
            self.restarted = true;
            "boot-2".clone_into(&mut self.boot_id);
            self.faults.clear();
        }
        for fault in self.faults.iter_mut().filter(|f| f.ended.is_none()) {
            fault.evaluated += 4;
            fault.injected += u64::from(!self.script.without_effect) * 2;
            let lost = self.script.lease_lost_after_s;
            let age_s = (now_ms - fault.start_ms) as f64 / 1000.0;
            if now_ms >= fault.hard_end_ms {
                fault.ended = Some((FaultEnd::Expired, fault.hard_end_ms));
            } else if !self.script.withdraws_in_vain
                && (now_ms >= fault.renewed_ms + fault.lease_ms || at(lost, age_s))
            {
                fault.ended = Some((FaultEnd::LeaseLost, now_ms));
            }
        }
        if now_ms % 1000 == 0 {
            let alerts = self.alerts();
            self.history.push((now_ms, alerts));
            self.errors.push((now_ms, self.error_ratio()));
        }
    }

    fn broken(&self) -> bool {
        !self.script.without_effect && self.faults.iter().any(|f| f.ended.is_none())
    }

    fn error_ratio(&self) -> Option<f64> {
        let (well, ill) = self.script.errors;
        if self.broken() { ill } else { well }
    }

    fn alerts(&self) -> Vec<(Labels, &'static str)> {
        let mut alerts = vec![(labels(&[("alertname", "Watchdog")]), "firing")];
        let at_s = self.since_start_s();
        if let Some((name, from, to)) = self.script.other
            && (from..to).contains(&at_s)
        {
            alerts.push((labels(&[("alertname", name)]), "firing"));
        }
        let effective = (!self.script.without_effect)
            .then_some(())
            .and(self.faults.last());
        if let (Some(fault), Some(fires_s)) = (effective, self.script.fires_after_s) {
            let since = |t_ms: i64| (self.now_ms - t_ms) as f64 / 1000.0;
            let end_ms = fault.ended.map(|(_, t_ms)| t_ms);
            let fired = end_ms.unwrap_or(self.now_ms) - fault.start_ms >= (fires_s * 1000.0) as i64;
            let gone = match (end_ms, self.script.resolves_after_s) {
                (None, _) | (Some(_), None) => false,
                (Some(end_ms), Some(resolves_s)) => !fired || since(end_ms) >= resolves_s,
            };
            if !gone && since(fault.start_ms) >= 2.0 {
                let state = if since(fault.start_ms) >= fires_s {
                    "firing"
                } else {
                    "pending"
                };
                let labels = labels(&[("alertname", "Broken"), ("severity", "critical")]);
                alerts.push((labels, state));
            }
        }
        alerts
    }

    fn answer(&mut self, command: Command) -> Input {
        let at_s = self.since_start_s();
        let dead = at(self.script.target_dies_at_s, at_s);
        let call = |dead: bool| {
            if dead {
                Err("connection refused".to_owned())
            } else {
                Ok(())
            }
        };
        match command {
            Command::Query { ask, expr } => Input::Answer {
                ask,
                result: self.query(&expr),
            },
            Command::Range { ask, range, .. } => Input::Ranged {
                ask,
                result: self.range(ask, range),
            },
            Command::Rules => Input::Rules(match &self.script.rules {
                None => Err(RulesFailure::NotOffered("no /api/v1/rules".to_owned())),
                Some(names) => Ok(names.iter().map(|name| rule(name)).collect()),
            }),
            Command::List { target, asked_ms } => Input::Listed {
                target,
                asked_ms,
                result: call(dead).map(|()| self.listing()),
            },
            Command::Arm { fault, order, .. } => {
                let refused = self.script.refuses;
                let result = call(dead).and_then(|()| {
                    if refused {
                        return Err("over the caps".to_owned());
                    }
                    self.faults.push(Fault {
                        id: order.id.clone(),
                        owner: order.owner.clone(),
                        start_ms: self.now_ms,
                        hard_end_ms: self.now_ms + order.for_ms,
                        lease_ms: order.lease_ms,
                        renewed_ms: self.now_ms,
                        ended: None,
                        evaluated: 0,
                        injected: 0,
                    });
                    Ok(view(&self.faults[self.faults.len() - 1], self.now_ms))
                });
                Input::Armed { fault, result }
            }
            Command::Renew { fault, id, .. } => {
                let now_ms = self.now_ms;
                let found = self
                    .faults
                    .iter_mut()
                    .find(|f| f.id == id && f.ended.is_none());
                let result = call(dead).and_then(|()| match found {
                    Some(found) => {
                        found.renewed_ms = now_ms;
                        Ok(())
                    }
                    None => Err("unknown fault".to_owned()),
                });
                Input::Renewed { fault, result }
            }
            Command::Withdraw { fault, id, .. } => {
                let now_ms = self.now_ms;
                let vain = self.script.withdraws_in_vain;
                let result = call(dead).map(|()| {
                    for found in self.faults.iter_mut().filter(|f| f.id == id && !vain) {
                        found.ended.get_or_insert((FaultEnd::Withdrawn, now_ms));
                    }
                });
                Input::Withdrawn { fault, result }
            }
            Command::Emit(_) | Command::Finish(_) => unreachable!("handled by the caller"),
        }
    }

    fn range(&self, ask: RangeAsk, range: Range) -> Result<Vec<Series>, String> {
        if at(self.script.source_dies_at_s, self.since_start_s()) {
            return Err("source is gone".to_owned());
        }
        let inside = |t_ms: i64| (range.start_ms..=range.end_ms).contains(&t_ms);
        let mut series: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
        let mut add = |labels: Labels, t_ms: i64, value: f64| {
            series
                .entry(labels)
                .or_default()
                .push(Sample { t_ms, value });
        };
        match ask {
            RangeAsk::Alerts => {
                for (t_ms, alerts) in self.history.iter().filter(|(t_ms, _)| inside(*t_ms)) {
                    for (labels, state) in alerts {
                        add(recorded(labels, state), *t_ms, 1.0);
                    }
                }
            }
            RangeAsk::Probe(_) => {
                for (t_ms, value) in self.errors.iter().filter(|(t_ms, _)| inside(*t_ms)) {
                    if let Some(value) = *value {
                        add(Labels::default(), *t_ms, value);
                    }
                }
            }
        }
        let series = series.into_iter();
        Ok(series
            .map(|(labels, samples)| Series { labels, samples })
            .collect())
    }

    fn query(&self, expr: &str) -> Result<Value, String> {
        if at(self.script.source_dies_at_s, self.since_start_s()) {
            return Err("source is gone".to_owned());
        }
        let point = |labels: Labels, value: f64| Point {
            labels,
            sample: Sample {
                t_ms: self.now_ms,
                value,
            },
        };
        Ok(Value::Vector(match expr {
            "ALERTS" => {
                let alerts = self.alerts().into_iter();
                alerts
                    .map(|(labels, state)| point(recorded(&labels, state), 1.0))
                    .collect()
            }
            "errors" => self
                .error_ratio()
                .map(|v| point(Labels::default(), v))
                .into_iter()
                .collect(),
            "nothing" => vec![],
            other => panic!("the world knows no {other}"),
        }))
    }

    fn listing(&self) -> TargetState {
        let foreign = FaultView {
            id: "theirs".to_owned(),
            owner: "somebody".to_owned(),
            evaluated: 0,
            injected: 0,
            age_ms: 0,
            ended: None,
            ended_ago_ms: 0,
        };
        let views = |live: bool| {
            let faults = self
                .faults
                .iter()
                .filter(move |f| f.ended.is_none() == live);
            faults.map(|fault| view(fault, self.now_ms))
        };
        TargetState {
            boot_id: self.boot_id.clone(),
            services: vec!["payments".to_owned()],
            kinds: self.script.kinds.iter().map(ToString::to_string).collect(),
            live: views(true)
                .chain(self.script.foreign.then_some(foreign))
                .collect(),
            ended: views(false).collect(),
            ..TargetState::default()
        }
    }
}

fn view(fault: &Fault, now_ms: i64) -> FaultView {
    FaultView {
        id: fault.id.clone(),
        owner: fault.owner.clone(),
        evaluated: fault.evaluated,
        injected: fault.injected,
        age_ms: now_ms - fault.start_ms,
        ended: fault.ended.map(|(end, _)| end),
        ended_ago_ms: fault.ended.map_or(0, |(_, t_ms)| now_ms - t_ms),
    }
}

fn labels(pairs: &[(&'static str, &'static str)]) -> Labels {
    Labels::from_pairs(pairs.iter().copied())
}

fn recorded(labels: &Labels, state: &str) -> Labels {
    labels.with("__name__", "ALERTS").with("alertstate", state)
}

fn rule(name: &str) -> Rule {
    Rule {
        group: "g".to_owned(),
        name: name.to_owned(),
        expr: "x > 1".to_owned(),
        labels: Labels::default(),
        annotations: vec![],
        kind: RuleKind::Alerting {
            for_ms: 4000,
            keep_firing_for_ms: 0,
            alerts: vec![],
        },
        health: Health::Ok,
        last_evaluation_ms: None,
        interval_ms: 1000,
    }
}

impl Ran {
    /// The phases it went through.
    pub(crate) fn phases(&self) -> Vec<chaos::event::Phase> {
        let phase = |event: &Event| match event.kind {
            EventKind::Phase { phase } => Some(phase),
            _ => None,
        };
        self.events.iter().filter_map(phase).collect()
    }

    /// The checks, one line each.
    pub(crate) fn checks(&self) -> String {
        let line = |c: &chaos::verdict::Check| {
            format!(
                "{} {}: {} ({})",
                c.status.word(),
                c.kind.words(),
                c.name,
                c.detail
            )
        };
        let lines: Vec<String> = self.outcome.checks.iter().map(line).collect();
        lines.join("\n")
    }
}
