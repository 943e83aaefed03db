//! Whether rules can be evaluated one after the other instead of step by step.
//!
//! They can if nothing is read before it is written: every selector may only select input series
//! and what rules before its own record, and never looks past its own time, since a grid has
//! already written there. Anything in doubt counts as dependent.

use super::Evaluator;
use super::group::RunningRule;
use crate::labels::{Labels, METRIC_NAME};
use crate::query::ast::{At, Expr, Selector, Shift};
use crate::query::{Query, matcher::Matcher};

const ALERTS: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

impl Evaluator {
    /// Says whether evaluating rule by rule comes to the same as evaluating step by step. `order`
    /// is that of the groups, `inputs` are the series that others write.
    pub(crate) fn is_independent<'l>(
        &self,
        order: &[usize],
        mut inputs: impl Iterator<Item = &'l Labels>,
    ) -> bool {
        let groups: Vec<_> = order.iter().map(|index| &self.groups[*index]).collect();
        let rules: Vec<&RunningRule> = groups.iter().flat_map(|group| &group.rules).collect();
        let offsets = groups.iter().map(|group| group.query_offset_ms);
        let one_offset = offsets.clone().max() == offsets.clone().min();
        // Restoring and ending what a reload removed happen between two steps.
        let is_settled = self.config.restore.is_none()
            && self.leaving.is_empty()
            && groups.iter().all(|group| group.orphans.is_empty());
        is_settled
            && one_offset
            && offsets.min().is_none_or(|offset_ms| offset_ms >= 0)
            && !inputs.any(|labels| rules.iter().any(|rule| may_write(rule, labels)))
            && rules.iter().enumerate().all(|(index, rule)| {
                let (before, rest) = rules.split_at(index);
                (rule.alerts.is_some() || !ALERTS.contains(&rule.rule.name.as_str()))
                    && has_plain_templates(rule)
                    && before.iter().all(|other| writes_others(other, rule))
                    && looks_back(rule.rule.expr.expr(), 0)
                    && !selectors(&rule.rule.expr, &mut |selector| {
                        rest.iter().any(|other| may_select(selector, other))
                    })
            })
    }

    /// Says whether a rule or one of some other queries may read what alerts write.
    pub(crate) fn reads_alerts<'q>(&self, mut others: impl Iterator<Item = &'q Query>) -> bool {
        let rules = self.groups.iter().flat_map(|group| &group.rules);
        let mut own = rules.map(|rule| &rule.rule.expr);
        let mut reads = |query: &Query| {
            selectors(query, &mut |selector| {
                let accepts = |name: &&str| accepts(selector, METRIC_NAME, name);
                ALERTS.iter().any(accepts)
            })
        };
        own.any(&mut reads) || others.any(reads)
    }
}

/// Says whether `is_so` holds for some selector.
fn selectors(query: &Query, is_so: &mut dyn FnMut(&Selector) -> bool) -> bool {
    let mut found = false;
    query.expr().visit(&mut |expr| {
        if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr {
            found = found || is_so(selector);
        }
    });
    found
}

/// Says whether a selector accepts the value of a label.
fn accepts(selector: &Selector, name: &str, value: &str) -> bool {
    let fits = |matcher: &Matcher| matcher.name != name || matcher.matches(value);
    selector.matchers.iter().all(fits)
}

fn may_select(selector: &Selector, rule: &RunningRule) -> bool {
    if rule.alerts.is_some() {
        return ALERTS
            .iter()
            .any(|name| accepts(selector, METRIC_NAME, name))
            && accepts(selector, "alertname", &rule.rule.name);
    }
    let labels = &rule.rule.labels;
    accepts(selector, METRIC_NAME, &rule.rule.name)
        && labels
            .iter()
            .all(|(name, value)| accepts(selector, name, value))
}

/// Says whether a rule may write a series that others write.
fn may_write(rule: &RunningRule, labels: &Labels) -> bool {
    let name = labels.metric_name().unwrap_or_default();
    if rule.alerts.is_some() {
        ALERTS.contains(&name)
    } else {
        name == rule.rule.name
    }
}

/// Says whether two rules never write the same series: their names or a fixed label differ.
fn writes_others(one: &RunningRule, other: &RunningRule) -> bool {
    let is_fixed = |value: &str| !value.contains("{{");
    one.alerts.is_some() != other.alerts.is_some()
        || one.rule.name != other.rule.name
        || one.rule.labels.iter().any(|(name, value)| {
            let mut theirs = other.rule.labels.iter();
            theirs.any(|(label, text)| {
                // The name of an alert overrides a label that is called so.
                label == name
                    && label != "alertname"
                    && text != value
                    && is_fixed(text)
                    && is_fixed(value)
            })
        })
}

/// Says whether no template of an alert asks a query and no label depends on the value.
fn has_plain_templates(rule: &RunningRule) -> bool {
    let crate::rules::RuleType::Alerting(alerting) = &rule.rule.kind else {
        return true;
    };
    let mut texts = rule.rule.labels.iter().chain(&alerting.annotations);
    texts.all(|(_, text)| !text.contains("{{") || !text.contains("query"))
        && rule
            .rule
            .labels
            .iter()
            .all(|(_, text)| reads_labels_only(text))
}

/// Says whether a template surely refers to nothing but labels: any other variable, the dot, or a
/// field of anything else might be the value.
fn reads_labels_only(text: &str) -> bool {
    if !text.contains("{{") {
        return true;
    }
    let rest = text
        .replace("$labels.", "")
        .replace("$externalLabels.", "")
        .replace("$externalURL", "");
    !rest.contains(['$', '.'])
}

/// Says whether an expression never looks past its own time. `earlier_ms` is how far the time has
/// been moved into the past by the subqueries around it; it must not come back.
fn looks_back(expr: &Expr, earlier_ms: i64) -> bool {
    let moved = |shift: &Shift| match shift.at {
        Some(At::Ms(_)) => None,
        Some(At::Start | At::End) => (shift.offset_ms >= 0).then_some(0),
        None => {
            let sum = earlier_ms.saturating_add(shift.offset_ms);
            (sum >= 0).then_some(sum)
        }
    };
    match expr {
        Expr::Number(_) | Expr::Text(_) => true,
        Expr::Selector(selector) | Expr::Range { selector, .. } => moved(&selector.shift).is_some(),
        Expr::Subquery(subquery) => {
            moved(&subquery.shift).is_some_and(|earlier_ms| looks_back(&subquery.expr, earlier_ms))
        }
        Expr::Negate(inner) | Expr::Paren(inner) => looks_back(inner, earlier_ms),
        Expr::Binary(binary) => {
            looks_back(&binary.left, earlier_ms) && looks_back(&binary.right, earlier_ms)
        }
        Expr::Aggregate(aggregate) => {
            let parameter = aggregate.parameter.as_ref();
            parameter.is_none_or(|parameter| looks_back(parameter, earlier_ms))
                && looks_back(&aggregate.expr, earlier_ms)
        }
        Expr::Call(call) => call.args.iter().all(|arg| looks_back(arg, earlier_ms)),
    }
}
