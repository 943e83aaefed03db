//! Which rule files are valid: shipped ones, tested ones, and random damage to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use promql::lint::{Settings, Source, check};
use promql::rules::{Rule, RuleFile, RuleType};

use super::ask::Promtool;

/// Damaged copies of each file.
const COPIES: usize = 12;

/// A small generator: the same damage on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// Words and what a slip makes of them.
const SLIPS: [(&str, &str); 24] = [
    ("rate(", "raet("),
    ("sum ", "sun "),
    (" by ", " bye "),
    ("[5m]", "[5]"),
    ("[5m]", ""),
    ("[1h]", "[60]"),
    ("expr:", "exp:"),
    ("for:", "fro:"),
    ("alert:", "record:"),
    ("record:", "alert:"),
    ("for: ", "for: -"),
    ("for: 1m", "for: 1 m"),
    ("for: 1m", "for: 60"),
    ("interval: ", "interval: 0x"),
    ("name:", "nmae:"),
    ("{{", "{"),
    ("}}", "}"),
    ("$labels", "$label"),
    ("humanizePercentage", "humanisePercentage"),
    ("severity", "sever-ity"),
    ("=~\"", "=~\"("),
    ("summary", "__name__"),
    (")", ""),
    (" > ", " >> "),
];

/// Damages a text in one place.
fn damaged(text: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let line = dice.roll(lines.len());
    let other = dice.roll(lines.len());
    match dice.roll(6) {
        0 => {
            lines.remove(line);
        }
        1 => lines.insert(line, lines[line]),
        2 => lines.swap(line, other),
        3 => {
            let mut chars: Vec<char> = text.chars().collect();
            let at = dice.roll(chars.len());
            let new = [' ', ':', '"', '\'', '-', '{', ']', '#', 'x', '\n'];
            chars[at] = new[dice.roll(new.len())];
            return chars.into_iter().collect();
        }
        _ => {
            let fits: Vec<_> = SLIPS
                .iter()
                .filter(|(word, _)| text.contains(word))
                .collect();
            let Some((word, slip)) = fits.get(dice.roll(fits.len())) else {
                return text.to_owned();
            };
            let places: Vec<usize> = text.match_indices(word).map(|(at, _)| at).collect();
            let at = places[dice.roll(places.len())];
            return format!("{}{slip}{}", &text[..at], &text[at + word.len()..]);
        }
    }
    lines.join("\n") + "\n"
}

fn originals() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["../rules", "tests/it/lint", "tests/it/rules"] {
        let found = fs::read_dir(root.join(folder)).unwrap();
        files.extend(found.map(|entry| entry.unwrap().path()));
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    files
}

/// Asks promtool about all files at once: one is fine if its name is followed by a success.
fn accepted(program: &Path, lint: &str, files: &[PathBuf]) -> Vec<bool> {
    let output = Command::new(program)
        .args(["check", "rules", lint])
        .args(files)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let reports: Vec<&str> = text.split("Checking ").skip(1).collect();
    assert_eq!(reports.len(), files.len(), "{text}");
    reports
        .iter()
        .map(|report| report.contains("SUCCESS"))
        .collect()
}

/// A server and promtool read the first document of a file and say nothing of others; here they
/// are an error.
fn has_documents(problems: &str) -> bool {
    problems.contains("document")
}

/// promtool takes an alert and a recorded series of one name for duplicates. Neither hides the
/// other.
fn shares_names(rules: &RuleFile) -> bool {
    let all: Vec<_> = rules.groups.iter().flat_map(|group| &group.rules).collect();
    let is_recorded = |rule: &Rule| matches!(rule.kind, RuleType::Recording);
    all.iter().any(|rule| {
        all.iter()
            .any(|other| other.name == rule.name && is_recorded(other) != is_recorded(rule))
    })
}

fn has_duplicates(text: &str, rules: &RuleFile) -> bool {
    let scrape_interval_ms = 15_000;
    check(&[Source { text, rules }], Settings { scrape_interval_ms })
        .iter()
        .any(|finding| finding.lint == "duplicate-rule")
}

#[test]
fn the_same_rule_files_are_valid_and_have_duplicates() {
    let name = "the_same_rule_files_are_valid_and_have_duplicates";
    let Some(promtool) = Promtool::find(name) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut texts = Vec::new();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for path in originals() {
        let text = fs::read_to_string(path).unwrap();
        texts.extend((0..COPIES).map(|_| damaged(&text, &mut dice)));
        texts.push(text);
    }
    let mut files = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let path = folder.path().join(format!("{number}.yml"));
        fs::write(&path, text).unwrap();
        files.push(path);
    }
    let valid = accepted(promtool.program(), "--lint=none", &files);
    let unique = accepted(promtool.program(), "--lint=duplicate-rules", &files);
    let mut differences = Vec::new();
    let mut excused = 0;
    for ((text, valid), unique) in texts.iter().zip(&valid).zip(&unique) {
        let ours = RuleFile::parse(text);
        let is_unique = ours
            .as_ref()
            .is_ok_and(|rules| !has_duplicates(text, rules));
        let said = ours
            .as_ref()
            .map_or_else(|problems| format!("{problems:?}"), |_| String::new());
        let is_excused = match &ours {
            Ok(rules) => *valid && is_unique != *unique && shares_names(rules),
            Err(_) => *valid && has_documents(&said),
        };
        if is_excused {
            excused += 1;
        } else if ours.is_ok() != *valid || is_unique != *unique {
            differences.push(format!(
                "promtool: valid {valid}, unique {unique}; here: unique {is_unique} {said}\n{text}"
            ));
        }
    }
    let count = valid.iter().filter(|valid| **valid).count();
    println!(
        "{count} of {} files are valid, {excused} excused",
        texts.len()
    );
    assert!(count > 60 && texts.len() - count > 60);
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences.join("\n----\n")
    );
}
