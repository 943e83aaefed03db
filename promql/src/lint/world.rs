//! What lints know: all rules of all files, and how recorded series are made.

use std::collections::{BTreeMap, BTreeSet};

use super::{Settings, Source};
use crate::query::Located;
use crate::query::ast::{Expr, Selector};
use crate::rules::{Alerting, Group, Rule, RuleType};

/// How many recorded series are looked through, one behind the other.
const MAX_CHAIN: usize = 8;

/// One rule to look at.
pub(super) struct Subject<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) group: &'a Group,
    pub(super) rule: &'a Rule,
    /// Number of the rule in its file.
    pub(super) number: usize,
    /// The file among those given.
    pub(super) file: usize,
    located: Option<Located<'a>>,
}

impl<'a> Subject<'a> {
    /// Returns what makes the rule an alert.
    pub(super) fn alerting(&self) -> Option<&'a Alerting> {
        match &self.rule.kind {
            RuleType::Alerting(alerting) => Some(alerting),
            RuleType::Recording => None,
        }
    }

    /// Calls `see` for every node of the expression.
    pub(super) fn visit(&self, see: &mut dyn FnMut(&Located<'a>)) {
        if let Some(located) = &self.located {
            located.visit(see);
        }
    }

    pub(super) fn expr(&self) -> &'a Expr {
        self.rule.expr.expr()
    }
}

/// All rules.
pub(super) struct World<'a> {
    pub(super) settings: Settings,
    sources: &'a [Source<'a>],
    recorded: BTreeMap<&'a str, Vec<&'a Rule>>,
    guarded: BTreeSet<String>,
    /// The selectors of `up` in alerts.
    up: Vec<&'a Selector>,
}

impl<'a> World<'a> {
    pub(super) fn new(sources: &'a [Source<'a>], settings: Settings) -> Self {
        let mut world = Self {
            settings,
            sources,
            recorded: BTreeMap::new(),
            guarded: BTreeSet::new(),
            up: Vec::new(),
        };
        for rule in world.rules() {
            if matches!(rule.kind, RuleType::Recording) {
                let same_name = world.recorded.entry(&rule.name).or_default();
                same_name.push(rule);
            }
        }
        let alerts = || {
            world
                .rules()
                .filter(|rule| matches!(rule.kind, RuleType::Alerting(_)))
        };
        let mut guarded = BTreeSet::new();
        let mut up = Vec::new();
        for rule in alerts() {
            world.each_expr(rule.expr.expr(), &mut |expr| match expr {
                Expr::Call(call) if is_absent(call.function.name) => {
                    guarded.extend(call.args.iter().flat_map(|arg| world.raw_metrics(arg)));
                }
                Expr::Selector(selector) if selector.metric_name() == Some("up") => {
                    up.push(selector);
                }
                _ => {}
            });
        }
        world.guarded = guarded;
        world.up = up;
        world
    }

    fn rules(&self) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let groups = self.sources.iter().flat_map(|source| &source.rules.groups);
        groups.flat_map(|group| &group.rules)
    }

    /// Returns every rule with its file and number.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, usize, &'a Rule)> + use<'a> {
        let files = self.sources.iter().enumerate();
        files.flat_map(|(file, source)| {
            let rules = source.rules.groups.iter().flat_map(|group| &group.rules);
            rules
                .enumerate()
                .map(move |(number, rule)| (file, number, rule))
        })
    }

    /// Returns the rules of a file in its order.
    pub(super) fn subjects(&'a self, file: usize) -> impl Iterator<Item = Subject<'a>> {
        let groups = self.sources.get(file).map(|source| &source.rules.groups);
        let rules = groups
            .into_iter()
            .flatten()
            .flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
        rules
            .enumerate()
            .map(move |(number, (group, rule))| Subject {
                world: self,
                group,
                rule,
                number,
                file,
                located: Located::new(rule.expr.text(), rule.expr.expr()),
            })
    }

    /// Returns the rules that record a series.
    pub(super) fn recording(&self, name: Option<&str>) -> &[&'a Rule] {
        name.and_then(|name| self.recorded.get(name))
            .map_or(&[], Vec::as_slice)
    }

    /// Calls `see` for an expression, all below it, and all that recorded series are made of.
    pub(super) fn each_expr(&self, expr: &'a Expr, see: &mut dyn FnMut(&'a Expr)) {
        self.each_to(MAX_CHAIN, expr, see);
    }

    fn each_to(&self, depth: usize, expr: &'a Expr, see: &mut dyn FnMut(&'a Expr)) {
        let mut names = Vec::new();
        visit(expr, &mut |expr| {
            see(expr);
            if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr {
                names.extend(selector.metric_name());
            }
        });
        names.sort_unstable();
        names.dedup();
        for rule in names.iter().flat_map(|name| self.recording(Some(name))) {
            if depth > 0 {
                self.each_to(depth - 1, rule.expr.expr(), see);
            }
        }
    }

    /// Returns the metrics that an expression is made of in the end, sorted.
    pub(super) fn raw_metrics(&self, expr: &'a Expr) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.each_expr(expr, &mut |expr| {
            if let Expr::Selector(selector) | Expr::Range { selector, .. } = expr
                && let Some(name) = selector.metric_name()
                && self.recording(Some(name)).is_empty()
            {
                names.insert(name.to_owned());
            }
        });
        names
    }

    /// Says whether some alert would tell that a metric is gone.
    pub(super) fn is_guarded(&self, metric: &str, job: Option<&str>) -> bool {
        let fits = |up: &&Selector| {
            job.is_none_or(|job| {
                let of_job = |m: &&crate::query::matcher::Matcher| m.name == "job";
                up.matchers.iter().filter(of_job).all(|m| m.matches(job))
            })
        };
        self.guarded.contains(metric) || self.up.iter().any(fits)
    }
}

/// Says whether a function gives a value where there are no series.
pub(super) fn is_absent(function: &str) -> bool {
    matches!(function, "absent" | "absent_over_time")
}

/// [`Expr::visit`] with the lifetime of the tree.
pub(super) fn visit<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    for child in children(expr) {
        visit(child, see);
    }
}

/// Returns the expressions right below one.
pub(super) fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Number(_) | Expr::Text(_) | Expr::Selector(_) | Expr::Range { .. } => Vec::new(),
        Expr::Subquery(subquery) => vec![&subquery.expr],
        Expr::Negate(inner) | Expr::Paren(inner) => vec![inner],
        Expr::Binary(binary) => vec![&binary.left, &binary.right],
        Expr::Aggregate(aggregate) => aggregate
            .parameter
            .iter()
            .chain([&aggregate.expr])
            .collect(),
        Expr::Call(call) => call.args.iter().collect(),
    }
}
