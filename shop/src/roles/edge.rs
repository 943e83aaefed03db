//! What surrounds the routes of every role: refusals in one form, and work that outlives its caller.

use std::{any::Any, future::Future, sync::Arc};

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use fault::{Registry, layer::FaultLayer};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use super::Started;
use crate::{
    db::Db,
    http::{observe::Observe, problem::Problem},
    telemetry::http_metrics::ServiceHttp,
};

/// Puts the layers around a role's routes; outermost first: trace, metrics, fault, handler. A role
/// that tells nothing of itself has no `http`, and neither of the first two.
pub(crate) fn finish(
    started: &Started,
    http: Option<Arc<ServiceHttp>>,
    faults: &Registry,
) -> Router {
    let router = started
        .router
        .clone()
        .fallback(unmatched)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(FaultLayer::new(faults.clone(), started.role.name()));
    let Some(http) = http else {
        return router;
    };
    router.layer((Observe::trace(Arc::clone(&http)), Observe::metrics(http)))
}

pub(super) async fn unmatched() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such route")
}

pub(super) async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "the route does not take this method",
    )
}

// The signature is what the layer asks for.
#[expect(
    clippy::needless_pass_by_value,
    reason = "CatchPanicLayer hands the payload over"
)]
fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let reason = text
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(reason, "a handler panicked");
    Problem::internal().into_response()
}

/// Runs `work` to its end even when the caller goes away, so that money and stock stay in step.
/// The role's database owns it: that is what it must not be cut off from.
pub(super) async fn to_the_end<T: Send + 'static>(
    db: &Db,
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    match db.outlive(work.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(reason = %error, "a task ended early");
            Err(Problem::internal())
        }
    }
}
