//! The two listeners beside the business: metrics and health, and the control of faults.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use fault::control::{self, ControlConfig};
use prometheus_client::registry::Registry;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::side::SideRuntime;
use crate::{
    error::ShopError,
    http::serve::{Bound, Descriptors},
    telemetry::exposition,
};

/// Scrapes are short; nothing there is worth waiting for.
const DRAIN_LIMIT: Duration = Duration::from_millis(200);

/// Both listeners, bound and not yet served.
#[derive(Debug)]
pub(crate) struct SideListeners {
    metrics: Bound,
    control: Bound,
}

/// What the metrics listener tells.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    pub(crate) services: Vec<&'static str>,
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) metrics: Arc<Registry>,
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

    /// Serves both on the side runtime until `stop`.
    pub(crate) fn serve(
        self,
        side: &SideRuntime,
        health: Health,
        faults: fault::Registry,
        config: ControlConfig,
        stop: &CancellationToken,
    ) {
        let control = control::router(faults, config);
        side.handle().spawn(
            self.metrics
                .serve(metrics_router(health), stop.clone(), DRAIN_LIMIT),
        );
        side.handle()
            .spawn(self.control.serve(control, stop.clone(), DRAIN_LIMIT));
    }
}

fn metrics_router(health: Health) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .with_state(health)
}

async fn metrics(State(health): State<Health>, headers: HeaderMap) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    match exposition::expose(&health.metrics, accept) {
        Ok((kind, text)) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(error) => {
            tracing::error!(reason = %error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let ready = health.ready.load(Ordering::Relaxed);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(json!({ "ready": ready, "services": health.services })),
    )
        .into_response()
}
