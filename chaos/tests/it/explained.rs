//! What `explain` and `--dry-run` say of the shipped playbooks.

use std::collections::BTreeMap;

use chaos::{Playbook, explain, library};

#[test]
fn shipped_playbooks_are_explained() {
    for name in library::names() {
        let playbook = Playbook::load(name, &BTreeMap::new()).expect("shipped");
        insta::assert_snapshot!(format!("explain-{name}"), explain::timeline(&playbook));
    }
}

#[test]
fn a_dry_run_tells_every_call() {
    let playbook = Playbook::load("payments-503", &BTreeMap::new()).expect("shipped");
    let calls = explain::calls(&playbook, "payments-503-20260101-000000-abcd", 7);
    insta::assert_snapshot!("dry-run", explain::dry_run(&calls));
}

#[test]
fn a_wrong_name_is_answered_with_the_right_one() {
    let problems = Playbook::load("payment-503", &BTreeMap::new()).expect_err("no such file");
    let text = problems[0].to_string();
    assert!(
        text.contains("did you mean the shipped `payments-503`?"),
        "{text}"
    );
}
