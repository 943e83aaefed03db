//! The dashboard on a real pseudo-terminal, used as a person would.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use e2e::binaries;
use e2e::process::wait_until;
use e2e::terminal::Terminal;
use rustix::process::{Pid, Signal, kill_process};

const COLUMNS: u16 = 130;
const ROWS: u16 = 40;
/// Generous: the product's bar is 3 s in a release build on a quiet machine.
const CHARTS_LIMIT: Duration = Duration::from_secs(30);
const LIMIT: Duration = Duration::from_secs(30);

fn dashboard(state: &Path) -> Terminal {
    Terminal::start(&binaries::obs_tui(), &[], state, COLUMNS, ROWS)
}

/// Says whether all three panels show a number: their titles then read `QPS  112/s`.
fn has_three_charts(text: &str) -> bool {
    ["QPS  ", "P95  ", "Error rate  "].iter().all(|title| {
        let after = text.find(title).map(|at| &text[at + title.len()..]);
        after.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

fn signal(terminal: &Terminal, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(terminal.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn assert_given_back(terminal: &Terminal) {
    assert!(!terminal.is_alternate(), "the main screen is back");
    assert!(!terminal.is_cursor_hidden(), "the cursor is back");
}

#[test]
fn a_person_watches_breaks_stops_and_quits() {
    let state = tempfile::tempdir().unwrap();
    let mut terminal = dashboard(state.path());
    terminal.wait_for("three charts with data", CHARTS_LIMIT, has_three_charts);
    eprintln!(
        "three charts with data {:?} after the start",
        terminal.age()
    );
    terminal.wait_for("the playbooks", LIMIT, |text| text.contains("payments-503"));
    terminal.wait_for("healthy", LIMIT, |text| text.contains("no alerts"));

    // The list is sorted; payments-503 is the fourth.
    terminal.send("p");
    terminal.send("jjj\r");
    terminal.wait_for("the question", LIMIT, |text| {
        text.contains("Run payments-503?")
    });
    terminal.send("\r");
    terminal.wait_for("the fault", LIMIT, |text| text.contains("faults 1"));
    terminal.wait_for("an alert", LIMIT, |text| text.contains("FIRING"));

    terminal.send("\u{18}");
    terminal.wait_for("no fault", LIMIT, |text| text.contains("faults 0"));
    // Whoever stops the faults stops the run: it recovers and says that it was interrupted.
    terminal.wait_for("the end of the run", Duration::from_mins(2), |text| {
        text.contains("payments-503 exit 5")
    });

    terminal.send("q");
    assert_eq!(terminal.wait(LIMIT), 0, "a clean end");
    assert_given_back(&terminal);
}

#[test]
fn signals_give_the_terminal_back_and_leave_no_child() {
    for (sent, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let state = tempfile::tempdir().unwrap();
        let mut terminal = dashboard(state.path());
        terminal.wait_for("three charts", CHARTS_LIMIT, has_three_charts);
        signal(&terminal, sent);
        assert_eq!(terminal.wait(LIMIT), code, "{sent:?}");
        assert_given_back(&terminal);
    }
}

#[test]
fn control_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    let state = tempfile::tempdir().unwrap();
    let program = binaries::obs_tui();
    // A real shell with job control: what Ctrl-Z is about.
    let mut terminal = Terminal::start(
        Path::new("/bin/bash"),
        &["--norc", "--noprofile", "-i"],
        state.path(),
        COLUMNS,
        ROWS,
    );
    terminal.send(&format!("{}\r", program.display()));
    terminal.wait_for("three charts", CHARTS_LIMIT, has_three_charts);
    terminal.send("\u{1a}");
    wait_until("the shell has the screen", LIMIT, || {
        !terminal.is_alternate()
    });
    terminal.wait_for("the shell's word", LIMIT, |text| text.contains("Stopped"));
    terminal.send("echo still-$((40 + 2))\r");
    terminal.wait_for("the shell works", LIMIT, |text| text.contains("still-42"));
    terminal.send("fg\r");
    wait_until("the dashboard is back", LIMIT, || terminal.is_alternate());
    terminal.wait_for("three charts again", LIMIT, has_three_charts);
    terminal.send("q");
    wait_until("the dashboard has ended", LIMIT, || {
        !terminal.is_alternate()
    });
    terminal.send("exit\r");
    terminal.wait(LIMIT);
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let output = Command::new(binaries::obs_tui()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("terminal") && text.contains("obs-tui run"),
        "{text}"
    );
    assert!(output.stdout.is_empty(), "nothing is drawn");
}
