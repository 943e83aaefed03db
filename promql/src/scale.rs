//! Rule files with their time divided: a production file becomes one for an exercise of minutes.
//!
//! Divided are ranges, `for`, `keep_firing_for`, offsets, subquery steps, group intervals, the
//! horizon of `predict_linear`, and the numbers that counts over a window are compared with. Only
//! those scalars change; every other byte stays: comments, order, quotes.
//!
//! Invariant: what comes out parses to the tree that went in with exactly the planned numbers
//! changed. A scalar for which that cannot be shown stays as it was and is reported.
//!
//! Files in reading order: `expression` plans the changes of one expression, `proportion` knows
//! how a value grows with the windows it is taken from, `splice` finds the bytes of a scalar.

pub(crate) mod constant;
mod expression;
mod proportion;
pub(crate) mod splice;

use crate::duration::{format_ms, parse_ms};
use crate::query::Query;
use crate::rules::RuleFile;
use crate::yaml::decode::Problem;
use crate::yaml::{self, Node, Place, Yaml};
use proportion::Recorded;
use splice::{Lines, Scalar};

/// How time is divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// By how much; greater than 0.
    pub by: f64,
    /// Time between two scrapes where the result is used. No range becomes shorter than four of
    /// them, no step and no group interval shorter than one.
    pub scrape_interval_ms: i64,
    /// Time between two scrapes where the file comes from; it says how many samples a window had.
    pub original_scrape_interval_ms: i64,
}

/// A scaled file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaled {
    /// The text of the file.
    pub text: String,
    /// How many durations and numbers were changed.
    pub changed: usize,
    /// What did not become what the division gives, in the order of the file.
    pub notes: Vec<Note>,
}

/// Something that did not become what the division gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where in the original file.
    pub place: Place,
    /// The path of the scalar, such as `groups[0].rules[2].expr`.
    pub path: String,
    /// What became of it and why.
    pub message: String,
}

/// The shortest range, in scrapes: a rate needs two samples even when one scrape is lost and the
/// window lies badly.
const LEAST_RANGE_SCRAPES: i64 = 4;

impl Scale {
    fn divided(&self, duration_ms: i64) -> i64 {
        let divided = (duration_ms as f64 / self.by).round() as i64;
        divided.max(i64::from(duration_ms > 0))
    }

    /// Divides, but not below `least_ms` unless it was shorter before.
    fn floored(&self, duration_ms: i64, least_ms: i64) -> Divided {
        let exact_ms = self.divided(duration_ms);
        let becomes_ms = exact_ms.max(least_ms.min(duration_ms));
        Divided {
            exact_ms,
            becomes_ms,
        }
    }

    fn range(&self, range_ms: i64) -> Divided {
        self.floored(
            range_ms,
            self.scrape_interval_ms.saturating_mul(LEAST_RANGE_SCRAPES),
        )
    }

    fn interval(&self, interval_ms: i64) -> Divided {
        self.floored(interval_ms, self.scrape_interval_ms)
    }
}

/// What a division gives, and what is taken.
#[derive(Debug, Clone, Copy)]
struct Divided {
    exact_ms: i64,
    becomes_ms: i64,
}

impl Divided {
    fn note(self, before_ms: i64, least: &str) -> Option<String> {
        (self.becomes_ms != self.exact_ms).then(|| {
            format!(
                "{} would become {}; it is {}, {least}",
                format_ms(before_ms),
                format_ms(self.exact_ms),
                format_ms(self.becomes_ms)
            )
        })
    }
}

/// Scales a rule file. The problems are those of [`RuleFile::parse`].
pub fn scale(text: &str, scale: Scale) -> Result<Scaled, Vec<Problem>> {
    RuleFile::parse(text)?;
    // It was parsed a moment ago.
    let Ok(root) = yaml::parse(text) else {
        return Ok(Scaled {
            text: text.to_owned(),
            changed: 0,
            notes: Vec::new(),
        });
    };
    let mut plan = Plan::new(text, scale);
    plan.file(&root);
    Ok(plan.carry_out(&root))
}

/// What is going to change.
struct Plan<'t> {
    text: &'t str,
    lines: Lines<'t>,
    scale: Scale,
    recorded: Recorded,
    changes: Vec<Change>,
    notes: Vec<Note>,
}

/// A scalar that gets a new value.
struct Change {
    path: Path,
    place: Place,
    value: String,
    edits: Vec<splice::Edit>,
}

/// Where a scalar stands in the tree: group, rule (none for a field of the group), field.
type Path = (usize, Option<usize>, &'static str);

fn path_text((group, rule, field): Path) -> String {
    match rule {
        Some(rule) => format!("groups[{group}].rules[{rule}].{field}"),
        None => format!("groups[{group}].{field}"),
    }
}

impl<'t> Plan<'t> {
    fn new(text: &'t str, scale: Scale) -> Self {
        Self {
            text,
            lines: Lines::new(text),
            scale,
            recorded: Recorded::default(),
            changes: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn file(&mut self, root: &Node) {
        let scale = self.scale;
        self.recorded = Recorded::of_rules(&recorded_rules(root), &scale);
        for (at, group) in list(root, "groups").iter().enumerate() {
            self.duration(group, (at, None, "interval"), |ms| {
                (scale.interval(ms), "one scrape interval")
            });
            self.duration(group, (at, None, "query_offset"), |ms| {
                (scale.floored(ms, 0), "")
            });
            for (number, rule) in list(group, "rules").iter().enumerate() {
                for field in ["for", "keep_firing_for"] {
                    self.duration(rule, (at, Some(number), field), |ms| {
                        (scale.floored(ms, 0), "")
                    });
                }
                self.expression(rule, (at, Some(number), "expr"));
            }
        }
    }

    fn duration(
        &mut self,
        parent: &Node,
        path: Path,
        divide: impl Fn(i64) -> (Divided, &'static str),
    ) {
        let Some((node, text)) = field(parent, path.2) else {
            return;
        };
        let Ok(before_ms) = parse_ms(text) else {
            return;
        };
        let (divided, least) = divide(before_ms);
        if let Some(message) = divided.note(before_ms, least) {
            self.note(node.place, path, message);
        }
        if divided.becomes_ms != before_ms {
            let value = format_ms(divided.becomes_ms);
            let edit = (0..text.len(), value.clone());
            self.change(node, path, text, value, &[edit]);
        }
    }

    fn expression(&mut self, rule: &Node, path: Path) {
        let Some((node, text)) = field(rule, path.2) else {
            return;
        };
        let Ok(query) = Query::parse(text) else {
            return;
        };
        let planned = expression::plan(text, &query, &self.scale, &self.recorded);
        let scalar = Scalar::new(self.text, node.span, text);
        for note in planned.notes {
            let place = scalar
                .as_ref()
                .and_then(|scalar| scalar.place(&self.lines, &note.span))
                .unwrap_or(node.place);
            self.note(place, path, note.message);
        }
        if !planned.edits.is_empty() {
            self.change(node, path, text, planned.text, &planned.edits);
        }
    }

    /// Plans a new value for a scalar, whose text changes by `edits`.
    fn change(
        &mut self,
        node: &Node,
        path: Path,
        text: &str,
        value: String,
        edits: &[splice::Edit],
    ) {
        let scalar = Scalar::new(self.text, node.span, text);
        // An alias has no text of its own: it follows what it stands for.
        let is_alias = node.span.is_none();
        let found = scalar.and_then(|scalar| scalar.edits(edits));
        match found {
            None if !is_alias => self.note(
                node.place,
                path,
                "it cannot be scaled: its text could not be found; change it by hand",
            ),
            found => self.changes.push(Change {
                path,
                place: node.place,
                value,
                edits: found.unwrap_or_default(),
            }),
        }
    }

    fn note(&mut self, place: Place, path: Path, message: impl Into<String>) {
        self.notes.push(Note {
            place,
            path: path_text(path),
            message: message.into(),
        });
    }

    /// Applies the plan and proves the result; changes that cannot be proved are left out.
    fn carry_out(mut self, root: &Node) -> Scaled {
        let mut changes = std::mem::take(&mut self.changes);
        if !self.is_exact(root, &changes) {
            let (kept, refused) = changes
                .into_iter()
                .partition(|change| self.is_exact(root, std::slice::from_ref(change)));
            changes = kept;
            for change in refused {
                self.refuse(&change);
            }
            if !self.is_exact(root, &changes) {
                for change in std::mem::take(&mut changes) {
                    self.refuse(&change);
                }
            }
        }
        self.notes.sort_by_key(|note| note.place);
        Scaled {
            text: self.applied(&changes),
            changed: changes.iter().map(|change| change.edits.len()).sum(),
            notes: self.notes,
        }
    }

    fn refuse(&mut self, change: &Change) {
        self.note(
            change.place,
            change.path,
            format!(
                "it cannot be scaled where it stands; it should become `{}`",
                change.value
            ),
        );
    }

    fn applied(&self, changes: &[Change]) -> String {
        let edits = changes.iter().flat_map(|change| change.edits.clone());
        splice::apply(self.text, edits.collect())
    }

    /// Says whether the changed text reads as the old tree with exactly the new values.
    fn is_exact(&self, root: &Node, changes: &[Change]) -> bool {
        let mut wanted = root.clone();
        for change in changes {
            if let Some(node) = scalar_mut(&mut wanted, change.path) {
                node.value = Yaml::Str(change.value.clone());
            }
        }
        yaml::parse(&self.applied(changes)).is_ok_and(|found| same(&wanted, &found))
    }
}

/// The recording rules of a file.
fn recorded_rules(root: &Node) -> Vec<(&str, Query)> {
    let groups = list(root, "groups").iter();
    let rules = groups.flat_map(|group| list(group, "rules"));
    let recorded = rules.filter_map(|rule| {
        let (_, name) = field(rule, "record")?;
        let (_, text) = field(rule, "expr")?;
        Some((name, Query::parse(text).ok()?))
    });
    recorded.collect()
}

fn list<'n>(node: &'n Node, name: &str) -> &'n [Node] {
    match child(node, name).map(|node| &node.value) {
        Some(Yaml::Seq(items)) => items,
        _ => &[],
    }
}

fn child<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Yaml::Map(entries) = &node.value else {
        return None;
    };
    let (_, child) = entries.iter().find(|(key, _)| key.text == name)?;
    Some(child)
}

/// Returns a field that is text.
fn field<'n>(node: &'n Node, name: &str) -> Option<(&'n Node, &'n str)> {
    let node = child(node, name)?;
    match &node.value {
        Yaml::Str(text) => Some((node, text)),
        _ => None,
    }
}

fn child_mut<'n>(node: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    let Yaml::Map(entries) = &mut node.value else {
        return None;
    };
    let (_, child) = entries.iter_mut().find(|(key, _)| key.text == name)?;
    Some(child)
}

fn item_mut<'n>(node: &'n mut Node, name: &str, at: usize) -> Option<&'n mut Node> {
    match &mut child_mut(node, name)?.value {
        Yaml::Seq(items) => items.get_mut(at),
        _ => None,
    }
}

fn scalar_mut(root: &mut Node, (group, rule, field): Path) -> Option<&mut Node> {
    let group = item_mut(root, "groups", group)?;
    match rule {
        Some(rule) => child_mut(item_mut(group, "rules", rule)?, field),
        None => child_mut(group, field),
    }
}

/// Compares trees without their places. Numbers are compared by their bits, so that NaN is itself.
fn same(a: &Node, b: &Node) -> bool {
    if a.written != b.written {
        return false;
    }
    match (&a.value, &b.value) {
        (Yaml::Seq(a), Yaml::Seq(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Yaml::Map(a), Yaml::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((k, a), (l, b))| k.text == l.text && same(a, b))
        }
        (Yaml::Float(a), Yaml::Float(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}
