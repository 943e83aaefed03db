//! `obs-tui session`: everything up, customers of four kinds, everything down, and a summary.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A session whose logs go to `folder`.
fn session(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_obs-tui"));
    command
        .arg("session")
        .args(args)
        .env("XDG_STATE_HOME", folder)
        .env_remove("DURATION")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{stdout}\n-- stderr:\n{stderr}")
}

/// Says whether the session left its own files behind.
fn leaves(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("obs-tui")).unwrap().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("session-"))
        .collect()
}

#[test]
fn a_session_serves_four_kinds_of_customers_and_sums_up() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.txt");
    let mut command = session(folder.path(), &["--rate=20", "--json", "--report"]);
    let output = command.arg(&report).env("DURATION", "8").output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("healthy: the session begins"), "{said}");
    assert!(
        said.contains("00:08  QPS") || said.contains("/ 00:08"),
        "{said}"
    );
    assert!(
        !said.contains('\u{1b}'),
        "nothing is drawn without a terminal: {said}"
    );

    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["verdict"], "met", "{said}");
    assert_eq!(document["interrupted"], false, "{said}");
    assert_eq!(document["alerts"], serde_json::json!([]), "{said}");
    let lasted = document["lasted_seconds"].as_f64().unwrap();
    assert!((8.0..12.0).contains(&lasted), "{said}");
    for kind in ["browsers", "abandoners", "buyers", "admins"] {
        let tally = &document["traffic"]["kinds"][kind];
        assert!(tally["sent"].as_u64().unwrap() >= 20, "{kind}: {said}");
        assert_eq!(tally["failed"], 0, "{kind}: {said}");
    }
    let text = std::fs::read_to_string(report).unwrap();
    assert!(
        text.contains("objectives: met") && text.contains("buyers"),
        "{text}"
    );
    assert_eq!(leaves(folder.path()), Vec::<String>::new());
}

#[test]
fn an_interrupted_session_drains_and_still_sums_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = session(folder.path(), &["--duration=10m"]).spawn().unwrap();
    // The stream ends with the process, so this waits no longer than the session lives.
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut heard = String::new();
    while !heard.contains("the session begins") {
        let read = std::io::BufRead::read_line(&mut stderr, &mut heard).unwrap();
        assert!(read > 0, "it ended before it began: {heard}");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    std::io::Read::read_to_string(&mut stderr, &mut heard).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(5), "{said}{heard}");
    assert!(
        heard.contains("stopping: customers finish their visits"),
        "{heard}"
    );
    assert!(
        said.contains(", interrupted") && said.contains("objectives:"),
        "{said}"
    );
    assert!(said.contains("browsers"), "the traffic was drained: {said}");
}

#[test]
fn a_lab_that_does_not_get_healthy_is_an_environment_that_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody is served within a millisecond.
    let output = session(folder.path(), &["--duration=5s", "--healthy-within=1ms"])
        .output()
        .unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("not healthy within 1ms"), "{said}");
}

#[test]
fn a_wrong_duration_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = session(folder.path(), &[]);
    let output = command.env("DURATION", "soon").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
