//! What the subcommands do, one file each.

pub(crate) mod faults;
pub(crate) mod playbooks;
pub(crate) mod query;
pub(crate) mod reports;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod session;
