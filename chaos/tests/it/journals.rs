//! The journal is readable after a crash, and reports are functions of it.

use std::collections::BTreeMap;
use std::io::Write;

use chaos::event::{Event, EventKind};
use chaos::journal::{self, JournalError, Writer};
use chaos::report::{self, Style};

use crate::paths::PLAYBOOK;
use crate::world::{Script, run};

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("runs/one.jsonl");
    let events = run(PLAYBOOK, Script::default()).events;
    let mut writer = Writer::create(&path).expect("created");
    for (count, event) in events.iter().enumerate() {
        writer.append(event).expect("written");
        // As another process sees it, at every moment.
        let read = journal::read(&path).expect("read");
        assert_eq!(read.events.len(), count + 1);
        assert!(!read.torn);
    }
    assert_eq!(journal::read(&path).expect("read").events, events);
    assert!(
        Writer::create(&path).is_err(),
        "evidence must not be overwritten"
    );
}

#[test]
fn a_torn_line_is_left_out_and_said() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("torn.jsonl");
    let events = run(PLAYBOOK, Script::default()).events;
    let mut bytes = Vec::new();
    for event in &events[..10] {
        serde_json::to_writer(&mut bytes, event).expect("json");
        bytes.push(b'\n');
    }
    for cut in (0..bytes.len()).step_by(7) {
        std::fs::write(&path, &bytes[..cut]).expect("written");
        let read = journal::read(&path).unwrap_or_else(|e| panic!("cut at {cut}: {e}"));
        assert_eq!(read.torn, cut > 0 && bytes[cut - 1] != b'\n');
        assert_eq!(read.events, events[..read.events.len()]);
        // A report can be made of any of them.
        let text = report::text(&read.events, Style::Plain);
        assert!(text.contains("no verdict"), "{text}");
        assert!(report::json(&read.events)["status"].is_null());
    }
}

#[test]
fn damage_and_other_versions_are_told() {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        let mut file = std::fs::File::create(&path).expect("created");
        file.write_all(text.as_bytes()).expect("written");
        journal::read(&path)
    };
    let later = write(
        "later.jsonl",
        "{\"t_ms\":1,\"event\":\"run_started\",\"journal\":9}\n",
    );
    assert!(
        matches!(later, Err(JournalError::Version { found: 9, .. })),
        "{later:?}"
    );
    let damaged = write(
        "damaged.jsonl",
        "{\"t_ms\":1,\"event\":\"note\",\"text\":\"a\"}\nnoise\n",
    );
    assert!(
        matches!(damaged, Err(JournalError::Damaged { line: 2, .. })),
        "{damaged:?}"
    );
    assert!(matches!(
        journal::read("/nowhere/at/all"),
        Err(JournalError::Io { .. })
    ));
}

#[test]
fn reports_of_runs() {
    let worlds = [
        ("pass", Script::default()),
        (
            "no-alert",
            Script {
                fires_after_s: None,
                ..Script::default()
            },
        ),
        (
            "no-effect",
            Script {
                without_effect: true,
                ..Script::default()
            },
        ),
        (
            "target-dies",
            Script {
                target_dies_at_s: Some(10.0),
                ..Script::default()
            },
        ),
        (
            "interrupted",
            Script {
                cancel_at_s: vec![9.0],
                ..Script::default()
            },
        ),
    ];
    for (name, script) in worlds {
        let events = run(PLAYBOOK, script).events;
        let text = report::text(&events, Style::Plain);
        insta::assert_snapshot!(format!("report-{name}"), text);
    }
    let events = run(PLAYBOOK, Script::default()).events;
    let json = serde_json::to_string_pretty(&report::json(&events)).expect("json");
    insta::assert_snapshot!("report-json", json);
}

#[test]
fn nothing_harmful_reaches_a_report() {
    let evil = "\u{1b}]0;title\u{7}\r\u{202e}".to_owned();
    let labels = BTreeMap::from([
        ("alertname".to_owned(), evil.clone()),
        ("summary".to_owned(), evil.clone()),
    ]);
    let kinds = [
        EventKind::Note { text: evil.clone() },
        EventKind::Alert {
            labels,
            state: chaos::event::AlertPhase::Firing,
        },
        EventKind::Aborted {
            name: evil.clone(),
            detail: evil,
        },
    ];
    let events: Vec<Event> = kinds.map(|kind| Event { t_ms: 1, kind }).into();
    let text = report::text(&events, Style::Plain);
    let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(harmful), "{text:?}");
}
