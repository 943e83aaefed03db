//! The cut of the workspace: who may use whom, and what every crate inherits.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The table of ARCHITECTURE.md: a crate and the crates of ours it may use.
const ARROWS: [(&str, &[&str]); 7] = [
    ("promql", &[]),
    ("fault", &[]),
    ("signals", &["promql"]),
    ("shop", &["fault"]),
    ("chaos", &["promql", "signals", "fault"]),
    ("tui", &["promql", "fault", "signals", "shop", "chaos"]),
    // Nothing but tests and what they share; no other crate may use it.
    (
        "e2e",
        &["promql", "fault", "signals", "shop", "chaos", "tui"],
    ),
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(e2e::repository().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap()
}

fn packages(metadata: &Metadata) -> BTreeMap<&str, &Package> {
    let packages = metadata.workspace_packages();
    packages
        .into_iter()
        .map(|package| (package.name.as_str(), package))
        .collect()
}

#[test]
fn no_arrow_beyond_the_table() {
    let metadata = metadata();
    let packages = packages(&metadata);
    let table: BTreeMap<_, _> = ARROWS.into_iter().collect();
    assert_eq!(
        packages.keys().collect::<Vec<_>>(),
        table.keys().collect::<Vec<_>>(),
        "the crates of the workspace and of the table"
    );
    for (name, package) in &packages {
        let allowed: BTreeSet<_> = table[name].iter().copied().collect();
        let used: BTreeSet<_> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.as_str())
            .filter(|dependency| packages.contains_key(dependency))
            .collect();
        let surplus: Vec<_> = used.difference(&allowed).collect();
        assert!(surplus.is_empty(), "{name} must not use {surplus:?}");
    }
}

#[test]
fn every_crate_inherits_licence_and_lints() {
    let metadata = metadata();
    for (name, package) in packages(&metadata) {
        assert_eq!(
            package.license.as_deref(),
            Some("MIT OR Apache-2.0"),
            "{name}"
        );
        assert_eq!(package.publish.as_deref(), Some(&[][..]), "{name}");
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name} does not inherit the lints of the workspace"
        );
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(e2e::repository().join(licence).is_file(), "{licence}");
    }
}

/// A clippy.toml replaces the root's instead of adding to it, so it has to repeat it.
#[test]
fn pure_crates_ban_clocks_and_keep_the_settings_of_the_root() {
    let root = e2e::repository();
    let shared = fs::read_to_string(root.join("clippy.toml")).unwrap();
    for name in ["promql", "fault"] {
        let own = fs::read_to_string(root.join(name).join("clippy.toml"))
            .unwrap_or_else(|error| panic!("{name}/clippy.toml: {error}"));
        assert!(
            own.contains("std::time::Instant::now") && own.contains("std::time::SystemTime::now"),
            "{name} is pure and bans clocks"
        );
        for line in shared.lines().filter(|line| line.contains(" = ")) {
            assert!(own.contains(line), "{name}/clippy.toml misses: {line}");
        }
    }
}

#[test]
fn modules_are_named_after_what_they_are() {
    let mut folders = vec![e2e::repository()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if let Some(stem) = name.strip_suffix(".rs") {
                let vague = ["mod", "utils", "util", "common", "helpers", "types"];
                assert!(!vague.contains(&stem), "{}", path.display());
            }
        }
    }
}
