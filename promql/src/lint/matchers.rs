//! Matchers that match something else than they seem to.

use regex::Regex;

use super::world::Subject;
use super::{At, Found, Lint};
use crate::query::Located;
use crate::query::ast::{Expr, Selector};
use crate::query::matcher::Matcher;

pub(super) const LINTS: &[Lint] = &[
    Lint {
        id: "integer-bucket",
        finds: "`le=\"1\"` or `quantile=\"1\"`, which Prometheus 3 stores as `1.0`",
        check: integer_bucket,
    },
    Lint {
        id: "plain-regex",
        finds: "a regular expression that is plain text",
        check: plain_regex,
    },
    Lint {
        id: "regex-matches-all",
        finds: "a regular expression that every value matches, and the missing label too",
        check: regex_matches_all,
    },
];

fn each(subject: &Subject<'_>, see: &mut dyn FnMut(&Located<'_>, &Selector, &Matcher)) {
    subject.visit(&mut |node| {
        if let Expr::Selector(selector) | Expr::Range { selector, .. } = node.expr {
            for matcher in &selector.matchers {
                see(node, selector, matcher);
            }
        }
    });
}

fn is_regex(matcher: &Matcher) -> bool {
    matches!(matcher.operator(), "=~" | "!~")
}

fn is_integer(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn integer_bucket(subject: &Subject<'_>, found: &mut Found<'_>) {
    each(subject, &mut |node, _, matcher| {
        if !matches!(matcher.name.as_str(), "le" | "quantile") {
            return;
        }
        let alternatives = if is_regex(matcher) {
            matcher
                .value
                .trim_matches(['(', ')', '^', '$'])
                .split('|')
                .collect()
        } else {
            vec![matcher.value.as_str()]
        };
        let negative = matcher.operator().starts_with('!');
        for number in alternatives.into_iter().filter(|text| is_integer(text)) {
            let written = matcher.matches(number) != negative;
            let stored = matcher.matches(&format!("{number}.0")) != negative;
            if written && !stored {
                found.at(
                    At::Expr(&node.matcher(&matcher.name)),
                    format!(
                        "Prometheus 3 stores the value as `{number}.0`, so `{number}` is no series' {} there",
                        matcher.name
                    ),
                    format!(
                        "write {}{}~\"{number}|{number}[.]0\", which holds for both",
                        matcher.name,
                        if negative { "!" } else { "=" }
                    ),
                );
            }
        }
    });
}

fn plain_regex(subject: &Subject<'_>, found: &mut Found<'_>) {
    each(subject, &mut |node, _, matcher| {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | ' ' | '@');
        if is_regex(matcher) && !matcher.value.is_empty() && matcher.value.chars().all(plain) {
            let operator = if matcher.operator() == "=~" {
                "="
            } else {
                "!="
            };
            found.at(
                At::Expr(&node.matcher(&matcher.name)),
                format!(
                    "`{}` is plain text: as a regular expression it must match the whole value, so it is no search either",
                    matcher.value
                ),
                format!(
                    "write {}{operator}\"{}\", or `.*{}.*` to search",
                    matcher.name, matcher.value, matcher.value
                ),
            );
        }
    });
}

fn regex_matches_all(subject: &Subject<'_>, found: &mut Found<'_>) {
    // A value that nobody would list; what matches it and nothing at all has no bounds.
    const UNLIKELY: &str = "\u{1}unlikely\u{2}";
    each(subject, &mut |node, _, matcher| {
        let matches = |value: &str| matcher.matches(value) == (matcher.operator() == "=~");
        if !is_regex(matcher) || !matches("") || !matches(UNLIKELY) {
            return;
        }
        // `.*` alone is a habit of dashboards and harmless; between others it undoes them.
        let alternative = matcher.value.contains('|') && Regex::new(&matcher.value).is_ok();
        let (message, remedy) = match (matcher.operator(), alternative) {
            ("!~", _) => (
                "it excludes every value, and the missing label too: the selector is empty for ever",
                "name what shall be excluded",
            ),
            (_, true) => (
                "one alternative matches everything, so the others say nothing",
                "drop the alternative that matches everything",
            ),
            (_, false) => (
                "it matches every value, and series without the label too",
                "drop the matcher, or write `.+` if the label must be there",
            ),
        };
        found.at(At::Expr(&node.matcher(&matcher.name)), message, remedy);
    });
}
