//! The paths that differ only in the world they take place in.

use chaos::verdict::{CheckKind, CheckStatus, RunStatus};

use crate::world::Script;

/// One path: how the world differs, and what must come out.
pub(super) struct Path {
    pub(super) name: &'static str,
    pub(super) script: Script,
    pub(super) status: RunStatus,
    pub(super) exit: u8,
    /// A check that must be there with this status.
    pub(super) check: (CheckKind, CheckStatus),
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn paths() -> Vec<Path> {
    use CheckKind as K;
    use CheckStatus as S;
    let path = |name, script, status, exit, check| Path {
        name,
        script,
        status,
        exit,
        check,
    };
    let world = Script::default;
    vec![
        path(
            "all is well",
            world(),
            RunStatus::Completed,
            0,
            (K::Alert, S::Pass),
        ),
        path(
            "the alert does not fire",
            Script {
                fires_after_s: None,
                ..world()
            },
            RunStatus::Completed,
            3,
            (K::Alert, S::Fail),
        ),
        path(
            "the alert fires late",
            Script {
                fires_after_s: Some(17.0),
                ..world()
            },
            RunStatus::Completed,
            3,
            (K::Alert, S::Fail),
        ),
        path(
            "the alert does not resolve",
            Script {
                resolves_after_s: None,
                ..world()
            },
            RunStatus::Completed,
            3,
            (K::Resolve, S::Fail),
        ),
        path(
            "the alert resolves late",
            Script {
                resolves_after_s: Some(11.0),
                ..world()
            },
            RunStatus::Completed,
            3,
            (K::Resolve, S::Fail),
        ),
        path(
            "a forbidden alert fires",
            Script {
                other: Some(("Other", 10.0, 12.0)),
                ..world()
            },
            RunStatus::Completed,
            3,
            (K::MustNotFire, S::Fail),
        ),
        path(
            "the fault has no effect",
            Script {
                without_effect: true,
                ..world()
            },
            RunStatus::Completed,
            6,
            (K::Injection, S::Error),
        ),
        path(
            "no data",
            Script {
                errors: (None, None),
                ..world()
            },
            RunStatus::Failed,
            6,
            (K::SteadyBefore, S::Error),
        ),
        path(
            "the shop is ill before",
            Script {
                errors: (Some(0.2), Some(0.5)),
                ..world()
            },
            RunStatus::Failed,
            6,
            (K::SteadyBefore, S::Fail),
        ),
        path(
            "an alert of that name with other labels is no obstacle",
            Script {
                other: Some(("Broken", -1.0, 1e9)),
                ..world()
            },
            RunStatus::Completed,
            0,
            (K::Alert, S::Pass),
        ),
        path(
            "a forbidden alert fires before",
            Script {
                other: Some(("Other", -1.0, 1e9)),
                ..world()
            },
            RunStatus::Failed,
            6,
            (K::Preflight, S::Fail),
        ),
        path(
            "a forbidden alert of an earlier run ends in the warm-up",
            Script {
                other: Some(("Other", -1.0, 3.5)),
                ..world()
            },
            RunStatus::Completed,
            0,
            (K::MustNotFire, S::Pass),
        ),
        path(
            "the rule is not loaded",
            Script {
                rules: Some(vec!["Brokn", "Other"]),
                ..world()
            },
            RunStatus::Failed,
            6,
            (K::Preflight, S::Fail),
        ),
        path(
            "a source without rules is taken",
            Script {
                rules: None,
                ..world()
            },
            RunStatus::Completed,
            0,
            (K::Alert, S::Pass),
        ),
        path(
            "nobody serves the fault",
            Script {
                kinds: vec!["latency"],
                ..world()
            },
            RunStatus::Failed,
            6,
            (K::Preflight, S::Fail),
        ),
        path(
            "somebody else's fault is active",
            Script {
                foreign: true,
                ..world()
            },
            RunStatus::Failed,
            6,
            (K::Preflight, S::Fail),
        ),
        path(
            "the target is not there",
            Script {
                target_dies_at_s: Some(0.0),
                ..world()
            },
            RunStatus::Failed,
            6,
            (K::Preflight, S::Fail),
        ),
        path(
            "the target refuses",
            Script {
                refuses: true,
                ..world()
            },
            RunStatus::Failed,
            6,
            (K::Injection, S::Error),
        ),
        path(
            "the target dies in the middle",
            Script {
                target_dies_at_s: Some(10.0),
                ..world()
            },
            RunStatus::Failed,
            7,
            (K::Recovery, S::Fail),
        ),
        path(
            "the target restarts in the middle",
            Script {
                target_restarts_at_s: Some(10.0),
                ..world()
            },
            RunStatus::Completed,
            6,
            (K::Injection, S::Error),
        ),
        path(
            "the lease is lost",
            Script {
                lease_lost_after_s: Some(9.0),
                ..world()
            },
            RunStatus::Completed,
            6,
            (K::Injection, S::Error),
        ),
        path(
            "withdrawing does nothing",
            Script {
                withdraws_in_vain: true,
                cancel_at_s: vec![2.0],
                ..world()
            },
            RunStatus::Interrupted,
            7,
            (K::Recovery, S::Fail),
        ),
        path(
            "the source dies in the middle",
            Script {
                source_dies_at_s: Some(10.0),
                ..world()
            },
            RunStatus::Completed,
            6,
            (K::Alert, S::Error),
        ),
    ]
}
