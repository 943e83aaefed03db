//! What an Alertmanager sends: a listener that keeps the newest notifications and when they came.
//!
//! It answers at once and never waits for a reader; a subscriber that is too slow loses the oldest.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use promql::labels::Labels;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::clean;
use crate::clock::Clock;
use crate::times::rfc3339_ms;

/// The largest notification that is read, in bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Where to listen and how much to keep.
#[derive(Debug, Clone)]
pub struct ReceiverConfig {
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Notifications kept, and notifications a subscriber may lag behind.
    pub keep: usize,
    /// Tells the time of receipt.
    pub clock: Clock,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            keep: 256,
            clock: Clock::wall(),
        }
    }
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When it came, milliseconds since the epoch.
    pub at_ms: i64,
    /// The receiver it was sent to.
    pub receiver: String,
    /// The labels the alerts were grouped by.
    pub group_labels: Labels,
    /// The alerts of the group.
    pub alerts: Vec<NotifiedAlert>,
}

/// One alert of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifiedAlert {
    /// Whether it fires; else it is resolved.
    pub firing: bool,
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Vec<(String, String)>,
    /// Since when it fires, milliseconds since the epoch.
    pub starts_at_ms: i64,
    /// When it ended, milliseconds since the epoch; `None` while it fires.
    pub ends_at_ms: Option<i64>,
    /// Its identity in the Alertmanager.
    pub fingerprint: String,
}

/// The running listener. It stops when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    inbox: Arc<Inbox>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

struct Inbox {
    keep: usize,
    clock: Clock,
    ring: Mutex<VecDeque<Arc<Received>>>,
    news: broadcast::Sender<Arc<Received>>,
}

impl Receiver {
    /// Binds the address and starts to listen.
    pub async fn start(config: ReceiverConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let keep = config.keep.max(1);
        let inbox = Arc::new(Inbox {
            keep,
            clock: config.clock,
            ring: Mutex::default(),
            news: broadcast::channel(keep).0,
        });
        let router = Router::new()
            .route("/", post(take))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(inbox.clone());
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let ended = stop.clone().cancelled_owned();
        tasks.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(ended);
            if let Err(error) = served.await {
                tracing::error!(%error, "the webhook receiver ended");
            }
        });
        Ok(Self {
            address,
            inbox,
            tasks,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Returns the address to name in a `webhook_configs` entry.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Returns the notifications that are kept, oldest first.
    pub fn received(&self) -> Vec<Arc<Received>> {
        self.inbox.ring().iter().cloned().collect()
    }

    /// Returns the notifications from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Received>> {
        self.inbox.news.subscribe()
    }

    /// Stops listening and waits for open requests.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Inbox {
    fn ring(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Received>>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(State(inbox): State<Arc<Inbox>>, Json(wire): Json<Wire>) -> StatusCode {
    let received = Arc::new(wire.checked(inbox.clock.now_ms()));
    {
        let mut ring = inbox.ring();
        if ring.len() == inbox.keep {
            ring.pop_front();
        }
        ring.push_back(received.clone());
    }
    // No subscriber is no error.
    let _ = inbox.news.send(received);
    StatusCode::OK
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    receiver: String,
    #[serde(default)]
    group_labels: BTreeMap<String, String>,
    alerts: Vec<WireAlert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAlert {
    status: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    starts_at: String,
    #[serde(default)]
    ends_at: String,
    #[serde(default)]
    fingerprint: String,
}

impl Wire {
    fn checked(self, at_ms: i64) -> Received {
        Received {
            at_ms,
            receiver: clean::message(&self.receiver),
            group_labels: Labels::from_pairs(clean::pairs(self.group_labels)),
            alerts: self.alerts.into_iter().map(WireAlert::checked).collect(),
        }
    }
}

impl WireAlert {
    fn checked(self) -> NotifiedAlert {
        NotifiedAlert {
            firing: self.status == "firing",
            labels: Labels::from_pairs(clean::pairs(self.labels)),
            annotations: clean::pairs(self.annotations),
            starts_at_ms: rfc3339_ms(&self.starts_at).unwrap_or_default(),
            ends_at_ms: rfc3339_ms(&self.ends_at),
            fingerprint: clean::message(&self.fingerprint),
        }
    }
}
