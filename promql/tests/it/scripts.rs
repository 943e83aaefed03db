//! The scripts under `tests/scripts`, one topic each.

use std::path::Path;

use promql::script::{self, Settings};

#[test]
fn every_script_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "test")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 10, "the scripts are there");
    let mut passed = 0;
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let settings = Settings {
            experimental: name.starts_with("experimental"),
            delayed_name_removal: name.starts_with("delayed"),
            ..Settings::default()
        };
        let text = std::fs::read_to_string(&file).unwrap();
        let report = script::run(&text, settings).unwrap_or_else(|e| panic!("{name}: {e}"));
        passed += report.passed;
        assert_eq!(report.skipped_count(), 0, "{name} skips something");
        for failure in report.failures {
            wrong.push(format!(
                "{name}:{}: {}\n  expected: {}\n  got: {}",
                failure.line, failure.expression, failure.expected, failure.got
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{passed} evaluations");
}
