//! What the control listener offers beside faults: the log level, and profiles. The same token and
//! rules hold for it.

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};

use crate::telemetry::logs::level::Level;

/// What is logged, as in `RUST_LOG`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    filter: String,
}

/// Returns the routes.
pub(super) fn routes() -> Router {
    let routes = Router::new().route("/log-level", get(show).put(change));
    #[cfg(feature = "profiling")]
    let routes = routes.merge(super::profile::routes());
    routes
}

async fn show() -> Response {
    match Level::of_process() {
        Some(level) => Json(Filter {
            filter: level.text(),
        })
        .into_response(),
        None => not_ours(),
    }
}

async fn change(Json(wanted): Json<Filter>) -> Response {
    let Some(level) = Level::of_process() else {
        return not_ours();
    };
    match level.set(&wanted.filter) {
        Ok(()) => {
            tracing::info!(filter = wanted.filter, "the log level changed");
            Json(wanted).into_response()
        }
        Err(error) => refusal(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
    }
}

fn not_ours() -> Response {
    refusal(StatusCode::CONFLICT, "this process logs in its own way")
}

/// Says no in the form of the control API.
pub(super) fn refusal(status: StatusCode, message: impl Into<String>) -> Response {
    let body = serde_json::json!({
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "message": message.into(),
    });
    (status, Json(body)).into_response()
}
