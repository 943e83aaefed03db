//! `run`: carries playbooks out, one after the other, and ends with the worst verdict.

use std::io;
use std::path::Path;

use chaos::runner::run_id;
use chaos::sanitise;
use chaos::{
    Cancel, Event, ExitCode, Outcome, Playbook, RunOptions, Runner, explain, journal, report,
};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::cli::RunArgs;
use crate::commands::playbooks;
use crate::output;
use crate::run_words;
use crate::state;
use crate::stop::Stop;
use crate::world::World;

/// Runs what is asked for.
pub(crate) async fn run(args: RunArgs) -> Result<(), Stop> {
    let playbooks = playbooks::load_all(&args.playbooks, &args.vars)?;
    if args.dry_run {
        return dry_run(&playbooks, &args);
    }
    let cancel = Cancel::new();
    let signals = tokio::spawn(listen(cancel.clone(), STOPPING));
    let outcome = run_all(&playbooks, &args, &cancel).await;
    signals.abort();
    match outcome? {
        ExitCode::Pass => Ok(()),
        worst => Err(Stop::silent(worst.code())),
    }
}

async fn run_all(
    playbooks: &[Playbook],
    args: &RunArgs,
    cancel: &Cancel,
) -> Result<ExitCode, Stop> {
    // The journal folder is made first: evidence that cannot be kept must not be produced.
    let folder = journal_folder(args.report_dir.as_deref())?;
    let world = tokio::select! {
        world = World::open(&args.source, &args.faults, args.seed) => world?,
        () = cancel.more_than(0) => return Ok(ExitCode::Interrupted),
    };
    let runner = runner(&world).take_over(args.faults.take_over);
    let mut exits = Vec::new();
    let mut documents = Vec::new();
    for playbook in playbooks {
        let options = options(&playbook.name, args.seed, Some(&folder))?;
        let outcome = run_one(
            &runner,
            playbook,
            options,
            cancel,
            args.json,
            &mut documents,
        )
        .await;
        exits.push(outcome.exit);
        if cancel.requests() > 0 {
            break;
        }
    }
    if cancel.requests() < 2 {
        world.close().await;
    }
    if args.json {
        output::result(&one_document(documents).to_string())?;
    }
    Ok(ExitCode::worst(exits))
}

/// One playbook is one object; several stand in a list.
fn one_document(mut documents: Vec<Value>) -> Value {
    if documents.len() == 1 {
        documents.remove(0)
    } else {
        json!(documents)
    }
}

async fn run_one(
    runner: &Runner,
    playbook: &Playbook,
    options: RunOptions,
    cancel: &Cancel,
    as_json: bool,
    documents: &mut Vec<Value>,
) -> Outcome {
    let path = options
        .journal
        .as_ref()
        .map(|journal| journal.path().to_owned());
    let (events, heard) = mpsc::channel(EVENT_BACKLOG);
    let teller = tokio::spawn(tell(heard));
    let outcome = runner.run(playbook, options, cancel, &events).await;
    drop(events);
    let heard = teller.await.unwrap_or_default();
    let events = evidence(path.as_deref(), heard);
    if as_json {
        documents.push(report::json(&events));
    } else if let Err(error) = output::result(&report::text(&events, output::style())) {
        output::progress(&format!("obs-tui: stdout: {error}"));
    }
    if let Some(path) = path {
        output::progress(&format!("journal: {}", path.display()));
    }
    outcome
}

/// A report is a function of the journal; what was heard stands in for a journal that broke off.
fn evidence(path: Option<&Path>, heard: Vec<Event>) -> Vec<Event> {
    match path.map(journal::read) {
        Some(Ok(journal)) if journal.events.len() >= heard.len() => journal.events,
        _ => heard,
    }
}

/// Events of a run that may wait for the terminal.
pub(crate) const EVENT_BACKLOG: usize = 4096;

/// Says what happens while it happens, and returns all events for the report.
async fn tell(mut heard: mpsc::Receiver<Event>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    while let Some(event) = heard.recv().await {
        let began_ms = events.first().map_or(event.t_ms, |first| first.t_ms);
        if let Some(words) = run_words::words(&event.kind) {
            let since = (event.t_ms - began_ms) as f64 / 1000.0;
            output::progress(&format!("{since:7.1}s  {}", sanitise::line(&words)));
        }
        events.push(event);
    }
    events
}

/// Returns a runner for a world.
pub(crate) fn runner(world: &World) -> Runner {
    Runner::new(
        world.source.clone(),
        world.controls.clone(),
        world.lab.is_some(),
    )
}

/// Returns what belongs to one run, its journal in `folder` or in the state folder.
pub(crate) fn options(
    playbook: &str,
    seed: u64,
    folder: Option<&Path>,
) -> Result<RunOptions, Stop> {
    let run_id = run_id(playbook);
    let folder = journal_folder(folder)?;
    let journal = journal::Writer::create(folder.join(format!("{run_id}.jsonl")))
        .map_err(Stop::environment)?;
    Ok(RunOptions {
        run_id,
        seed,
        journal: Some(journal),
    })
}

fn journal_folder(folder: Option<&Path>) -> Result<std::path::PathBuf, Stop> {
    let failed =
        |error: io::Error| Stop::environment(format!("the folder of the journals: {error}"));
    match folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| {
                Stop::usage(format!("--report-dir {}: {error}", folder.display()))
            })?;
            Ok(folder.to_owned())
        }
        None => state::runs_folder().map_err(failed),
    }
}

fn dry_run(playbooks: &[Playbook], args: &RunArgs) -> Result<(), Stop> {
    for playbook in playbooks {
        output::result(explain::timeline(playbook).trim_end())?;
        let calls = explain::calls(playbook, &run_id(&playbook.name), args.seed);
        output::result(explain::dry_run(&calls).trim_end())?;
    }
    Ok(())
}

/// Said at the first wish to stop, and at the second.
const STOPPING: [&str; 2] = [
    "stopping: faults are withdrawn; once more leaves at once",
    "leaving: the leases end the faults",
];

/// Turns Ctrl-C and SIGTERM into the wish to stop: once to recover, twice to leave.
pub(crate) async fn listen(cancel: Cancel, words: [&str; 2]) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        cancel.request();
        output::progress(words[usize::from(cancel.requests() > 1)]);
    }
}
