//! The shipped playbooks, compiled in.

const SHIPPED: [(&str, &str); 6] = [
    ("control", include_str!("../../playbooks/control.yaml")),
    ("db-stall", include_str!("../../playbooks/db-stall.yaml")),
    (
        "no-traffic",
        include_str!("../../playbooks/no-traffic.yaml"),
    ),
    (
        "payments-503",
        include_str!("../../playbooks/payments-503.yaml"),
    ),
    (
        "slow-catalog",
        include_str!("../../playbooks/slow-catalog.yaml"),
    ),
    (
        "traffic-surge",
        include_str!("../../playbooks/traffic-surge.yaml"),
    ),
];

/// Returns the names in the order of the alphabet.
pub fn names() -> Vec<&'static str> {
    SHIPPED.iter().map(|(name, _)| *name).collect()
}

/// Returns the text of a shipped playbook.
pub fn get(name: &str) -> Option<&'static str> {
    SHIPPED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}
