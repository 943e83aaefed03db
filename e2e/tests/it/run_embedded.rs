//! `obs-tui run --embedded` without a terminal: timeline, verdict, exit code, nothing left behind.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::binaries;
use e2e::process::{Process, wait_until};
use serde_json::Value;

/// The bound that the product promises for `payments-503`.
const RUN_LIMIT: Duration = Duration::from_mins(3);
const START_LIMIT: Duration = Duration::from_mins(1);

/// A command whose journals and logs go to `folder`.
fn obs_tui(folder: &Path) -> Command {
    let mut command = Command::new(binaries::obs_tui());
    command.env("XDG_STATE_HOME", folder).stdin(Stdio::null());
    command
}

/// The processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // The name stands in brackets and may hold blanks; the parent is the second field after.
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent_of = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1));
        if parent_of.and_then(|text| text.parse().ok()) == Some(parent) {
            found.push(pid);
        }
    }
    found
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn payments_503_prints_its_timeline_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let output = obs_tui(folder.path())
        .args(["run", "payments-503", "--embedded"])
        .output()
        .unwrap();
    let took = began.elapsed();
    let text = String::from_utf8(output.stdout).unwrap();
    eprintln!("{text}\ntook {took:?}");
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(took < RUN_LIMIT, "took {took:?}");
    let mut rest = text.as_str();
    for word in ["error 503", "pending", "firing", "resolved"] {
        let found = rest.find(word);
        rest = &rest[found.unwrap_or_else(|| panic!("no `{word}` in its place in:\n{text}"))..];
    }
    assert!(!text.contains('\u{1b}'), "no colour without a terminal");
    let runs = folder.path().join("obs-tui").join("runs");
    assert_eq!(std::fs::read_dir(runs).unwrap().count(), 1, "one journal");
}

#[test]
fn json_is_one_document_and_an_interrupted_run_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = obs_tui(folder.path());
    command.args(["run", "payments-503", "--embedded", "--json"]);
    command.args([
        "--report-dir",
        folder.path().join("reports").to_str().unwrap(),
    ]);
    let stdout = folder.path().join("stdout");
    command.stdout(std::fs::File::create(&stdout).unwrap());
    command.stderr(std::fs::File::create(folder.path().join("stderr")).unwrap());
    let mut child = command.spawn().unwrap();
    let journals = folder.path().join("reports");
    wait_until("the fault is armed", START_LIMIT, || {
        journal(&journals).contains("\"fault_armed\"")
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(5), "interrupted");
    let document: Value = serde_json::from_slice(&std::fs::read(&stdout).unwrap()).unwrap();
    assert!(document.is_object(), "{document}");
    let journal = journal(&journals);
    assert!(journal.contains("\"fault_ended\""), "recovered: {journal}");
    assert!(journal.contains("\"interrupted\""), "{journal}");
}

fn journal(folder: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return String::new();
    };
    entries
        .flatten()
        .map(|entry| std::fs::read_to_string(entry.path()).unwrap_or_default())
        .collect()
}

#[test]
fn kill_nine_leaves_no_child_and_the_next_start_is_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    let mut command = obs_tui(folder.path());
    command
        .args(["run", "payments-503", "--embedded", "--report-dir"])
        .arg(&reports);
    let mut run = Process::start(command, &folder.path().join("run.log"));
    wait_until("the fault is armed", START_LIMIT, || {
        journal(&reports).contains("\"fault_armed\"")
    });
    let children = children(run.id());
    assert_eq!(children.len(), 2, "shop and load: {}", run.output());
    run.kill();
    wait_until("both children are gone", Duration::from_secs(2), || {
        !children.iter().any(|pid| is_alive(*pid))
    });

    let output = obs_tui(folder.path())
        .args(["run", "control", "--embedded", "--var", "duration=5s"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "a fresh start is healthy:\n{text}"
    );
}

#[test]
fn a_control_run_of_five_minutes_fires_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = obs_tui(folder.path())
        .args(["run", "control", "--embedded", "--var", "duration=5m"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
}

#[test]
fn every_shipped_playbook_with_a_fault_passes() {
    let folder = tempfile::tempdir().unwrap();
    for playbook in ["slow-catalog", "db-stall", "no-traffic", "traffic-surge"] {
        let output = obs_tui(folder.path())
            .args(["run", playbook, "--embedded"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{playbook}:\n{text}");
    }
}
