//! The shell around the machine of [`crate::run`]: it has the clock, the source and the fault
//! clients, and does what the machine says.
//!
//! Everything under way belongs to the future of [`Runner::run`]; nothing is spawned. Dropping that
//! future leaves the faults to their leases.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fault::FaultId;
use fault::client::Client;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use signals::{Source, SourceError};
use tokio::sync::mpsc::Sender;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::cancel::Cancel;
use crate::event::{Event, EventKind};
use crate::journal::Writer;
use crate::playbook::Playbook;
use crate::run::{Command, FaultView, Input, Machine, RulesFailure, Setup, TargetState};
use crate::verdict::Outcome;

/// How often the machine looks at the clock.
const TICK: Duration = Duration::from_millis(100);
/// A query that takes longer has no answer.
const QUERY_LIMIT: Duration = Duration::from_secs(10);
/// A call to a target that takes longer has no answer.
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// Runs playbooks against one source and a set of fault targets.
#[derive(Clone)]
pub struct Runner {
    source: Arc<dyn Source>,
    targets: Vec<Client>,
    embedded: bool,
    take_over: bool,
}

/// What belongs to one run.
#[derive(Debug)]
pub struct RunOptions {
    /// The name of the run, as from [`run_id`].
    pub run_id: String,
    /// The seed of the faults' decisions.
    pub seed: u64,
    /// Where the journal goes.
    pub journal: Option<Writer>,
}

/// Returns a name for a run: the playbook, the second, and something random, in the letters that
/// fault ids allow.
#[expect(
    clippy::disallowed_methods,
    reason = "the name of a run is made at the rim"
)]
pub fn run_id(playbook: &str) -> String {
    let stem = std::path::Path::new(playbook)
        .file_stem()
        .map_or("run".into(), |stem| stem.to_string_lossy().to_lowercase());
    let name: String = stem
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let second = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    let random: String = std::iter::repeat_with(fastrand::alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .take(4)
        .collect();
    format!("{name}-{second}-{random}")
}

type Pending<'a> = Pin<Box<dyn Future<Output = Input> + Send + 'a>>;

impl Runner {
    /// Returns a runner. `embedded` says that the source is our own engine.
    pub fn new(source: Arc<dyn Source>, targets: Vec<Client>, embedded: bool) -> Self {
        Self {
            source,
            targets,
            embedded,
            take_over: false,
        }
    }

    /// Lets runs go ahead although faults of another owner are live on a target.
    #[must_use]
    pub fn take_over(mut self, take_over: bool) -> Self {
        self.take_over = take_over;
        self
    }

    /// Carries out a playbook to its verdict. Events go to the journal first and to `events` then;
    /// nobody need listen, and what does not fit into `events` is left out there.
    pub async fn run(
        &self,
        playbook: &Playbook,
        options: RunOptions,
        cancel: &Cancel,
        events: &Sender<Event>,
    ) -> Outcome {
        let setup = Setup {
            run_id: options.run_id,
            source: self.source.describe(),
            embedded: self.embedded,
            targets: self.targets.iter().map(|t| t.name().to_owned()).collect(),
            seed: options.seed,
            take_over: self.take_over,
        };
        let mut machine = Machine::new(Arc::new(playbook.clone()), setup);
        let mut record = Record {
            journal: options.journal,
            events,
        };
        let clock = Clock::start();
        let mut under_way: FuturesUnordered<Pending<'_>> = FuturesUnordered::new();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cancels = 0;
        loop {
            let input = tokio::select! {
                biased;
                () = cancel.more_than(cancels) => {
                    cancels += 1;
                    Input::Cancel
                }
                Some(input) = under_way.next() => input,
                _ = ticks.tick() => Input::Tick,
            };
            for command in machine.step(clock.now_ms(), input) {
                match command {
                    Command::Emit(event) => record.append(event),
                    Command::Finish(outcome) => return *outcome,
                    other => under_way.push(Box::pin(self.execute(other))),
                }
            }
        }
    }

    async fn execute(&self, command: Command) -> Input {
        match command {
            Command::Query { ask, expr } => Input::Answer {
                ask,
                result: asked(self.source.instant(&expr, None))
                    .await
                    .map(|a| a.value),
            },
            Command::Range { ask, expr, range } => Input::Ranged {
                ask,
                result: asked(self.source.range(&expr, range))
                    .await
                    .map(|a| a.value),
            },
            Command::Rules => Input::Rules(self.rules().await),
            Command::List { target, asked_ms } => Input::Listed {
                target,
                asked_ms,
                result: called(self.targets[target].list())
                    .await
                    .map(|listing| TargetState::from(&listing)),
            },
            Command::Arm {
                fault,
                target,
                order,
            } => {
                let request = order.request();
                let armed = self.with_id(&order.id, async |id| {
                    called(self.targets[target].arm(id, &request, self.take_over)).await
                });
                Input::Armed {
                    fault,
                    result: armed.await.map(|status| FaultView::from(&status)),
                }
            }
            Command::Renew {
                fault,
                target,
                id,
                owner,
            } => {
                let renewed = self.with_id(&id, async |id| {
                    called(self.targets[target].renew(id, &owner)).await
                });
                Input::Renewed {
                    fault,
                    result: renewed.await.map(|_| ()),
                }
            }
            Command::Withdraw {
                fault,
                target,
                id,
                owner,
            } => {
                let withdrawn = self.with_id(&id, async |id| {
                    let reason = "the run recovers";
                    called(self.targets[target].withdraw(id, Some(&owner), reason)).await
                });
                Input::Withdrawn {
                    fault,
                    result: withdrawn.await.map(|_| ()),
                }
            }
            // Handled where the machine is stepped.
            Command::Emit(_) | Command::Finish(_) => Input::Tick,
        }
    }

    async fn with_id<T>(
        &self,
        id: &str,
        call: impl AsyncFnOnce(&FaultId) -> Result<T, String>,
    ) -> Result<T, String> {
        match id.parse::<FaultId>() {
            Ok(id) => call(&id).await,
            Err(error) => Err(error.to_string()),
        }
    }

    async fn rules(&self) -> Result<Vec<signals::source::Rule>, RulesFailure> {
        match timeout(QUERY_LIMIT, self.source.rules()).await {
            Ok(Ok(answer)) => Ok(answer.value),
            Ok(Err(error @ SourceError::NotOffered { .. })) => {
                Err(RulesFailure::NotOffered(error.to_string()))
            }
            Ok(Err(error)) => Err(RulesFailure::Failed(error.to_string())),
            Err(_) => Err(RulesFailure::Failed("the rules took too long".to_owned())),
        }
    }
}

async fn asked<T>(query: impl Future<Output = Result<T, SourceError>>) -> Result<T, String> {
    match timeout(QUERY_LIMIT, query).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {QUERY_LIMIT:?}")),
    }
}

async fn called<T, E: std::fmt::Display>(
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    match timeout(CALL_LIMIT, call).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {CALL_LIMIT:?}")),
    }
}

/// Where events go.
struct Record<'a> {
    journal: Option<Writer>,
    events: &'a Sender<Event>,
}

impl Record<'_> {
    fn append(&mut self, event: Event) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.append(&event)
        {
            // A full disk must not keep a run from recovering.
            tracing::error!(%error, "the journal ends here");
            self.journal = None;
            let text = format!("{error}; the run goes on without a journal");
            let kind = EventKind::Note { text };
            self.tell(Event {
                t_ms: event.t_ms,
                kind,
            });
        }
        self.tell(event);
    }

    /// A listener that is gone or far behind must not hold up a run: the journal has everything.
    fn tell(&self, event: Event) {
        let _ = self.events.try_send(event);
    }
}

/// The wall clock at the start of a run, carried on by the monotonic one: it does not jump.
struct Clock {
    start: Instant,
    start_ms: i64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one clock of a run")]
    fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            start: Instant::now(),
            start_ms: since_epoch.map_or(0, millis),
        }
    }

    fn now_ms(&self) -> i64 {
        self.start_ms + millis(self.start.elapsed())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
