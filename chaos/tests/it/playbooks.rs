//! Every shipped playbook is read; every bad one has a snapshot of what is said about it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use chaos::{Playbook, library};

#[test]
fn every_shipped_playbook_is_read() {
    for name in library::names() {
        let text = library::get(name).expect("listed");
        let playbook = Playbook::parse(name, text, &BTreeMap::new())
            .unwrap_or_else(|problems| panic!("{}", shown(&problems)));
        assert!(
            !playbook.title.is_empty() && !playbook.description.is_empty(),
            "{name}"
        );
        let least = playbook.least_body_ms();
        assert!(
            name == "control" || least <= 60_000,
            "{name} takes at least {least} ms"
        );
    }
}

#[test]
fn the_library_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| {
            path.file_stem()
                .expect("name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    assert_eq!(files, library::names());
}

#[test]
fn bad_playbooks_say_what_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 15);
    for path in paths {
        let name = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&path).expect("file");
        let problems = Playbook::parse_bytes(&name, &bytes, &BTreeMap::new())
            .err()
            .unwrap_or_else(|| panic!("{name} is accepted"));
        assert!(!problems.is_empty(), "{name} is refused without a reason");
        insta::assert_snapshot!(name.trim_end_matches(".yaml").to_owned(), shown(&problems));
    }
}

#[test]
fn hostile_documents_end_quickly() {
    let laughs = {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let before = level - 1;
            let list = vec![format!("*a{before}"); 9].join(", ");
            writeln!(text, "a{level}: &a{level} [{list}]").expect("written");
        }
        text
    };
    let huge = vec![b'#'; 100 * 1024 * 1024];
    let deep = "[".repeat(100_000);
    let keys: String = (0..100_000).fold(String::new(), |text, n| text + &format!("k{n}: 1\n"));
    let documents: [(&str, Vec<u8>); 6] = [
        ("billion laughs", laughs.into_bytes()),
        ("100 MB", huge),
        ("deep", deep.into_bytes()),
        ("many keys", keys.into_bytes()),
        ("binary", vec![0x7f, b'E', b'L', b'F', 0, 0xff, 0xfe, 0]),
        ("nul", b"title: a\0b\n".to_vec()),
    ];
    for (name, bytes) in documents {
        let start = Instant::now();
        let problems = Playbook::parse_bytes(name, &bytes, &BTreeMap::new()).expect_err(name);
        assert!(!problems.is_empty(), "{name}");
        assert!(problems[0].message.len() < 400, "{name}: {}", problems[0]);
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{name}: {:?}",
            start.elapsed()
        );
    }
}

#[test]
fn variables_are_typed_and_overridden() {
    let text = "
title: t
vars: { name: shop, n: 3, on: true, price: $5 }
steady_state_hypothesis:
  probes: [{ name: '${name}-${n}', query: 'up{job=\"${name}\"} $${x} ${n}', tolerance: ['${n}', 9] }]
method: [{ pause: 1s }]
";
    let parse = |vars: &[(&str, &str)]| {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Playbook::parse("vars.yaml", text, &vars)
    };
    let playbook = parse(&[("n", "4.5")]).unwrap_or_else(|p| panic!("{}", shown(&p)));
    let probe = &playbook.steady_state.probes[0];
    assert_eq!(probe.name, "shop-4.5");
    assert_eq!(probe.query.text, "up{job=\"shop\"} ${x} 4.5");
    assert_eq!(probe.tolerance.to_string(), "between 4.5 and 9");
    insta::assert_snapshot!(
        "overrides",
        shown(&parse(&[("nmae", "x"), ("n", "many")]).expect_err("bad overrides"))
    );
}

fn shown(problems: &[chaos::Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
