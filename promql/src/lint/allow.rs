//! Comments that silence lints: `# obs-tui: allow ID` beside a rule, or above the groups for the
//! whole file.
//!
//! A comment belongs to the rule in whose lines it stands; lines of comment right above a rule
//! belong to that rule.

use super::{Finding, Source};
use crate::yaml::Place;

const MARK: &str = "obs-tui: allow ";

/// What is allowed in one file.
pub(super) struct Allowed {
    entries: Vec<Entry>,
}

struct Entry {
    id: String,
    place: Place,
    /// Number of the rule; none is the whole file.
    rule: Option<usize>,
}

impl Allowed {
    pub(super) fn new(source: &Source<'_>) -> Self {
        let starts = starts(source);
        let mut entries = Vec::new();
        for (at, line) in source.text.lines().enumerate() {
            let Some((before, ids)) = line.split_once(MARK) else {
                continue;
            };
            if !before.trim_end().ends_with('#') {
                continue;
            }
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            let column = u32::try_from(before.chars().count() + MARK.len() + 1);
            let behind = starts.partition_point(|start| *start <= number);
            for id in ids.split([',', ' ']).filter(|id| !id.is_empty()) {
                entries.push(Entry {
                    id: id.to_owned(),
                    place: Place {
                        line: number,
                        column: column.unwrap_or(u32::MAX),
                    },
                    rule: behind.checked_sub(1),
                });
            }
        }
        Self { entries }
    }

    pub(super) fn is_allowed(&self, rule: usize, id: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.id == id && entry.rule.is_none_or(|of| of == rule))
    }

    /// Finds comments that name no lint.
    pub(super) fn unknown(&self, file: usize, is_known: &dyn Fn(&str) -> bool) -> Vec<Finding> {
        self.entries
            .iter()
            .filter(|entry| !is_known(&entry.id))
            .map(|entry| Finding {
                lint: "unknown-lint",
                file,
                place: entry.place,
                rule: String::new(),
                message: format!("there is no lint `{}` that could be allowed", entry.id),
                remedy: "obs-tui rules check --list prints all lints".to_owned(),
            })
            .collect()
    }
}

/// Returns the first line of every rule, comments above it included, in the order of the file.
fn starts(source: &Source<'_>) -> Vec<u32> {
    let lines: Vec<&str> = source.text.lines().collect();
    let is_comment = |line: u32| {
        let index = usize::try_from(line).unwrap_or(usize::MAX).wrapping_sub(1);
        lines
            .get(index)
            .is_some_and(|line| line.trim_start().starts_with('#'))
    };
    let rules = source.rules.groups.iter().flat_map(|group| &group.rules);
    rules
        .map(|rule| {
            let mut start = rule.place.line;
            while start > 1 && is_comment(start - 1) {
                start -= 1;
            }
            start
        })
        .collect()
}
