//! Rules that are valid and yet do not do what their author thinks.
//!
//! A lint looks at one rule and knows the others: what a recorded series is made of, what some
//! rule watches over. It speaks only where an expression shows the mistake; what depends on the
//! data is left alone. A comment beside the rule silences it: `# obs-tui: allow ID`.
//!
//! Files in reading order: `world` is what lints know, `labels` says which labels a result can
//! have, `value` what it measures; then one file for each topic, and `allow`.

mod alerts;
mod allow;
mod counters;
mod labels;
mod matchers;
mod matching;
mod ranges;
mod templates;
mod thresholds;
mod value;
mod world;

use crate::query::tokens::Span;
use crate::rules::RuleFile;
use crate::scale::splice::{Lines, Scalar};
use crate::yaml::Place;
use crate::yaml::decode::Spot;
use world::{Subject, World};

/// What lints need to know beyond the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Time between two scrapes.
    pub scrape_interval_ms: i64,
}

/// A rule file and the text that it was parsed from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The text.
    pub text: &'a str,
    /// The rules.
    pub rules: &'a RuleFile,
}

/// What a lint found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Id of the lint.
    pub lint: &'static str,
    /// Number of the file among those given.
    pub file: usize,
    /// Where.
    pub place: Place,
    /// Name of the alert or of the recorded series; empty for what concerns the file.
    pub rule: String,
    /// What is wrong and why.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// A lint, for lists.
#[derive(Debug, Clone, Copy)]
pub struct Lint {
    /// What it is called.
    pub id: &'static str,
    /// What it finds.
    pub finds: &'static str,
    check: fn(&Subject<'_>, &mut Found<'_>),
}

const TOPICS: [&[Lint]; 7] = [
    ranges::LINTS,
    matchers::LINTS,
    thresholds::LINTS,
    counters::LINTS,
    matching::LINTS,
    templates::LINTS,
    alerts::LINTS,
];

/// Returns all lints.
pub fn lints() -> impl Iterator<Item = &'static Lint> {
    TOPICS.into_iter().flatten()
}

/// Looks at all rules of all files; returns what is found in the order of the files.
pub fn check(sources: &[Source<'_>], settings: Settings) -> Vec<Finding> {
    let world = World::new(sources, settings);
    let mut findings = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        let lines = Lines::new(source.text);
        let allowed = allow::Allowed::new(source);
        let mut of_file = allowed.unknown(file, &|id| lints().any(|lint| lint.id == id));
        for subject in world.subjects(file) {
            for lint in lints() {
                let mut found = Found {
                    lint: lint.id,
                    file,
                    source,
                    lines: &lines,
                    subject: &subject,
                    findings: Vec::new(),
                };
                (lint.check)(&subject, &mut found);
                if !allowed.is_allowed(subject.number, lint.id) {
                    of_file.append(&mut found.findings);
                }
            }
        }
        of_file.sort_by(|a, b| (a.place, a.lint).cmp(&(b.place, b.lint)));
        // Two parts of an expression may make the same mistake at the same place.
        of_file.dedup();
        findings.append(&mut of_file);
    }
    findings
}

/// Where a finding stands in its rule.
#[derive(Clone, Copy)]
enum At<'a> {
    /// The name of the rule.
    Name,
    /// A part of the expression.
    Expr(&'a Span),
    /// The value of a field.
    Field(Spot),
}

/// Takes the findings of one lint on one rule.
struct Found<'f> {
    lint: &'static str,
    file: usize,
    source: &'f Source<'f>,
    lines: &'f Lines<'f>,
    subject: &'f Subject<'f>,
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn at(&mut self, at: At<'_>, message: impl Into<String>, remedy: impl Into<String>) {
        let rule = self.subject.rule;
        let place = match at {
            At::Name => rule.spots.name.place,
            At::Field(spot) => spot.place,
            At::Expr(span) => self.in_expression(span),
        };
        self.findings.push(Finding {
            lint: self.lint,
            file: self.file,
            place,
            rule: rule.name.clone(),
            message: message.into(),
            remedy: remedy.into(),
        });
    }

    fn in_expression(&self, span: &Span) -> Place {
        let spot = self.subject.rule.spots.expr;
        Scalar::new(self.source.text, spot.span, self.subject.rule.expr.text())
            .and_then(|scalar| scalar.place(self.lines, span))
            .unwrap_or(spot.place)
    }
}
