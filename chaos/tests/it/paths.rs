//! Every path through a run ends in the right verdict, and those that armed a fault recover.

mod table;

use chaos::event::{EventKind, Phase};
use chaos::verdict::{CheckKind, CheckStatus, RunStatus};

use crate::world::{Ran, Script, run};
use table::paths;

pub(crate) const PLAYBOOK: &str = "
title: break it
deadline: 2m
steady_state_hypothesis:
  warm_up: 5s
  probes: [{ name: errors, query: errors, tolerance: '< 0.01' }]
method:
  - name: break
    fault: { kind: error, status: 503, where: { service: payments } }
    for: 20s
    lease: 6s
  - pause: 3s
expect_alerts: [{ alertname: Broken, exp_labels: { severity: critical }, within: 15s, resolve_within: 10s }]
must_not_fire: [{ alertname: Other }]
";

#[test]
fn every_path_has_its_verdict() {
    for path in paths() {
        let ran = run(PLAYBOOK, path.script);
        let context = format!("{}\n{}", path.name, ran.checks());
        assert_eq!(ran.outcome.status, path.status, "{context}");
        assert_eq!(ran.outcome.exit.code(), path.exit, "{context}");
        let (kind, status) = path.check;
        let found = ran
            .outcome
            .checks
            .iter()
            .any(|c| c.kind == kind && c.status == status);
        assert!(found, "{context}");
        recovered(&ran, &context);
    }
}

/// A run that armed a fault goes through recovery, and none is left unless that was reported.
fn recovered(ran: &Ran, context: &str) {
    let armed = ran
        .events
        .iter()
        .any(|e| matches!(e.kind, EventKind::FaultArmed(_)));
    let checked = ran
        .outcome
        .checks
        .iter()
        .any(|c| c.kind == CheckKind::Recovery);
    assert!(!armed || checked, "recovery is not judged: {context}");
    assert!(ran.phases().contains(&Phase::Recovery), "{context}");
    let reported = ran.outcome.exit.code() == 7;
    assert!(
        ran.left == 0 || reported,
        "{} faults left: {context}",
        ran.left
    );
}

#[test]
fn cancelling_recovers_whenever_it_happens() {
    let whole = run(PLAYBOOK, Script::default()).took_s;
    let mut at_s = 0.0;
    while at_s < whole {
        let ran = run(
            PLAYBOOK,
            Script {
                cancel_at_s: vec![at_s],
                ..Script::default()
            },
        );
        let context = format!("cancelled at {at_s}\n{}", ran.checks());
        assert_eq!(ran.outcome.status, RunStatus::Interrupted, "{context}");
        assert_eq!(ran.outcome.exit.code(), 5, "{context}");
        assert_eq!(ran.left, 0, "{context}");
        assert!(
            ran.took_s <= at_s + 1.0,
            "{context}: took until {}",
            ran.took_s
        );
        recovered(&ran, &context);
        at_s += 0.3;
    }
}

#[test]
fn cancelling_twice_leaves_at_once() {
    // The target is dead, so recovery would take its whole time.
    let script = Script {
        cancel_at_s: vec![10.0, 11.0],
        target_dies_at_s: Some(9.0),
        ..Script::default()
    };
    let ran = run(PLAYBOOK, script);
    assert_eq!(ran.outcome.exit.code(), 5, "{}", ran.checks());
    assert!(ran.took_s < 11.5, "{}", ran.took_s);
    let net = ran
        .outcome
        .checks
        .iter()
        .find(|c| c.kind == CheckKind::Recovery);
    let net = net.unwrap_or_else(|| panic!("{}", ran.checks()));
    assert_eq!(net.status, CheckStatus::NotApplicable);
    assert!(net.detail.contains("lease"), "{}", net.detail);
}

#[test]
fn the_deadline_stops_every_phase() {
    for deadline_s in [21, 25, 27] {
        let text = PLAYBOOK.replace("deadline: 2m", &format!("deadline: {deadline_s}s"));
        let script = Script {
            resolves_after_s: Some(60.0),
            ..Script::default()
        };
        let ran = run(&text, script);
        let context = format!("deadline {deadline_s}\n{}", ran.checks());
        assert_eq!(ran.outcome.status, RunStatus::Aborted, "{context}");
        assert_eq!(ran.outcome.exit.code(), 4, "{context}");
        assert_eq!(ran.left, 0, "{context}");
        recovered(&ran, &context);
    }
}

#[test]
fn a_guard_stops_the_run() {
    let text = format!(
        "{PLAYBOOK}abort_conditions: [{{ name: outage, query: errors, comparator: '> 0.4', for: 4s }}]"
    );
    let ran = run(&text, Script::default());
    assert_eq!(ran.outcome.status, RunStatus::Aborted, "{}", ran.checks());
    assert_eq!(ran.outcome.exit.code(), 4, "{}", ran.checks());
    assert!(ran.took_s < 12.0, "{}", ran.took_s);
    recovered(&ran, "guard");
    // It must hold for its whole `for`, and must see data at all.
    let text = text.replace("for: 4s", "for: 30s");
    assert_eq!(run(&text, Script::default()).outcome.exit.code(), 0);
    let text = text.replace("query: errors, comparator", "query: nothing, comparator");
    let blind = run(&text, Script::default());
    assert_eq!(blind.outcome.exit.code(), 6, "{}", blind.checks());
    // One that loses sight on the way says so.
    let text = text.replace("query: nothing, comparator", "query: errors, comparator");
    let script = Script {
        source_dies_at_s: Some(4.0),
        ..Script::default()
    };
    let ran = run(&text, script);
    let mut checks = ran.outcome.checks.iter();
    let guard = checks.find(|c| c.kind == CheckKind::Guard).unwrap();
    assert!(guard.detail.contains("could not be judged"), "{guard:?}");
}

#[test]
fn waits_end_as_they_say() {
    let wait = |condition: &str, on_timeout: &str| {
        let text = PLAYBOOK.replace(
            "- pause: 3s",
            &format!("- wait_for: {{ {condition}, timeout: 10s, on_timeout: {on_timeout} }}"),
        );
        run(&text, Script::default())
    };
    for (condition, on_timeout, exit) in [
        ("alert: Broken, state: firing", "fail", 0),
        ("alert: Broken, state: pending", "fail", 0),
        ("alert: Other, state: inactive", "fail", 0),
        ("alert: Other", "fail", 3),
        ("alert: Other", "skip", 0),
        ("alert: Other", "run_anyway", 0),
        ("query: errors, comparator: '> 0.3'", "fail", 0),
        ("query: errors, comparator: '> 0.9'", "fail", 1),
        ("query: errors, comparator: '> 0.9'", "run_anyway", 0),
        ("query: nothing, comparator: '== 0'", "fail", 1),
    ] {
        let ran = wait(condition, on_timeout);
        let context = format!("{condition} {on_timeout}\n{}", ran.checks());
        assert_eq!(ran.outcome.exit.code(), exit, "{context}");
        recovered(&ran, &context);
    }
}

#[test]
fn continuous_probes_deviate() {
    let text = PLAYBOOK.replace(
        "tolerance: '< 0.01' }",
        "tolerance: '< 0.01', mode: continuous }",
    );
    let ran = run(&text, Script::default());
    assert_eq!(ran.outcome.exit.code(), 1, "{}", ran.checks());
    assert!(ran.outcome.deviated);
    assert_eq!(ran.outcome.status, RunStatus::Completed);
}

#[test]
fn a_control_run_judges_everything_that_fires() {
    let text = "
title: nothing happens
steady_state_hypothesis: { probes: [{ name: errors, query: errors, tolerance: '< 0.01', mode: continuous }] }
method: [{ pause: 20s }]
must_not_fire: [{ alertname: '*' }]
";
    let quiet = run(text, Script::default());
    assert_eq!(quiet.outcome.exit.code(), 0, "{}", quiet.checks());
    let noisy = run(
        text,
        Script {
            other: Some(("Surprise", 8.0, 9.5)),
            ..Script::default()
        },
    );
    assert_eq!(noisy.outcome.exit.code(), 3, "{}", noisy.checks());
    let empty = run(
        text,
        Script {
            rules: Some(vec![]),
            ..Script::default()
        },
    );
    assert_eq!(empty.outcome.exit.code(), 6, "{}", empty.checks());
}

#[test]
fn unlisted_alerts_are_reported_and_allowed_ones_are_not() {
    let script = Script {
        other: Some(("Surprise", 8.0, 9.5)),
        ..Script::default()
    };
    let ran = run(PLAYBOOK, script.clone());
    assert_eq!(ran.outcome.exit.code(), 0, "{}", ran.checks());
    assert_eq!(ran.outcome.unexpected.len(), 1);
    assert!(ran.outcome.unexpected[0].starts_with("Surprise at "));
    let text = format!("{PLAYBOOK}may_fire: [{{ alertname: Surprise }}]");
    assert!(run(&text, script).outcome.unexpected.is_empty());
}

#[test]
fn time_to_detect_is_split() {
    let ran = run(PLAYBOOK, Script::default());
    let detection = &ran.outcome.detections[0];
    let [moves, pending, firing] = detection.legs_ms();
    assert_eq!(detection.moved_probe.as_deref(), Some("errors"));
    assert!(moves.is_some_and(|ms| ms <= 1000), "{detection:?}");
    assert!(
        pending.is_some_and(|ms| (1000..=2000).contains(&ms)),
        "{detection:?}"
    );
    assert_eq!(firing, Some(4000), "{detection:?}");
    let resolve = detection.time_to_resolve_ms();
    assert!(
        resolve.is_some_and(|ms| (4000..=6000).contains(&ms)),
        "{detection:?}"
    );
}
