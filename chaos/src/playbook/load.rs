//! From a path or a shipped name to a playbook: the one place of this crate that opens the files
//! a person names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use promql::yaml::{MAX_DOCUMENT_BYTES, decode::closest};

use super::Playbook;
use crate::library;
use crate::problem::Problem;

impl Playbook {
    /// Reads a shipped playbook by its name, or a file by its path.
    pub fn load(name_or_path: &str, vars: &BTreeMap<String, String>) -> Result<Self, Vec<Problem>> {
        if let Some(text) = library::get(name_or_path) {
            return Self::parse(name_or_path, text, vars);
        }
        let bytes = read(name_or_path)?;
        Self::parse_bytes(name_or_path, &bytes, vars)
    }
}

fn read(path: &str) -> Result<Vec<u8>, Vec<Problem>> {
    let not_found = |cause: std::io::Error| {
        let names = library::names();
        let problem = Problem::of_file(path, format!("the playbook cannot be read: {cause}"));
        vec![match closest(path, &names) {
            Some(name) => problem.with_help(format!("did you mean the shipped `{name}`?")),
            None if Path::new(path).extension().is_none() => {
                problem.with_help(format!("shipped playbooks: {}", names.join(", ")))
            }
            None => problem,
        }]
    };
    let file = File::open(path).map_err(not_found)?;
    let limit = MAX_DOCUMENT_BYTES as u64;
    let mut bytes = Vec::new();
    // The length that the file system reports is not asked: a pipe or device has none.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(not_found)?;
    if bytes.len() as u64 > limit {
        return Err(vec![Problem::of_file(
            path,
            format!("the file is larger than {limit} bytes, which is the most that is read"),
        )]);
    }
    Ok(bytes)
}
