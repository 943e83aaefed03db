//! Exit codes: one table.

use chaos::ExitCode;
use chaos::verdict::{Check, CheckKind, CheckStatus, Outcome, RunStatus};

#[test]
fn the_worst_wins() {
    use ExitCode as E;
    let order = [
        E::RecoveryFailed,
        E::Interrupted,
        E::Aborted,
        E::Environment,
        E::AlertFailed,
        E::Deviated,
        E::Pass,
    ];
    for (rank, better) in order.iter().enumerate() {
        for worse in &order[..rank] {
            assert_eq!(E::worst([*better, *worse]), *worse);
            assert_eq!(E::worst([*worse, *better]), *worse);
        }
    }
    assert_eq!(E::worst([]), E::Pass);
    let codes: Vec<u8> = order.iter().map(|code| code.code()).collect();
    assert_eq!(codes, [7, 5, 4, 6, 3, 1, 0]);
}

#[test]
fn checks_lead_to_codes() {
    use CheckKind as K;
    use CheckStatus as S;
    for (kind, status, code) in [
        (K::Preflight, S::Fail, 6),
        (K::SteadyBefore, S::Fail, 6),
        (K::SteadyBefore, S::Error, 6),
        (K::SteadyDuring, S::Fail, 1),
        (K::SteadyDuring, S::Error, 6),
        (K::SteadyAfter, S::Fail, 1),
        (K::SteadyAfter, S::Error, 6),
        (K::WaitQuery, S::Fail, 1),
        (K::WaitAlert, S::Fail, 3),
        (K::Injection, S::Error, 6),
        (K::Alert, S::Fail, 3),
        (K::Alert, S::Error, 6),
        (K::Resolve, S::Fail, 3),
        (K::MustNotFire, S::Fail, 3),
        (K::Guard, S::Fail, 4),
        (K::Deadline, S::Fail, 4),
        (K::Recovery, S::Fail, 7),
        (K::Recovery, S::Error, 7),
        (K::Alert, S::NotApplicable, 0),
        (K::Alert, S::Pass, 0),
    ] {
        let check = Check {
            kind,
            name: String::new(),
            status,
            detail: String::new(),
        };
        assert_eq!(check.exit().code(), code, "{kind:?} {status:?}");
    }
}

#[test]
fn a_run_that_failed_is_never_a_pass() {
    for (status, code) in [
        (RunStatus::Completed, 0),
        (RunStatus::Failed, 6),
        (RunStatus::Aborted, 4),
        (RunStatus::Interrupted, 5),
    ] {
        assert_eq!(Outcome::exit_of(status, &[]).code(), code);
    }
}
