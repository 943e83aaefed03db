//! Tests across crates: the shape of the workspace, everything that is shipped, real servers.

mod shipped_rules;
mod workspace;
