//! Preflight: targets answer and serve what is needed, nobody else's faults are active, every
//! named alert has a rule that works.

use std::sync::Arc;

use promql::yaml::decode::closest;
use signals::source::{Health, Rule, RuleKind};

use super::io::{Command, Out, RulesFailure};
use super::machine::Setup;
use super::method::order;
use super::target::TargetState;
use crate::playbook::{Action, Condition, Playbook};
use crate::verdict::{CheckKind, CheckStatus};

/// The questions under way.
#[derive(Debug)]
pub(super) struct Preflight {
    targets: Vec<Option<Result<TargetState, String>>>,
    rules: Option<Result<Vec<Rule>, RulesFailure>>,
}

/// What the method needs to know: which targets each step goes to.
pub(super) type Assignment = Vec<Vec<usize>>;

impl Preflight {
    pub(super) fn begin(targets: usize, out: &mut Out) -> Self {
        for target in 0..targets {
            out.list(target);
        }
        out.send(Command::Rules);
        Self {
            targets: vec![None; targets],
            rules: None,
        }
    }

    pub(super) fn listed(&mut self, target: usize, result: Result<TargetState, String>) {
        self.targets[target] = Some(result);
    }

    pub(super) fn rules(&mut self, result: Result<Vec<Rule>, RulesFailure>) {
        self.rules = Some(result);
    }

    /// When everything is answered: judges it, and returns the targets of each step if all is well.
    pub(super) fn conclude(
        &self,
        playbook: &Arc<Playbook>,
        setup: &Setup,
        out: &mut Out,
    ) -> Option<Result<Assignment, ()>> {
        let rules = self.rules.as_ref()?;
        if self.targets.iter().any(Option::is_none) {
            return None;
        }
        let before = failures(out);
        queries(playbook, setup, out);
        self.judge_targets(setup, out);
        let assignment = self.assign(playbook, setup, out);
        judge_rules(playbook, rules, out);
        let good = failures(out) == before;
        if good {
            out.check(
                CheckKind::Preflight,
                "environment",
                CheckStatus::Pass,
                "source, rules and targets are ready",
            );
        }
        Some(if good { Ok(assignment) } else { Err(()) })
    }

    fn answered(&self) -> impl Iterator<Item = (usize, &TargetState)> {
        self.targets
            .iter()
            .enumerate()
            .filter_map(|(index, target)| Some((index, target.as_ref()?.as_ref().ok()?)))
    }

    fn judge_targets(&self, setup: &Setup, out: &mut Out) {
        for (name, answer) in setup.targets.iter().zip(&self.targets) {
            if let Some(Err(error)) = answer {
                fail(out, &format!("target {name}"), error.clone());
            }
        }
        let refused = |_: &&super::target::FaultView| !setup.take_over;
        for (index, state) in self.answered() {
            for view in state.live.iter().filter(refused) {
                let text = format!(
                    "the fault {} of {} is active there: wait until its lease ends, clear it \
                     with `obs-tui fault clear`, or run with --take-over",
                    view.id, view.owner
                );
                fail(out, &format!("target {}", setup.targets[index]), text);
            }
        }
    }

    fn assign(&self, playbook: &Playbook, setup: &Setup, out: &mut Out) -> Assignment {
        let mut assignment: Assignment = vec![Vec::new(); playbook.method.len()];
        for (step_index, step, fault) in playbook.faults() {
            let serving = self
                .answered()
                .filter(|(_, state)| state.serves(&fault.injection));
            assignment[step_index] = serving.map(|(index, _)| index).collect();
            if !assignment[step_index].is_empty() {
                let request =
                    order(playbook, (&setup.run_id, setup.seed), step_index, fault).request();
                for (index, state) in self.answered() {
                    if assignment[step_index].contains(&index) {
                        over_caps(out, &step.name, &setup.targets[index], state, &request);
                    }
                }
                continue;
            }
            let offers: Vec<String> = self
                .answered()
                .map(|(index, state)| format!("{} serves {}", setup.targets[index], state.offer()))
                .collect();
            let offers = match offers.as_slice() {
                [] if setup.targets.is_empty() => {
                    "no fault target is given: name one with --fault URL".to_owned()
                }
                [] => "no target answered".to_owned(),
                list => list.join("; "),
            };
            let kind = fault.injection.kind();
            let wanted = match fault.injection.service() {
                Some(service) => format!("{kind} on {service}"),
                None => kind.to_owned(),
            };
            fail(
                out,
                &format!("step {}", step.name),
                format!("no target can do `{wanted}`: {offers}"),
            );
        }
        assignment
    }
}

fn over_caps(
    out: &mut Out,
    step: &str,
    target: &str,
    state: &TargetState,
    request: &fault::ArmRequest,
) {
    for error in state.caps.exceeded(request) {
        fail(
            out,
            &format!("step {step}"),
            format!("{target} refuses: {error}"),
        );
    }
}

fn failures(out: &Out) -> usize {
    let failed = |status| matches!(status, CheckStatus::Fail | CheckStatus::Error);
    out.checks.iter().filter(|c| failed(c.status)).count()
}

fn fail(out: &mut Out, name: &str, detail: impl Into<String>) {
    out.check(CheckKind::Preflight, name, CheckStatus::Fail, detail);
}

/// Our parser is the judge for the embedded engine; a server may know more than we do.
fn queries(playbook: &Playbook, setup: &Setup, out: &mut Out) {
    for expr in playbook.expressions() {
        let Err(error) = promql::Query::parse(&expr.text) else {
            continue;
        };
        let text = format!("{}: `{}`: {error}", expr.place, expr.text);
        if setup.embedded {
            fail(out, &expr.path, text);
        } else {
            out.note(format!("{}: {text} (the server decides)", expr.path));
        }
    }
}

fn judge_rules(playbook: &Playbook, rules: &Result<Vec<Rule>, RulesFailure>, out: &mut Out) {
    let rules = match rules {
        Ok(rules) => rules,
        Err(RulesFailure::NotOffered(text)) => {
            out.note(format!(
                "whether the alerts have rules is not checked: {text}"
            ));
            return;
        }
        Err(RulesFailure::Failed(text)) => {
            fail(out, "rules", text.clone());
            return;
        }
    };
    let alerting: Vec<&Rule> = rules
        .iter()
        .filter(|rule| matches!(rule.kind, RuleKind::Alerting { .. }))
        .collect();
    let names: Vec<&str> = alerting.iter().map(|rule| rule.name.as_str()).collect();
    for wanted in named_alerts(playbook) {
        let of_name: Vec<&&Rule> = alerting.iter().filter(|rule| rule.name == wanted).collect();
        if of_name.is_empty() {
            let help = match closest(wanted, &names) {
                Some(close) => format!("; did you mean {close}?"),
                None if names.is_empty() => "; the source has no alerting rules".to_owned(),
                None => format!("; there are {}", names.join(", ")),
            };
            fail(
                out,
                &format!("rule {wanted}"),
                format!("no rule makes the alert {wanted}{help}"),
            );
        }
        for rule in of_name {
            if let Health::Err(error) = &rule.health {
                fail(
                    out,
                    &format!("rule {wanted}"),
                    format!("its evaluation fails: {error}"),
                );
            }
        }
    }
    if playbook
        .must_not_fire
        .iter()
        .any(crate::playbook::AlertPattern::is_any)
        && names.is_empty()
    {
        fail(
            out,
            "rules",
            "no alerting rule is loaded, so that nothing fires proves nothing",
        );
    }
}

fn named_alerts(playbook: &Playbook) -> Vec<&str> {
    let expected = playbook.expect_alerts.iter().map(|e| &e.pattern);
    let waited = playbook
        .method
        .iter()
        .filter_map(|step| match &step.action {
            Action::WaitFor(wait) => match &wait.condition {
                Condition::Alert { pattern, .. } => Some(pattern),
                Condition::Query { .. } => None,
            },
            _ => None,
        });
    let mut names: Vec<&str> = expected
        .chain(&playbook.must_not_fire)
        .chain(waited)
        .filter(|pattern| !pattern.is_any())
        .map(|pattern| pattern.alertname.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
