//! `check`, `list` and `explain`: playbooks without a run.

use std::collections::BTreeMap;
use std::path::Path;

use chaos::{Playbook, Problem, library};
use serde_json::json;

use crate::output;
use crate::stop::{Stop, USAGE};

/// Largest playbook file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Reads a playbook: the name of a shipped one, or a path.
///
/// A name that is both a file and a shipped playbook is the file only when it looks like a path.
pub(crate) fn load(name: &str, vars: &BTreeMap<String, String>) -> Result<Playbook, Vec<Problem>> {
    let path = Path::new(name);
    let looks_like_path = name.contains('/') || path.extension().is_some();
    if !looks_like_path && let Some(text) = library::get(name) {
        return Playbook::parse(name, text, vars);
    }
    let fail = |message: String| {
        let known = library::names();
        let problem = Problem::of_file(name, message);
        Err(vec![match promql::yaml::decode::closest(name, &known) {
            Some(close) => problem.with_help(format!("did you mean the shipped `{close}`?")),
            None => problem.with_help(format!("shipped playbooks: {}", known.join(", "))),
        }])
    };
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => fail("it is a folder; name one file".to_owned()),
        Ok(meta) if meta.len() > MAX_FILE_BYTES => fail(format!(
            "the file has {} bytes; at most {MAX_FILE_BYTES} are read",
            meta.len()
        )),
        Ok(_) => match std::fs::read(path) {
            Ok(bytes) => Playbook::parse_bytes(name, &bytes, vars),
            Err(error) => fail(format!("the file cannot be read: {error}")),
        },
        Err(_) => fail("there is no such file and no such shipped playbook".to_owned()),
    }
}

/// Reads all playbooks; on problems, all of all files are told and the code is 2.
pub(crate) fn load_all(names: &[String], vars: &[(String, String)]) -> Result<Vec<Playbook>, Stop> {
    let vars: BTreeMap<String, String> = vars.iter().cloned().collect();
    let mut playbooks = Vec::new();
    let mut problems = Vec::new();
    for name in names {
        match load(name, &vars) {
            Ok(playbook) => playbooks.push(playbook),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        return Ok(playbooks);
    }
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(Stop {
        code: USAGE,
        text: text.join("\n"),
    })
}

/// Validates playbooks and says which are fine.
pub(crate) fn check(names: &[String], vars: &[(String, String)]) -> Result<(), Stop> {
    for playbook in load_all(names, vars)? {
        output::result(&format!("{}: ok", playbook.name))?;
    }
    Ok(())
}

/// Prints the timeline that a run would follow.
pub(crate) fn explain(name: &str, vars: &[(String, String)]) -> Result<(), Stop> {
    for playbook in load_all(&[name.to_owned()], vars)? {
        output::result(chaos::explain::timeline(&playbook).trim_end())?;
    }
    Ok(())
}

/// Lists the shipped playbooks.
pub(crate) fn list(as_json: bool) -> Result<(), Stop> {
    let names: Vec<String> = library::names().into_iter().map(str::to_owned).collect();
    let playbooks = load_all(&names, &[])?;
    if as_json {
        let list: Vec<_> = playbooks
            .iter()
            .map(|playbook| {
                json!({
                    "name": playbook.name,
                    "title": playbook.title,
                    "description": playbook.description,
                    "tags": playbook.tags,
                })
            })
            .collect();
        output::result(&json!(list).to_string())?;
        return Ok(());
    }
    let width = playbooks
        .iter()
        .map(|playbook| playbook.name.len())
        .max()
        .unwrap_or(0);
    for playbook in &playbooks {
        output::result(&format!("{:width$}  {}", playbook.name, playbook.title))?;
    }
    Ok(())
}
