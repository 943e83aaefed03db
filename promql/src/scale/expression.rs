//! Plans how one expression is scaled, and proves it.

use super::constant::fold;
use super::proportion::{Proportion, Recorded, proportion};
use super::splice::{Edit, apply};
use super::{Divided, Scale};
use crate::duration::format_ms;
use crate::query::ast::{Binary, Comparison, Expr, Operator};
use crate::query::tokens::Span;
use crate::query::{Located, Query};

/// The plan for an expression.
pub(super) struct Planned {
    /// The scaled expression.
    pub(super) text: String,
    /// What changes in the text.
    pub(super) edits: Vec<Edit>,
    pub(super) notes: Vec<ExpressionNote>,
}

/// Something that did not become what the division gives, at a place of the expression.
pub(super) struct ExpressionNote {
    pub(super) span: Span,
    pub(super) message: String,
}

/// Plans the changes of an expression.
pub(super) fn plan(text: &str, query: &Query, scale: &Scale, recorded: &Recorded) -> Planned {
    let mut work = Work {
        text,
        scale,
        recorded,
        changes: Vec::new(),
        notes: Vec::new(),
    };
    let located = Located::new(text, query.expr());
    if let Some(located) = &located {
        located.visit(&mut |node| work.node(node));
    }
    let edits: Vec<Edit> = work.changes.iter().map(Change::edit).collect();
    let scaled = apply(text, edits.clone());
    let mut planned = Planned {
        text: scaled,
        edits,
        notes: work.notes,
    };
    if located.is_none() || !is_exact(query.expr(), &work.changes, &planned.text) {
        text.clone_into(&mut planned.text);
        planned.edits.clear();
        planned.notes = vec![ExpressionNote {
            span: 0..text.len(),
            message: "the expression cannot be scaled; change it by hand".to_owned(),
        }];
    }
    planned
}

/// A number or duration that changes.
struct Change {
    node: usize,
    span: Span,
    text: String,
    to: To,
}

/// What changes at a node of the tree, and to what.
#[derive(Debug, Clone, Copy)]
enum To {
    Range(i64),
    Step(i64),
    Offset(i64),
    Constant(f64),
}

impl Change {
    fn edit(&self) -> Edit {
        (self.span.clone(), self.text.clone())
    }
}

struct Work<'w> {
    text: &'w str,
    scale: &'w Scale,
    recorded: &'w Recorded,
    changes: Vec<Change>,
    notes: Vec<ExpressionNote>,
}

impl Work<'_> {
    fn node(&mut self, node: &Located<'_>) {
        match node.expr {
            Expr::Selector(selector) => self.offset(node, selector.shift.offset_ms),
            Expr::Range { selector, range_ms } => {
                self.range(node, *range_ms);
                self.offset(node, selector.shift.offset_ms);
            }
            Expr::Subquery(subquery) => {
                self.range(node, subquery.range_ms);
                if let (Some(step_ms), Some(span)) = (subquery.step_ms, &node.step) {
                    let divided = self.scale.interval(step_ms);
                    self.floor(span, step_ms, divided, "one scrape interval");
                    self.duration(node, span, step_ms, divided.becomes_ms, To::Step);
                }
                self.offset(node, subquery.shift.offset_ms);
            }
            Expr::Call(call) if call.function.name == "predict_linear" => self.horizon(node),
            Expr::Binary(binary) => {
                if let Operator::Comparison(comparison) = binary.operator {
                    self.comparison(node, binary, comparison);
                }
            }
            _ => {}
        }
    }

    fn range(&mut self, node: &Located<'_>, range_ms: i64) {
        if let Some(span) = &node.range {
            let divided = self.scale.range(range_ms);
            self.floor(span, range_ms, divided, "four scrape intervals");
            self.duration(node, span, range_ms, divided.becomes_ms, To::Range);
        }
    }

    fn offset(&mut self, node: &Located<'_>, offset_ms: i64) {
        if let Some(span) = &node.offset {
            let size_ms = offset_ms.abs();
            let sign = offset_ms.signum();
            let new_ms = self.scale.divided(size_ms);
            self.duration(node, span, size_ms, new_ms, |ms| To::Offset(ms * sign));
        }
    }

    fn duration(
        &mut self,
        node: &Located<'_>,
        span: &Span,
        before_ms: i64,
        after_ms: i64,
        to: impl Fn(i64) -> To,
    ) {
        if before_ms != after_ms {
            self.changes.push(Change {
                node: node.id,
                span: span.clone(),
                text: format_ms(after_ms),
                to: to(after_ms),
            });
        }
    }

    fn floor(&mut self, span: &Span, before_ms: i64, divided: Divided, least: &str) {
        if let Some(message) = divided.note(before_ms, least) {
            self.note(span, message);
        }
    }

    fn note(&mut self, span: &Span, message: String) {
        let span = span.clone();
        self.notes.push(ExpressionNote { span, message });
    }

    /// The second argument of `predict_linear`, in seconds.
    fn horizon(&mut self, node: &Located<'_>) {
        let Some(horizon) = node.children.get(1) else {
            return;
        };
        match fold(horizon.expr) {
            Some(seconds) => self.constant(horizon, seconds, seconds / self.scale.by),
            None => self.note(
                &horizon.span,
                "the horizon of predict_linear is no number; it stays as it is".to_owned(),
            ),
        }
    }

    /// A comparison of a value that grows with its windows.
    fn comparison(&mut self, node: &Located<'_>, binary: &Binary, comparison: Comparison) {
        let [left, right] = node.children.as_slice() else {
            return;
        };
        let of = |expr: &Expr| proportion(expr, self.scale, self.recorded);
        match (of(&binary.left), of(&binary.right)) {
            (Proportion::Constant, Proportion::Constant) => {}
            (value, Proportion::Constant) => self.threshold(right, value, comparison),
            (Proportion::Constant, value) => self.threshold(left, value, comparison.mirrored()),
            (Proportion::Age, _) | (_, Proportion::Age) => self.note_age(&node.head),
            (Proportion::Times { factor: a, .. }, Proportion::Times { factor: b, .. })
                if (a - b).abs() <= 1e-9 * a.abs() => {}
            _ => self.note(
                &node.head,
                "the two sides shrink unlike; compare them by rates, or change it by hand"
                    .to_owned(),
            ),
        }
    }

    fn note_age(&mut self, span: &Span) {
        self.note(
            span,
            "an age is compared; whether it should shrink depends on what it is the age of, so it \
             stays as it is"
                .to_owned(),
        );
    }

    /// The number that a value is compared with.
    fn threshold(&mut self, node: &Located<'_>, value: Proportion, comparison: Comparison) {
        let Some(before) = fold(node.expr).or_else(|| in_vector(node.expr)) else {
            return;
        };
        match value {
            _ if before == 0.0 => {}
            Proportion::Age => self.note_age(&node.span),
            Proportion::Mixed => self.note(
                &node.span,
                "what is compared shrinks in parts unlike; the number stays as it is".to_owned(),
            ),
            Proportion::Times { factor: 1.0, .. } | Proportion::Constant => {}
            Proportion::Times { .. } if fold(node.expr).is_none() => self.note(
                &node.span,
                "the number is hidden in a function; it stays as it is".to_owned(),
            ),
            Proportion::Times { factor, whole } => {
                let exact = before * factor;
                let after = if whole {
                    whole_threshold(exact, comparison)
                } else {
                    exact
                };
                if whole && after != exact {
                    self.note(
                        &node.span,
                        format!(
                            "{before} would become {}; counts are whole, so it is {after}",
                            rounded(exact)
                        ),
                    );
                }
                self.constant(node, before, after);
            }
        }
    }

    fn constant(&mut self, node: &Located<'_>, before: f64, after: f64) {
        let after = rounded(after);
        if after == before || !after.is_finite() {
            return;
        }
        let written = &self.text[node.span.clone()];
        let is_duration = matches!(node.expr, Expr::Number(_))
            && written.starts_with(|c: char| c.is_ascii_digit())
            && crate::duration::parse_ms(written).is_ok_and(|ms| ms > 0);
        let (text, value) = if is_duration {
            let after_ms = (after * 1000.0).round() as i64;
            (format_ms(after_ms), after_ms as f64 / 1000.0)
        } else {
            (after.to_string(), after)
        };
        self.changes.push(Change {
            node: node.id,
            span: node.span.clone(),
            text,
            to: To::Constant(value),
        });
    }
}

fn in_vector(expr: &Expr) -> Option<f64> {
    match expr.unwrapped() {
        Expr::Call(call) if call.function.name == "vector" => fold(call.args.first()?),
        _ => None,
    }
}

/// A whole number that asks the same of a whole count, and never what every count fulfils.
fn whole_threshold(exact: f64, comparison: Comparison) -> f64 {
    match comparison {
        Comparison::Greater | Comparison::LessOrEqual => exact.floor(),
        Comparison::GreaterOrEqual | Comparison::Less => exact.ceil(),
        Comparison::Equal | Comparison::NotEqual => exact.round().max(1.0),
    }
}

/// Six significant digits: more would pretend.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// Says whether the new text reads as the old tree with exactly the planned changes.
fn is_exact(expr: &Expr, changes: &[Change], text: &str) -> bool {
    let mut wanted = expr.clone();
    apply_to_tree(&mut wanted, &mut 0, changes);
    Query::parse(text).is_ok_and(|found| found.expr().to_string() == wanted.to_string())
}

/// Applies the changes to a tree whose nodes are numbered as [`Expr::visit`] meets them.
fn apply_to_tree(expr: &mut Expr, next: &mut usize, changes: &[Change]) {
    let id = *next;
    let first_below = id + 1;
    *next = first_below;
    each_child(expr, &mut |child| apply_to_tree(child, next, changes));
    for change in changes.iter().filter(|change| change.node == id) {
        match (change.to, &mut *expr) {
            (To::Constant(value), expr) => *expr = Expr::Number(value),
            (To::Range(new_ms), Expr::Range { range_ms, .. }) => *range_ms = new_ms,
            (To::Range(new_ms), Expr::Subquery(subquery)) => subquery.range_ms = new_ms,
            (To::Step(new_ms), Expr::Subquery(subquery)) => subquery.step_ms = Some(new_ms),
            (To::Offset(new_ms), Expr::Selector(selector) | Expr::Range { selector, .. }) => {
                selector.shift.offset_ms = new_ms;
            }
            (To::Offset(new_ms), Expr::Subquery(subquery)) => subquery.shift.offset_ms = new_ms,
            _ => {}
        }
    }
}

fn each_child(expr: &mut Expr, see: &mut dyn FnMut(&mut Expr)) {
    match expr {
        Expr::Number(_) | Expr::Text(_) | Expr::Selector(_) | Expr::Range { .. } => {}
        Expr::Subquery(subquery) => see(&mut subquery.expr),
        Expr::Negate(inner) | Expr::Paren(inner) => see(inner),
        Expr::Binary(binary) => {
            see(&mut binary.left);
            see(&mut binary.right);
        }
        Expr::Aggregate(aggregate) => {
            if let Some(parameter) = &mut aggregate.parameter {
                see(parameter);
            }
            see(&mut aggregate.expr);
        }
        Expr::Call(call) => call.args.iter_mut().for_each(see),
    }
}
