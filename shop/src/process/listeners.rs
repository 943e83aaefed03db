//! The two listeners beside the business: metrics and health, and the control of faults.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use fault::control::{self, ControlConfig};
use prometheus_client::registry::Registry;
use serde::Deserialize;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    control::routes,
    health::{Health, Stage},
    side::SideRuntime,
};
use crate::{
    error::ShopError,
    http::serve::{Bound, Descriptors},
    telemetry::{exposition, push::Push, vocabulary::Vocabulary},
};

/// Scrapes are short; nothing there is worth waiting for.
const DRAIN_LIMIT: Duration = Duration::from_millis(200);
/// Longest wait for what the side runtime does last.
const END_LIMIT: Duration = Duration::from_millis(1_500);

/// Both listeners, bound and not yet served.
#[derive(Debug)]
pub(crate) struct SideListeners {
    metrics: Bound,
    control: Bound,
}

/// What the metrics listener tells.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    health: Arc<Health>,
    /// Empty until everything is registered.
    metrics: Arc<OnceLock<Arc<Registry>>>,
}

/// The work on the side runtime; it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Side {
    told: Told,
    stop: CancellationToken,
    tasks: TaskTracker,
    handle: tokio::runtime::Handle,
}

impl SideListeners {
    /// Binds both on the side runtime, after checking that control may listen there.
    pub(crate) async fn bind(
        side: &SideRuntime,
        metrics: SocketAddr,
        control: SocketAddr,
        config: &ControlConfig,
    ) -> Result<Self, ShopError> {
        config
            .check(control)
            .map_err(|error| ShopError::Control(error.to_string()))?;
        let binding = side.handle().spawn(async move {
            Ok(Self {
                metrics: Bound::bind(Descriptors::All, metrics, "metrics", "metrics-listen")
                    .await?,
                control: Bound::bind(Descriptors::All, control, "control", "control-listen")
                    .await?,
            })
        });
        binding
            .await
            .map_err(|error| ShopError::Runtime(error.into()))?
    }

    pub(crate) fn metrics_url(&self) -> String {
        self.metrics.url()
    }

    pub(crate) fn control_url(&self) -> String {
        self.control.url()
    }

    /// Serves both on the side runtime: probes are answered from now on, scrapes once the metrics
    /// are there.
    pub(crate) fn serve(
        self,
        side: &SideRuntime,
        health: Arc<Health>,
        faults: fault::Registry,
        config: ControlConfig,
    ) -> Side {
        let own = Side {
            told: Told {
                health,
                metrics: Arc::default(),
            },
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            handle: side.handle().clone(),
        };
        let control = control::router_with(faults, config, routes());
        let metrics = metrics_router(own.told.clone());
        own.spawn(self.metrics.serve(metrics, own.stop.clone(), DRAIN_LIMIT));
        own.spawn(self.control.serve(control, own.stop.clone(), DRAIN_LIMIT));
        own
    }
}

impl Side {
    /// Shows the metrics to scrapes, and pushes them when there is a push.
    pub(crate) fn show(&self, metrics: Arc<Registry>, push: Option<Push>) {
        if let Some(push) = push {
            self.spawn(push.run(Arc::clone(&metrics), self.stop.clone()));
        }
        // It is set once, by whoever started the process.
        let _ = self.told.metrics.set(metrics);
    }

    /// Stops the listeners, and waits for the last push.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(END_LIMIT, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("the last push of metrics was cut off");
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(work, &self.handle);
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn metrics_router(told: Told) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/startupz", get(started))
        .with_state(told)
}

#[derive(Debug, Deserialize)]
struct Asked {
    vocabulary: Option<String>,
}

async fn metrics(
    State(told): State<Told>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let Some(registry) = told.metrics.get() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting\n").into_response();
    };
    let vocabularies = match asked.vocabulary.as_deref().map(Vocabulary::asked) {
        None => Vec::new(),
        Some(Ok(known)) => known,
        Some(Err(message)) => return (StatusCode::BAD_REQUEST, message).into_response(),
    };
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    match exposition::expose(registry, accept, &vocabularies) {
        Ok((kind, text)) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(error) => {
            tracing::error!(reason = %error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn ready(State(told): State<Told>) -> Response {
    let readiness = told.health.readiness();
    (status(readiness.ready), Json(readiness)).into_response()
}

async fn started(State(told): State<Told>) -> Response {
    let started = told.health.stage() != Stage::Starting;
    let text = if started { "started" } else { "starting" };
    (status(started), text).into_response()
}

fn status(fine: bool) -> StatusCode {
    if fine {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
