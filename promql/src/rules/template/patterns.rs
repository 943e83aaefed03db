//! The regular expressions of templates, compiled once for many expansions, and what they cost.
//!
//! A rule expands its templates for every element at every evaluation, always with the same few
//! patterns. What is remembered never shows: a pattern costs an expansion the same work whether it
//! is known or not, so that a template fails always or never.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use regex::Regex;

use crate::query::sized_regex;

/// Most patterns that are remembered, the latest used.
const REMEMBERED: usize = 8;
/// Longest pattern that is remembered.
const MAX_REMEMBERED_BYTES: usize = 4_096;

/// Sizes of a compiled pattern and the work, in bytes of text, that it is to match one byte. An
/// engine that keeps its promise of linear time still visits every state at every byte.
const WORK: [(usize, usize); 3] = [(1 << 14, 8), (1 << 16, 128), (1 << 18, 512)];
const LIMITS: [usize; 3] = [WORK[0].0, WORK[1].0, WORK[2].0];
/// The work of patterns beyond all these sizes.
const MOST_WORK: usize = 2_048;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// Bytes that it takes at most, compiled.
    size: usize,
}

impl Pattern {
    fn compile(text: &str) -> Result<Self, String> {
        match sized_regex(text, &LIMITS) {
            Ok((regex, size)) => Ok(Self { regex, size }),
            Err(error) => Err(format!("error parsing regexp: {error}")),
        }
    }

    /// Returns the work of compiling it, in bytes of text.
    pub(super) fn work(&self) -> usize {
        self.size
    }

    /// Returns the work of matching a text, in bytes of text.
    pub(super) fn work_on(&self, text: &str) -> usize {
        let class = WORK.iter().find(|(size, _)| *size >= self.size);
        let per_byte = class.map_or(MOST_WORK, |(_, work)| *work);
        text.len().saturating_mul(per_byte)
    }
}

/// The patterns that the templates of a rule used last.
#[derive(Debug, Default)]
pub(crate) struct Patterns(Mutex<VecDeque<(String, Result<Pattern, String>)>>);

impl Patterns {
    /// Compiles a pattern unless it is known.
    pub(super) fn get(&self, text: &str) -> Result<Pattern, String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().position(|(other, _)| other == text);
        let entry = match found.and_then(|index| known.remove(index)) {
            Some(entry) => entry,
            None => (text.to_owned(), Pattern::compile(text)),
        };
        let pattern = entry.1.clone();
        if text.len() <= MAX_REMEMBERED_BYTES {
            known.push_front(entry);
            known.truncate(REMEMBERED);
        }
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(patterns: &Patterns) -> Vec<String> {
        let known = patterns.0.lock().unwrap();
        known.iter().map(|(text, _)| text.clone()).collect()
    }

    #[test]
    fn the_latest_patterns_are_remembered_failures_too() {
        let patterns = Patterns::default();
        for text in ["a", "b", "(", "a"] {
            assert_eq!(patterns.get(text).is_ok(), text != "(");
        }
        assert_eq!(known(&patterns), ["a", "(", "b"]);
        for number in 0..100 {
            patterns.get(&format!("x{number}")).unwrap();
        }
        assert_eq!(known(&patterns).len(), REMEMBERED);
        assert_eq!(known(&patterns)[0], "x99");
        patterns.get(&"y".repeat(MAX_REMEMBERED_BYTES + 1)).unwrap();
        assert_eq!(known(&patterns)[0], "x99");
    }

    #[test]
    fn large_patterns_cost_more() {
        let work = |text| {
            let pattern = Pattern::compile(text).unwrap();
            (pattern.work(), pattern.work_on("0123456789"))
        };
        assert_eq!(work(r"(.*):\d+"), (1 << 14, 80));
        assert_eq!(work("(a?b?c?){300}"), (1 << 18, 5_120));
        assert!(Pattern::compile(r"\pL{999}").is_err());
    }
}
