//! A Prometheus inside this process, as a source: it scrapes, evaluates and notifies by itself.
//!
//! What happens at which moment is decided in `core` and `scrape`, which have no clock and no
//! sockets; this file and `ticks` only wait, fetch and publish. Every task belongs to a tracker and
//! ends with [`Embedded::shutdown`] or with the last handle.
//!
//! Modules in reading order: `core`, `scrape`, `exemplars`, `fetch`, `writer`, `ticks`, `answers`.

mod answers;
mod core;
mod exemplars;
mod fetch;
mod scrape;
mod ticks;
mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use promql::labels::Labels;
use promql::rules::{RuleFile, Transition};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::core::{Core, TargetKey};
use crate::alertmanager::Alertmanager;
use crate::clock::Clock;
use crate::connect::{ConnectError, Connection};
use crate::exposition::Parser;
use fetch::Fetcher;
use writer::Writer;

/// Transitions that a slow subscriber may lag behind.
const TRANSITION_BACKLOG: usize = 1024;

/// One address to scrape.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetSpec {
    /// The job label.
    pub job: String,
    /// The instance label; host and port of the address when empty.
    pub instance: String,
    /// The address, path included, such as `http://127.0.0.1:9464/metrics`.
    pub url: String,
}

/// What is done with an answer whose Content-Type is neither of the two known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContentTypeCheck {
    /// The scrape fails, as in Prometheus 3.x.
    #[default]
    Strict,
    /// It is read as text 0.0.4, as in Prometheus 2.x.
    Lenient,
}

/// What the engine scrapes, evaluates and keeps.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// What is scraped from the start.
    pub targets: Vec<TargetSpec>,
    /// The rules.
    pub rules: Vec<RuleFile>,
    /// Time between scrapes; a scrape may take as long, but at most 10 s.
    pub scrape_interval: Duration,
    /// Time between evaluations of groups that set none.
    pub evaluation_interval: Duration,
    /// How long samples are kept.
    pub retention: Duration,
    /// Where alerts are posted.
    pub alertmanager: Option<Connection>,
    /// Time between posts of an alert that goes on firing.
    pub resend_delay: Duration,
    /// Labels of this engine, for templates and added to posted alerts.
    pub external_labels: Labels,
    /// How scraped texts are read.
    pub parser: Parser,
    /// How strict the Content-Type is taken.
    pub content_type: ContentTypeCheck,
    /// Tells the time.
    pub clock: Clock,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            rules: Vec::new(),
            scrape_interval: Duration::from_secs(1),
            evaluation_interval: Duration::from_secs(1),
            retention: Duration::from_hours(1),
            alertmanager: None,
            resend_delay: Duration::from_mins(1),
            external_labels: Labels::default(),
            parser: Parser::Strict,
            content_type: ContentTypeCheck::Strict,
            clock: Clock::wall(),
        }
    }
}

/// Why the engine cannot start. Each text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbeddedError {
    /// An interval is too short.
    #[error("{what} must be at least 1 ms")]
    Interval {
        /// Which one.
        what: &'static str,
    },
    /// A target cannot be scraped.
    #[error("target {url}: {cause}")]
    Target {
        /// Its address.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Two targets have the same labels.
    #[error("two targets have job {job:?} and instance {instance:?}; give one another instance")]
    TwoTargets {
        /// The job.
        job: String,
        /// The instance.
        instance: String,
    },
    /// The system gives no thread.
    #[error("no thread for the engine: {0}")]
    Thread(String),
    /// The Alertmanager cannot be used.
    #[error("Alertmanager: {0}")]
    Alertmanager(#[from] ConnectError),
}

/// How far the engine has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The newest committed scrape, milliseconds since the epoch.
    pub last_scrape_ms: Option<i64>,
    /// The newest evaluation of a rule group, milliseconds since the epoch.
    pub last_evaluation_ms: Option<i64>,
}

/// The running engine. Cloning gives another handle; the last one stops it.
#[derive(Clone)]
pub struct Embedded {
    shared: Arc<Shared>,
    _stop: Arc<DropGuard>,
}

/// What the tasks work on.
struct Shared {
    core: RwLock<Core>,
    writer: Writer,
    fetcher: Fetcher,
    alertmanager: Option<Alertmanager>,
    settings: Settings,
    scrapes: Mutex<BTreeMap<TargetKey, CancellationToken>>,
    transitions: broadcast::Sender<Transition>,
    progress: watch::Sender<Progress>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What stays as it was configured.
struct Settings {
    scrape_interval_ms: i64,
    resend_delay_ms: i64,
    external_labels: Labels,
    clock: Clock,
    started_ms: i64,
}

impl Embedded {
    /// Starts to scrape and to evaluate. It must be called inside a tokio runtime.
    pub fn start(config: EmbeddedConfig) -> Result<Self, EmbeddedError> {
        let scrape_interval_ms = positive_ms("the scrape interval", config.scrape_interval)?;
        positive_ms("the evaluation interval", config.evaluation_interval)?;
        let targets = checked(config.targets.clone())?;
        let alertmanager = config
            .alertmanager
            .as_ref()
            .map(Alertmanager::new)
            .transpose()?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            writer: Writer::start()?,
            fetcher: Fetcher::new(&config)?,
            alertmanager,
            settings: Settings {
                scrape_interval_ms,
                resend_delay_ms: config.resend_delay.as_millis() as i64,
                external_labels: config.external_labels.clone(),
                started_ms: config.clock.now_ms(),
                clock: config.clock.clone(),
            },
            core: RwLock::new(Core::new(config)),
            scrapes: Mutex::default(),
            transitions: broadcast::channel(TRANSITION_BACKLOG).0,
            progress: watch::channel(Progress::default()).0,
            stop: stop.clone(),
            tasks: TaskTracker::new(),
        });
        ticks::start_targets(&shared, targets);
        ticks::start_groups(&shared);
        Ok(Self {
            shared,
            _stop: Arc::new(stop.drop_guard()),
        })
    }

    /// Replaces the set of targets. A target that keeps job and instance keeps its series, also at
    /// another address; the series of one that is gone end with stale markers two scrapes later, as
    /// in Prometheus.
    pub fn set_targets(&self, targets: Vec<TargetSpec>) -> Result<(), EmbeddedError> {
        let targets = checked(targets)?;
        ticks::start_targets(&self.shared, targets);
        Ok(())
    }

    /// Returns the changes of alert states from now on.
    pub fn transitions(&self) -> broadcast::Receiver<Transition> {
        self.shared.transitions.subscribe()
    }

    /// Returns how far the engine has come; it changes with every scrape and evaluation.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.shared.progress.subscribe()
    }

    /// Returns how many series and samples are held.
    pub fn size(&self) -> (usize, usize) {
        self.shared.read(Core::size)
    }

    /// Ends all tasks and waits for them. What was collected can still be asked for.
    pub async fn shutdown(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Shared {
    fn read<T>(&self, ask: impl FnOnce(&Core) -> T) -> T {
        ask(&self.core.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Core) -> T) -> T {
        change(&mut self.core.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn positive_ms(what: &'static str, duration: Duration) -> Result<i64, EmbeddedError> {
    match i64::try_from(duration.as_millis()) {
        Ok(ms) if ms > 0 => Ok(ms),
        _ => Err(EmbeddedError::Interval { what }),
    }
}

/// Fills in the instance labels and refuses what cannot be told apart.
fn checked(targets: Vec<TargetSpec>) -> Result<BTreeMap<TargetKey, TargetSpec>, EmbeddedError> {
    let mut known = BTreeMap::new();
    for mut target in targets {
        let bad = |cause: String| EmbeddedError::Target {
            url: crate::clean::message(&target.url),
            cause,
        };
        let url = url::Url::parse(&target.url).map_err(|e| bad(e.to_string()))?;
        let host = url.host_str().ok_or_else(|| bad("no host".to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("the scheme is neither http nor https".to_owned()));
        }
        if target.instance.is_empty() {
            let port = url.port_or_known_default().unwrap_or_default();
            target.instance = format!("{host}:{port}");
        }
        let key = (target.job.clone(), target.instance.clone());
        if known.contains_key(&key) {
            let (job, instance) = key;
            return Err(EmbeddedError::TwoTargets { job, instance });
        }
        known.insert(key, target);
    }
    Ok(known)
}
