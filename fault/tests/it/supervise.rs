//! Child processes: shells that play the child.

use std::ffi::OsString;
use std::io::Cursor;
use std::time::{Duration, Instant};

use fault::supervise::{Child, Handshake, HandshakeError, Ready, Spec, SuperviseError};
use fault::token;
use tokio::sync::mpsc;

const READY: &str = r#"echo '{"ready":{"pid":1,"services":[{"service":"payments","url":"http://127.0.0.1:1"}],"control_url":"http://127.0.0.1:2"}}';"#;

fn shell(script: &str) -> Spec {
    let mut spec = Spec::new("patient", "/bin/sh", token::generate());
    spec.args = vec![OsString::from("-c"), OsString::from(script)];
    spec.stop_timeout = Duration::from_millis(300);
    spec
}

#[tokio::test]
async fn a_child_gets_its_token_says_where_it_is_and_logs() {
    let mut spec = shell("");
    let line = format!(r#"{{"token":"{}"}}"#, spec.token.expose());
    let script = format!(
        "read line; {READY} [ \"$line\" = '{line}' ] && echo \"got $line\"; echo oops >&2; cat; echo bye"
    );
    spec.args[1] = script.into();
    let (sink, mut lines) = mpsc::channel(10);
    spec.lines = Some(sink);
    let mut child = Child::start(spec).await.unwrap();
    assert_eq!(child.ready().services[0].service, "payments");
    assert_eq!(
        child.ready().control_url.as_deref(),
        Some("http://127.0.0.1:2")
    );
    let mut seen = vec![lines.recv().await.unwrap(), lines.recv().await.unwrap()];
    seen.sort();
    assert_eq!(
        seen,
        [r#"got {"token":"[token]"}"#, "oops"],
        "a token that is logged is redacted"
    );
    assert_eq!(child.exit(), None);
    let exit = child.stop().await;
    assert!(
        exit.success && exit.asked,
        "closing stdin is enough: {exit:?}"
    );
    assert_eq!(
        lines.recv().await.as_deref(),
        Some("bye"),
        "what it said last is not lost"
    );
}

#[tokio::test]
async fn a_child_that_ends_early_is_quoted() {
    let error = Child::start(shell("echo starting; echo 'no such table' >&2; exit 3"))
        .await
        .unwrap_err();
    let SuperviseError::Ended {
        status, last_lines, ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(status, "exit status: 3");
    assert!(
        last_lines.contains(&"no such table".to_owned()),
        "{last_lines:?}"
    );
    assert!(
        error
            .to_string()
            .contains("patient ended before it was ready (exit status: 3)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_child_that_is_never_ready_is_given_up() {
    let mut spec = shell("echo working; exec sleep 60");
    spec.ready_timeout = Duration::from_millis(200);
    let started = Instant::now();
    let error = Child::start(spec).await.unwrap_err();
    assert!(
        matches!(&error, SuperviseError::NotReady { last_lines, .. } if last_lines == &["working"]),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let error = Child::start(Spec::new("patient", "/nowhere/shop", token::generate()))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot start patient (/nowhere/shop)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_crash_is_noticed() {
    let mut child = Child::start(shell(&format!("{READY} echo crashing; kill -SEGV $$")))
        .await
        .unwrap();
    let exit = child.exited().await;
    assert!(
        !exit.success && !exit.asked && exit.status.contains("signal"),
        "{exit:?}"
    );
    assert_eq!(exit.last_lines, ["crashing"]);
    assert_eq!(child.exit(), Some(exit));
}

/// Deaf to stdin, then deaf to SIGTERM too.
#[tokio::test]
async fn a_stubborn_child_is_stopped() {
    let mut deaf = Child::start(shell(&format!("{READY} exec sleep 60")))
        .await
        .unwrap();
    assert!(deaf.stop().await.status.contains("15"), "SIGTERM");
    let stubborn = format!("trap '' TERM; {READY} while :; do sleep 1; done");
    let mut stubborn = Child::start(shell(&stubborn)).await.unwrap();
    assert!(stubborn.stop().await.status.contains('9'), "SIGKILL");
}

/// The process is looked up by its own id in /proc.
#[tokio::test]
async fn a_dropped_child_is_killed() {
    let child = Child::start(shell(
        r#"echo "{\"ready\":{\"pid\":$$}}"; trap '' TERM HUP; while :; do sleep 1; done"#,
    ))
    .await
    .unwrap();
    let proc = std::path::PathBuf::from(format!("/proc/{}/stat", child.ready().pid));
    let alive = || std::fs::read_to_string(&proc).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(alive());
    drop(child);
    let started = Instant::now();
    while alive() {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "it is still there"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_child_starts_again() {
    let script = r#"echo "{\"ready\":{\"pid\":$$}}"; cat"#;
    let mut child = Child::start(shell(script)).await.unwrap();
    let first = child.ready().pid;
    assert_ne!(child.restart().await.unwrap().pid, first);
    assert_eq!(child.exit(), None);
    assert!(child.stop().await.success);
}

/// A child that writes more than anybody reads goes on.
#[tokio::test]
async fn a_full_sink_slows_nobody() {
    let mut spec = shell(&format!(
        "{READY} i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; cat >/dev/null"
    ));
    let (sink, mut lines) = mpsc::channel(4);
    spec.lines = Some(sink);
    let mut child = Child::start(spec).await.unwrap();
    let exit = child.stop().await;
    assert_eq!(
        exit.last_lines.last().map(String::as_str),
        Some("line 19999"),
        "{exit:?}"
    );
    assert_eq!(lines.recv().await.as_deref(), Some("line 0"));
}

#[test]
fn the_ready_line_is_one_line() {
    let ready = Ready {
        pid: 7,
        services: Vec::new(),
        metrics_url: Some("http://x".to_owned()),
        control_url: None,
    };
    let line = ready.to_line();
    assert_eq!(
        line,
        r#"{"ready":{"metrics_url":"http://x","pid":7,"services":[]}}"#
    );
    assert_eq!(Ready::from_line(&line), Some(ready));
    assert_eq!(Ready::from_line(r#"{"message":"hello"}"#), None);
}

#[tokio::test]
async fn the_childs_side_reads_the_token_and_notices_the_end() {
    let token = token::generate();
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(
        &mut writer,
        format!("{{\"token\":\"{}\"}}\n", token.expose()).as_bytes(),
    )
    .unwrap();
    let handshake = Handshake::read(std::io::BufReader::new(reader)).unwrap();
    assert_eq!(handshake.token.expose(), token.expose());
    assert!(!handshake.parent_gone.is_cancelled());
    drop(writer);
    handshake.parent_gone.cancelled().await;
}

#[test]
fn a_bad_handshake_quotes_no_token() {
    let read = |text: &'static str| Handshake::read(Cursor::new(text)).unwrap_err();
    assert!(matches!(read(""), HandshakeError::NoLine(_)));
    for bad in [
        "hello\n",
        "{\"tok\":\"deadbeefdeadbeefdeadbeefdeadbeef\"}\n",
        "{\"token\":\"deadbeef\"}\n",
    ] {
        assert!(!read(bad).to_string().contains("deadbeef"), "{bad}");
    }
}
