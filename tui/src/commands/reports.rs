//! `report` and `runs`: what is left of past runs.

use std::path::{Path, PathBuf};

use chaos::{EventKind, journal, report};
use serde_json::json;

use crate::cli::ReportFormat;
use crate::output;
use crate::state;
use crate::stop::Stop;

/// Prints the report of a journal, named by its path or by the id of its run.
pub(crate) fn report(name: &str, format: ReportFormat) -> Result<(), Stop> {
    let path = find(name)?;
    let journal = journal::read(&path).map_err(|error| {
        Stop::usage(format!(
            "{error}\n  help: a journal is a .jsonl file that a run wrote; `obs-tui runs` lists them"
        ))
    })?;
    if journal.torn {
        output::progress("the last line of the journal is torn: the run ended in the middle of it");
    }
    match format {
        ReportFormat::Text => {
            output::result(report::text(&journal.events, output::style()).trim_end())?;
        }
        ReportFormat::Json => output::result(&report::json(&journal.events).to_string())?,
    }
    Ok(())
}

fn find(name: &str) -> Result<PathBuf, Stop> {
    let path = Path::new(name);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let kept = state::runs_folder()?.join(format!("{name}.jsonl"));
    // An id holds no slash, so the name cannot lead out of the folder.
    if !name.contains('/') && kept.is_file() {
        return Ok(kept);
    }
    Err(Stop::usage(format!(
        "{name}: there is no such journal and no such run; `obs-tui runs` lists the runs"
    )))
}

/// Lists the journals in the state folder, the newest last.
pub(crate) fn runs(as_json: bool) -> Result<(), Stop> {
    let folder = state::runs_folder()?;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    paths.sort_by_key(|path| {
        std::fs::metadata(path)
            .and_then(|meta| meta.modified())
            .ok()
    });
    let runs: Vec<Run> = paths.iter().map(|path| Run::of(path)).collect();
    if as_json {
        let list: Vec<_> = runs
            .iter()
            .map(|run| json!({"run": run.id, "playbook": run.playbook, "verdict": run.verdict}))
            .collect();
        output::result(&json!(list).to_string())?;
        return Ok(());
    }
    if runs.is_empty() {
        output::progress(&format!("no runs yet in {}", folder.display()));
    }
    let width = runs.iter().map(|run| run.id.len()).max().unwrap_or(0);
    for run in &runs {
        output::result(&format!("{:width$}  {}", run.id, run.verdict))?;
    }
    Ok(())
}

/// A past run in one line.
struct Run {
    id: String,
    playbook: String,
    verdict: String,
}

impl Run {
    fn of(path: &Path) -> Self {
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut run = Self {
            id,
            playbook: String::new(),
            verdict: "no verdict: the run goes on, or was cut off".to_owned(),
        };
        match journal::read(path) {
            Err(error) => run.verdict = error.to_string(),
            Ok(journal) => {
                for event in &journal.events {
                    match &event.kind {
                        EventKind::RunStarted(started) => {
                            run.playbook.clone_from(&started.playbook);
                        }
                        EventKind::Verdict(outcome) => {
                            outcome.exit.meaning().clone_into(&mut run.verdict);
                        }
                        _ => {}
                    }
                }
            }
        }
        run
    }
}
