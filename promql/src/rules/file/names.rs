//! Which names a rule file may use.
//!
//! Prometheus 3 takes any text as a name; 2.x only letters, digits and `_`, and `:` in metric names.

use crate::engine::Profile;
use crate::labels::METRIC_NAME;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The series a rule records.
    Record,
    /// A label that a rule sets.
    Label,
    /// An annotation of an alert.
    Annotation,
}

/// Why a name is refused.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// Says whether a name may be used.
pub(super) fn check(kind: Names, name: &str, profile: Profile) -> Result<(), Wrong> {
    match kind {
        Names::Record => check_record(name, profile),
        Names::Label if name == METRIC_NAME => Err(Wrong {
            message: format!("`{METRIC_NAME}` cannot be set as a label"),
            help: "the name of a recorded series is its `record`; an alert has none",
        }),
        Names::Label => check_plain("a label", name, profile),
        Names::Annotation => check_plain("an annotation", name, profile),
    }
}

fn check_record(name: &str, profile: Profile) -> Result<(), Wrong> {
    if name.contains(['{', '}']) {
        return Err(Wrong {
            message: format!("`{name}` is not a metric name"),
            help: "labels are set under `labels`; an expression belongs under `expr`",
        });
    }
    if is_allowed(name, profile, ":") {
        return Ok(());
    }
    Err(Wrong {
        message: format!("`{name}` is not a metric name"),
        help: "before Prometheus 3 a metric name has letters, digits, `_` and `:` only, and starts \
               with no digit",
    })
}

fn check_plain(what: &str, name: &str, profile: Profile) -> Result<(), Wrong> {
    if name.is_empty() {
        return Err(Wrong {
            message: format!("the name of {what} must not be empty"),
            help: "give it a name, or remove it",
        });
    }
    if is_allowed(name, profile, "") {
        return Ok(());
    }
    Err(Wrong {
        message: format!("`{name}` is not the name of {what}"),
        help: "before Prometheus 3 such a name has letters, digits and `_` only, and starts with no \
               digit",
    })
}

fn is_allowed(name: &str, profile: Profile, more: &str) -> bool {
    match profile {
        Profile::V3_5 => !name.is_empty(),
        Profile::V2_42 | Profile::V2_53 => {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || more.contains(c);
            !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.is_empty()
                && name.chars().all(fits)
        }
    }
}
