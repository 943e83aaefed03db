//! `session`: brings everything up, waits until it is healthy, lets customers shop for a while,
//! takes everything down, and says how it went.
//!
//! Reading order: this file (the course), `watch` (what is asked of the engine meanwhile), `report`
//! (what is left of it).

mod report;
mod watch;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chaos::Cancel;
use serde_json::Value;

use crate::cli::SessionArgs;
use crate::commands::run::listen;
use crate::lab::{Lab, LabSpec};
use crate::output;
use crate::state;
use crate::stop::{ENVIRONMENT, Stop};
use report::Report;
use watch::{Health, Watch};

/// How often the engine is asked.
const LOOK: Duration = Duration::from_secs(1);
/// How often progress is told where nothing can be drawn anew.
const TELL: Duration = Duration::from_secs(10);
/// Everybody who comes to a shop and means no harm, one of each.
const KINDS: &str = "browsers=1,abandoners=1,buyers=1,admins=1";
/// Longest wait of the traffic for visits under way: less than a child may take to stop.
const DRAIN_LIMIT: &str = "3s";
/// Said at the first wish to stop, and at the second.
const STOPPING: [&str; 2] = [
    "stopping: customers finish their visits; once more leaves at once",
    "leaving",
];

/// Exit code for a missed objective.
const MISSED: u8 = 1;
/// Exit code for an interrupted session.
const INTERRUPTED: u8 = 5;

/// Holds a session.
pub(crate) async fn run(args: SessionArgs) -> Result<(), Stop> {
    let cancel = Cancel::new();
    let signals = tokio::spawn(listen(cancel.clone(), STOPPING));
    let outcome = tokio::select! {
        outcome = hold(&args, &cancel) => outcome,
        // Dropped, the lab is killed.
        () = cancel.more_than(1) => Err(Stop::silent(INTERRUPTED)),
    };
    signals.abort();
    outcome
}

async fn hold(args: &SessionArgs, cancel: &Cancel) -> Result<(), Stop> {
    let traffic = TrafficFile::new()?;
    output::progress("starting the shop, its customers and the engine");
    let lab = tokio::select! {
        lab = Lab::start(spec(args, &traffic.0)) => lab?,
        () = cancel.more_than(0) => return Err(Stop::silent(INTERRUPTED)),
    };
    let mut session = Session {
        watch: Watch::new(lab.source()).map_err(Stop::environment)?,
        lab,
        line: Line::new(),
    };
    let ready = session.get_healthy(args.healthy_within, cancel).await;
    let began_ms = watch::now_ms();
    let mut report = Report::new(args);
    match ready {
        Ready::Healthy => report.lost = session.shop(args.duration, cancel).await,
        Ready::Interrupted => {}
        Ready::Lost(why) => report.lost = Some(why),
    }
    drop(session.line);
    report.interrupted = cancel.requests() > 0;
    report.look_back(&session.watch, began_ms).await;
    output::progress("draining: customers finish their visits, then everything stops");
    session.lab.shutdown().await;
    report.traffic = traffic.read();
    publish(args, &report)?;
    match exit_code(&report) {
        0 => Ok(()),
        code => Err(Stop::silent(code)),
    }
}

/// What the lab is to be: the usual one, with this session's customers.
fn spec(args: &SessionArgs, traffic: &Path) -> LabSpec {
    let mut load = vec![
        format!("--users={}", args.users),
        format!("--mix={KINDS}"),
        format!("--drain-limit={DRAIN_LIMIT}"),
        format!("--summary-json={}", traffic.display()),
    ];
    load.extend(args.rate.map(|rate| format!("--rate={rate}")));
    // The admins among the customers take the account of the demo.
    load.push("--demo".to_owned());
    LabSpec {
        seed: args.seed,
        load,
    }
}

fn exit_code(report: &Report) -> u8 {
    match () {
        () if report.interrupted => INTERRUPTED,
        () if report.lost.is_some() || !report.has_data() => ENVIRONMENT,
        () if !report.is_met() => MISSED,
        () => 0,
    }
}

fn publish(args: &SessionArgs, report: &Report) -> Result<(), Stop> {
    let document = || report.json(exit_code(report)).to_string();
    if let Some(file) = &args.report {
        let is_json = file
            .extension()
            .is_some_and(|extension| extension == "json");
        let text = if is_json { document() } else { report.text() };
        std::fs::write(file, text.trim_end().to_owned() + "\n")
            .map_err(|error| Stop::usage(format!("--report {}: {error}", file.display())))?;
    }
    let text = if args.json { document() } else { report.text() };
    Ok(output::result(&text)?)
}

/// How the wait for health ended.
enum Ready {
    Healthy,
    Interrupted,
    Lost(String),
}

/// A lab with customers in it.
struct Session {
    lab: Lab,
    watch: Watch,
    line: Line,
}

impl Session {
    /// Waits until shop and traffic are scraped and customers get answers.
    async fn get_healthy(&mut self, limit: Duration, cancel: &Cancel) -> Ready {
        let began = Instant::now();
        loop {
            let health = self.watch.health().await;
            if health == Health::Healthy {
                self.line.note("healthy: the session begins");
                return Ready::Healthy;
            }
            if began.elapsed() >= limit {
                let within = humantime::format_duration(limit);
                return Ready::Lost(format!("not healthy within {within}: {health}"));
            }
            self.line.tell(&format!("waiting until healthy: {health}"));
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = cancel.more_than(0) => return Ready::Interrupted,
                lost = self.lab.child_lost() => return Ready::Lost(lost),
            }
        }
    }

    /// Lets customers shop; returns what ended by itself, if something did.
    async fn shop(&mut self, duration: Duration, cancel: &Cancel) -> Option<String> {
        let began = Instant::now();
        loop {
            let left = duration.saturating_sub(began.elapsed());
            if left.is_zero() {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK.min(left)) => {}
                () = cancel.more_than(0) => return None,
                lost = self.lab.child_lost() => return Some(lost),
            }
            let glance = self.watch.glance().await;
            for change in &glance.changes {
                self.line.note(change);
            }
            let elapsed = clock(began.elapsed());
            self.line
                .tell(&format!("{elapsed} / {}  {glance}", clock(duration)));
        }
    }
}

/// Writes minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// Progress on stderr: one line that is drawn anew on a terminal, a line now and then elsewhere.
struct Line {
    is_terminal: bool,
    told: Option<Instant>,
}

impl Line {
    fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            told: None,
        }
    }

    /// Says how it goes.
    fn tell(&mut self, text: &str) {
        if self.is_terminal {
            output::redraw(text);
        } else if self.told.is_none_or(|told| told.elapsed() >= TELL) {
            self.told = Some(Instant::now());
            output::progress(text);
        }
    }

    /// Says what stays on the screen.
    fn note(&mut self, text: &str) {
        if self.is_terminal {
            output::redraw("");
        }
        output::progress(text);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.is_terminal {
            output::redraw("");
        }
    }
}

/// Where the load generator leaves its summary; removed at the end.
struct TrafficFile(PathBuf);

impl TrafficFile {
    fn new() -> Result<Self, Stop> {
        let folder = state::state_folder()
            .map_err(|error| Stop::environment(format!("the state folder: {error}")))?;
        let name = format!("session-{}.json", std::process::id());
        Ok(Self(folder.join(name)))
    }

    /// Returns the summary, unless the generator was killed before it wrote it.
    fn read(&self) -> Option<Value> {
        let text = std::fs::read_to_string(&self.0).ok()?;
        serde_json::from_str(&text).ok()
    }
}

impl Drop for TrafficFile {
    fn drop(&mut self) {
        // There is none if the generator was killed.
        let _ = std::fs::remove_file(&self.0);
    }
}
