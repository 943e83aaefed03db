//! A test script, and the series notation that its lines are written in.

use std::fmt::Write as _;

use promql::Profile;
use promql::script::{self, Settings, series};

/// Runs the text as a script and reads each of its lines as a series.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let settings = Settings {
        profile: match text.len() % 4 {
            0 => Profile::V2_42,
            1 => Profile::V2_53,
            _ => Profile::V3_5,
        },
        experimental: text.len() % 2 == 0,
        delayed_name_removal: text.len() % 3 == 0,
    };
    let _ = script::run(text, settings);
    for line in text.lines().take(8) {
        read_and_print(line);
    }
}

/// What is read, written out sample by sample, reads back as the same.
fn read_and_print(line: &str) {
    let Ok(notation) = series::parse(line) else {
        return;
    };
    if notation.samples.len() > 1_000 {
        return;
    }
    let mut printed = String::from("{");
    for (name, value) in notation.labels.iter() {
        let _ = write!(printed, "{}={},", quoted(name), quoted(value));
    }
    printed.push('}');
    for sample in &notation.samples {
        let _ = match sample {
            None => write!(printed, " _"),
            Some(value) if promql::value::is_stale(*value) => write!(printed, " stale"),
            Some(value) => write!(printed, " {value:?}"),
        };
    }
    let again = series::parse(&printed)
        .unwrap_or_else(|error| panic!("{line:?} prints as {printed:?}: {error}"));
    assert_eq!(again.labels, notation.labels, "{line:?} as {printed:?}");
    let bits = |samples: &[Option<f64>]| -> Vec<Option<u64>> {
        samples
            .iter()
            .map(|sample| sample.map(|value| if value.is_nan() { 1 } else { value.to_bits() }))
            .collect()
    };
    assert_eq!(bits(&again.samples), bits(&notation.samples), "{line:?}");
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n").replace('\r', "\\r"))
}
