//! The dashboard's hands: carries out the effects of the pure core and reports back by message.
//!
//! It is the only place of the dashboard that talks to a network. Every task belongs to the
//! tracker; a newer question of a panel ends the older one.

mod run_events;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chaos::{Cancel, Playbook};
use signals::source::Range;
use signals::{Source, SourceError};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::{DashboardArgs, SourceArgs};
use crate::commands::playbooks;
use crate::commands::run as runs;
use crate::dashboard::terminal::{self, Ending, Options};
use crate::dashboard::{Config, Effect, Model, Msg, NoticeLevel, Palette, Theme};
use crate::lab::INTERVAL;
use crate::output;
use crate::panels::{Panels, rate_window};
use crate::stop::Stop;
use crate::world::World;
pub(crate) use views::fault_view;

/// Messages that may wait for the screen.
const INBOX: usize = 1024;
/// Effects that may wait to be carried out, as while the lab comes up.
const OUTBOX: usize = 256;
/// What the charts show of a lab that has just come up, and of a server with a past.
const EMBEDDED_WINDOW: Duration = Duration::from_mins(2);
const REMOTE_WINDOW: Duration = Duration::from_mins(15);
/// Longest wait for an answer of the source; the core's own refresh goes on meanwhile.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for a run to recover after the dashboard was left.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);

/// Shows the dashboard until it is quit.
pub async fn dashboard(args: DashboardArgs) -> Result<(), Stop> {
    if !output::is_interactive() {
        return Err(Stop::usage(
            "the dashboard needs a terminal; without one use `obs-tui run`, `query` or `list`",
        ));
    }
    let config = config(&args)?;
    let (to_screen, inbox) = mpsc::channel(INBOX);
    let (to_hands, outbox) = mpsc::channel(OUTBOX);
    let quit = CancellationToken::new();
    let hands = serve(args, to_screen, outbox, quit.clone());
    let screen = async {
        let size = crossterm::terminal::size().unwrap_or((80, 24));
        let model = Model::new(config, now_ms(), size);
        let execute = |effect| {
            // The core keeps one question of a kind out at a time and the hands never wait for an
            // answer, so the channel holds a handful and a command finds room.
            let _ = to_hands.try_send(effect);
        };
        let ended = terminal::run(model, inbox, execute, Options::default()).await;
        quit.cancel();
        ended
    };
    tokio::pin!(hands);
    tokio::pin!(screen);
    let (ended, served) = tokio::select! {
        // The hands only end early when the world cannot be opened.
        Err(stop) = &mut hands => return Err(stop),
        ended = &mut screen => (ended, hands.await),
    };
    served?;
    match ended.map_err(Stop::environment)? {
        (Ending::Signal(number), _) => Err(Stop::silent(exit_code(number))),
        (Ending::Quit | Ending::Hangup, _) => Ok(()),
    }
}

/// A program that a signal ended says so the way shells do.
fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

fn config(args: &DashboardArgs) -> Result<Config, Stop> {
    let remote = args.source.prometheus.is_some();
    let window = if remote {
        args.rate_window.unwrap_or(Duration::from_mins(1))
    } else {
        args.rate_window.unwrap_or_else(|| rate_window(INTERVAL))
    };
    let shown = if remote {
        REMOTE_WINDOW
    } else {
        EMBEDDED_WINDOW
    };
    let panels = Panels::new(args.select.as_deref(), &args.panels, window).map_err(Stop::usage)?;
    let targets = if remote {
        crate::attach::named_controls(&args.faults)?
            .into_iter()
            .map(|control| control.name)
            .collect()
    } else {
        vec!["shop".to_owned(), "load".to_owned()]
    };
    let palette = args.theme.map_or_else(
        || Palette::detect(|name| std::env::var(name).ok()),
        Palette::from,
    );
    let refresh = if remote { args.refresh } else { INTERVAL };
    Ok(Config {
        source: source_name(&args.source),
        alertmanager: args.source.alertmanager.as_deref().map(without_credentials),
        fault_targets: targets,
        panels: panels.specs(),
        services: services(args),
        playbooks: views::shipped(),
        window_ms: millis(args.window.unwrap_or(shown)),
        refresh_ms: millis(refresh),
        min_step_ms: millis(refresh.min(INTERVAL)),
        theme: Theme::new(palette, args.ascii),
        zone: jiff::tz::TimeZone::system(),
    })
}

/// The services that the panels can show. With matchers of one's own there is nothing to choose.
fn services(args: &DashboardArgs) -> Vec<String> {
    match &args.select {
        Some(select) => vec![select.clone()],
        None => ["storefront", "orders", "payments", "catalog"]
            .map(str::to_owned)
            .to_vec(),
    }
}

fn source_name(args: &SourceArgs) -> String {
    args.prometheus
        .as_deref()
        .map_or_else(|| "embedded".to_owned(), without_credentials)
}

fn without_credentials(url: &str) -> String {
    url::Url::parse(url).map_or_else(
        |_| url.to_owned(),
        |mut parsed| {
            // Fails only for addresses that cannot hold credentials.
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            parsed.to_string().trim_end_matches('/').to_owned()
        },
    )
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    millis(since.unwrap_or_default())
}

/// Opens the world, carries effects out until `quit`, and closes the world again.
async fn serve(
    args: DashboardArgs,
    screen: mpsc::Sender<Msg>,
    mut outbox: mpsc::Receiver<Effect>,
    quit: CancellationToken,
) -> Result<(), Stop> {
    let opened = tokio::select! {
        world = World::open(&args.source, &args.faults, 1) => world?,
        () = quit.cancelled() => return Ok(()),
    };
    let mut hands = Hands::new(opened, screen);
    loop {
        tokio::select! {
            () = quit.cancelled() => break,
            lost = hands.child_lost() => hands.notice(NoticeLevel::Error, lost),
            effect = outbox.recv() => match effect {
                Some(effect) => hands.carry_out(effect),
                None => break,
            },
        }
    }
    hands.finish().await;
    Ok(())
}

/// Carries out effects in tasks of its own.
struct Hands {
    world: World,
    screen: mpsc::Sender<Msg>,
    tasks: TaskTracker,
    panels: BTreeMap<usize, AbortHandle>,
    run: Option<Cancel>,
    children_lost: bool,
}

impl Hands {
    fn new(world: World, screen: mpsc::Sender<Msg>) -> Self {
        Self {
            world,
            screen,
            tasks: TaskTracker::new(),
            panels: BTreeMap::new(),
            run: None,
            children_lost: false,
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::QueryPanel {
                panel,
                request,
                expr,
                range,
            } => self.query_panel(panel, request, expr, range),
            Effect::FetchRules => self.fetch_rules(),
            Effect::FetchFaults => self.fetch_faults(),
            Effect::FetchAlertmanager => self.fetch_alertmanager(),
            Effect::StartPlaybook { name } => self.start_playbook(&name),
            Effect::AbortRun => {
                if let Some(run) = &self.run {
                    run.request();
                }
            }
            Effect::StopAllFaults => self.stop_all_faults(),
            Effect::StopFault { target, id } => self.stop_fault(&target, &id),
            // The rim does these itself.
            Effect::CopyToClipboard(_) | Effect::Suspend | Effect::Quit => {}
        }
    }

    fn query_panel(&mut self, panel: usize, request: u64, expr: String, range: Range) {
        let source = Arc::clone(&self.world.source);
        let screen = self.screen.clone();
        let task = self.tasks.spawn(async move {
            let result = in_time(&*source, source.range(&expr, range)).await;
            let _ = screen
                .send(Msg::Series {
                    panel,
                    request,
                    result,
                })
                .await;
        });
        if let Some(older) = self.panels.insert(panel, task.abort_handle()) {
            older.abort();
        }
    }

    fn fetch_rules(&self) {
        let source = Arc::clone(&self.world.source);
        let screen = self.screen.clone();
        self.tasks.spawn(async move {
            let result = in_time(&*source, source.rules()).await;
            let _ = screen.send(Msg::Rules(result)).await;
        });
    }

    fn fetch_faults(&self) {
        for control in &self.world.controls {
            let control = control.clone();
            let screen = self.screen.clone();
            self.tasks.spawn(async move {
                let result = match control.list().await {
                    Ok(listing) => Ok(views::faults(&listing)),
                    Err(error) => Err(error.to_string()),
                };
                let target = control.name().to_owned();
                let _ = screen.send(Msg::Faults { target, result }).await;
            });
        }
    }

    fn fetch_alertmanager(&self) {
        let Some(alertmanager) = self.world.alertmanager.clone() else {
            return;
        };
        let screen = self.screen.clone();
        self.tasks.spawn(async move {
            let result = alertmanager.status().await;
            let result = result.map(|_| ()).map_err(|error| error.to_string());
            let _ = screen.send(Msg::Alertmanager(result)).await;
        });
    }

    fn stop_all_faults(&self) {
        for control in &self.world.controls {
            let control = control.clone();
            let screen = self.screen.clone();
            self.tasks.spawn(async move {
                let stopped = control
                    .withdraw_all(None, "stopped from the dashboard")
                    .await;
                let (level, text) = match stopped {
                    Ok(gone) if gone.withdrawn.is_empty() => return,
                    Ok(gone) => {
                        let ids: Vec<&str> =
                            gone.withdrawn.iter().map(fault::FaultId::as_str).collect();
                        let text = format!("withdrawn on {}: {}", control.name(), ids.join(", "));
                        (NoticeLevel::Warning, text)
                    }
                    Err(error) => (NoticeLevel::Error, error.to_string()),
                };
                let _ = screen.send(Msg::Notice { level, text }).await;
            });
        }
        self.fetch_faults();
    }

    fn stop_fault(&self, target: &str, id: &str) {
        let control = self
            .world
            .controls
            .iter()
            .find(|control| control.name() == target);
        let (Some(control), Ok(id)) = (control.cloned(), id.parse::<fault::FaultId>()) else {
            return;
        };
        let screen = self.screen.clone();
        self.tasks.spawn(async move {
            let stopped = control
                .withdraw(&id, None, "stopped from the dashboard")
                .await;
            if let Err(error) = stopped {
                let (level, text) = (NoticeLevel::Error, error.to_string());
                let _ = screen.send(Msg::Notice { level, text }).await;
            }
        });
    }

    fn start_playbook(&mut self, name: &str) {
        let playbook: Playbook = match playbooks::load(name, &BTreeMap::new()) {
            Ok(playbook) => playbook,
            Err(problems) => {
                let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
                return self.notice(NoticeLevel::Error, text.join("; "));
            }
        };
        let options = match runs::options(&playbook.name, 1, None) {
            Ok(options) => options,
            Err(stop) => return self.notice(NoticeLevel::Error, stop.text),
        };
        let cancel = Cancel::new();
        self.run = Some(cancel.clone());
        let runner = runs::runner(&self.world);
        let (events, heard) = mpsc::channel(runs::EVENT_BACKLOG);
        self.tasks.spawn(run_events::forward(
            playbook.clone(),
            heard,
            self.screen.clone(),
        ));
        self.tasks.spawn(async move {
            // The verdict reaches the screen as the last event.
            runner.run(&playbook, options, &cancel, &events).await;
        });
    }

    fn notice(&self, level: NoticeLevel, text: String) {
        // When the screen is that far behind, one line of its log does not matter.
        let _ = self.screen.try_send(Msg::Notice { level, text });
    }

    /// Ends once, with what to tell the person, when a child of the lab is lost.
    async fn child_lost(&mut self) -> String {
        match &mut self.world.lab {
            Some(lab) if !self.children_lost => {
                let text = lab.child_lost().await;
                self.children_lost = true;
                text
            }
            _ => std::future::pending().await,
        }
    }

    /// Lets a run recover, ends every task and takes the world down.
    async fn finish(self) {
        if let Some(run) = &self.run {
            run.request();
        }
        self.tasks.close();
        for older in self.panels.values() {
            older.abort();
        }
        drop(self.screen);
        if tokio::time::timeout(RECOVERY_LIMIT, self.tasks.wait())
            .await
            .is_err()
        {
            output::progress("obs-tui: the run did not recover in time; its leases end its faults");
        }
        self.world.close().await;
    }
}

async fn in_time<T>(
    source: &dyn Source,
    answer: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(SourceError::Timeout {
            url: source.describe(),
            timeout_ms: ANSWER_TIMEOUT.as_millis() as u64,
        }),
    }
}
