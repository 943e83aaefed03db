//! The rule files that a test file names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use promql::Dialect;
use promql::rules::RuleFile;
use promql::unit_test::TestFile;

use super::super::diagnostic::Diagnostic;
use super::super::input::{self, Input};
use super::diagnostics;
use crate::output;

/// Reads the rule files of a test file, each once. Patterns are relative to the test file; one that
/// matches nothing is told and otherwise ignored, as promtool does.
pub(super) fn load(
    path: &Path,
    test_file: &Input,
    file: &TestFile,
    dialect: Dialect,
) -> Result<Vec<RuleFile>, Vec<String>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut seen = BTreeSet::new();
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for (place, pattern) in &file.rule_files {
        let say = |kind, message: &str, help| {
            Diagnostic {
                file: &test_file.name,
                text: &test_file.text,
                place: *place,
                kind,
                message,
                help,
            }
            .to_string()
        };
        let found = match matching(folder, pattern) {
            Ok(found) => found,
            Err(message) => {
                problems.push(say("error", &message, None));
                continue;
            }
        };
        if found.is_empty() {
            output::progress(&say(
                "warning",
                &format!("no file matches `{pattern}`"),
                Some("paths are relative to the test file"),
            ));
        }
        for path in found {
            if !seen.insert(path.clone()) {
                continue;
            }
            match one(&path, dialect) {
                Ok(file) => rules.push(file),
                Err(messages) => problems.extend(messages),
            }
        }
    }
    if problems.is_empty() {
        Ok(rules)
    } else {
        Err(problems)
    }
}

fn one(path: &Path, dialect: Dialect) -> Result<RuleFile, Vec<String>> {
    let input = input::read(path).map_err(|message| vec![message])?;
    RuleFile::parse_as(&input.text, dialect).map_err(|problems| diagnostics(&input, &problems))
}

/// Returns the files that a pattern matches, sorted.
fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    // The folder is a path, not a pattern, whatever characters are in its name.
    let pattern = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        let folder = glob::Pattern::escape(&folder.to_string_lossy());
        Path::new(&folder)
            .join(pattern)
            .to_string_lossy()
            .into_owned()
    };
    let paths = glob::glob(&pattern).map_err(|error| format!("`{pattern}`: {error}"))?;
    paths
        .map(|path| path.map_err(|error| error.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_relative_to_the_test_file() {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("[odd] name");
        std::fs::create_dir_all(rules.join("tests")).unwrap();
        for name in ["b.yml", "a.yml", "c.yaml"] {
            std::fs::write(rules.join(name), "groups: []").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = matching(&rules.join("tests"), pattern).unwrap();
            found
                .iter()
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect()
        };
        assert_eq!(names("../*.yml"), ["a.yml", "b.yml"]);
        assert_eq!(names("../c.yaml"), ["c.yaml"]);
        assert_eq!(names("*.yml"), [""; 0]);
        assert!(matching(&rules, "[").is_err());
    }
}
