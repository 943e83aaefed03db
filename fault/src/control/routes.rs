//! The routes of the control API.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{self, FailedTokens};
use super::{ControlConfig, Problem};
use crate::model::{ArmRequest, FaultId, FaultStatus, Listing};
use crate::registry::Registry;

/// The largest body that is read.
const MAX_BODY: usize = 64 * 1024;
/// A client that is slower holds a connection, not a fault.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

struct Control {
    registry: Registry,
    config: ControlConfig,
    failed: FailedTokens,
}

type Shared = State<Arc<Control>>;

/// Returns the control API of a registry: `/faults` and below, all behind the token.
pub fn router(registry: Registry, config: ControlConfig) -> Router {
    registry.protect(&config.caps.protected_routes);
    let control = Arc::new(Control {
        registry,
        config,
        failed: FailedTokens::default(),
    });
    let routes = Router::new()
        .route("/faults", get(list).delete(withdraw_all))
        .route("/faults/{id}", put(arm).delete(withdraw))
        .route("/faults/{id}/renew", post(renew))
        .fallback(async || unknown_route())
        .method_not_allowed_fallback(async || unknown_method())
        .with_state(Arc::clone(&control));
    routes.layer(middleware::from_fn_with_state(control, guard_all))
}

async fn guard_all(State(control): Shared, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let now = control.registry.now();
    match guard::check(&control.config, &control.failed, &parts, now) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct By {
    owner: Option<String>,
    reason: Option<String>,
    take_over: bool,
}

async fn list(State(control): Shared) -> Json<Listing> {
    let registry = &control.registry;
    Json(Listing {
        boot_id: registry.boot_id().to_owned(),
        services: registry.services(),
        kinds: registry
            .kinds()
            .into_iter()
            .filter(|kind| control.config.caps.allows(*kind))
            .map(|kind| kind.name().to_owned())
            .collect(),
        caps: control.config.caps.clone(),
        faults: registry.snapshot(),
        ended: registry.ended(),
    })
}

async fn arm(
    State(control): Shared,
    Path(id): Path<String>,
    Query(by): Query<By>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FaultStatus>, Problem> {
    let id = parse_id(&id)?;
    let value = read_json(&headers, body).await?;
    let request = ArmRequest::decode(&value).map_err(|fields| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_fault",
            "the fault cannot be understood",
            "correct the fields named here",
        )
        .with_fields(fields)
    })?;
    let over = control.config.caps.exceeded(&request);
    if !over.is_empty() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "over_caps",
            "the fault goes beyond what is allowed here",
            "stay within the caps; `GET /faults` lists them",
        )
        .with_fields(over));
    }
    Ok(Json(control.registry.arm(&id, request, by.take_over)?))
}

async fn renew(
    State(control): Shared,
    Path(id): Path<String>,
    Query(by): Query<By>,
) -> Result<Json<FaultStatus>, Problem> {
    Ok(Json(
        control
            .registry
            .renew(&parse_id(&id)?, by.owner.as_deref())?,
    ))
}

async fn withdraw(
    State(control): Shared,
    Path(id): Path<String>,
    Query(by): Query<By>,
) -> Result<Json<FaultStatus>, Problem> {
    let reason = reason_of(&by)?;
    Ok(Json(control.registry.withdraw(
        &parse_id(&id)?,
        by.owner.as_deref(),
        reason,
    )?))
}

async fn withdraw_all(
    State(control): Shared,
    Query(by): Query<By>,
) -> Result<Json<Value>, Problem> {
    let withdrawn = control
        .registry
        .withdraw_all(by.owner.as_deref(), reason_of(&by)?);
    Ok(Json(
        json!({"boot_id": control.registry.boot_id(), "withdrawn": withdrawn}),
    ))
}

fn reason_of(by: &By) -> Result<&str, Problem> {
    let fits = |reason: &&str| {
        !reason.is_empty() && reason.len() <= 512 && !reason.chars().any(char::is_control)
    };
    by.reason.as_deref().filter(fits).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "reason",
            "a reason is missing, too long or holds control characters",
            "add `?reason=…`; it goes into the audit log",
        )
    })
}

fn parse_id(id: &str) -> Result<FaultId, Problem> {
    id.parse().map_err(|error: crate::model::BadFaultId| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "id",
            error.to_string(),
            "such as `payments-503`",
        )
    })
}

/// Reads a body as JSON. Only `application/json` is taken: a browser cannot send it unasked.
async fn read_json(headers: &HeaderMap, body: Body) -> Result<Value, Problem> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = content_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content_type",
            "only JSON is read",
            "send `Content-Type: application/json`",
        ));
    }
    let bytes = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the body is larger than 64 KiB or broke off",
                "send a smaller body",
            ));
        }
        Err(_) => {
            return Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "the body did not arrive within 10 s",
                "send it at once",
            ));
        }
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "json",
            format!("not JSON: {error}"),
            "correct the body",
        )
    })
}

fn unknown_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_route",
        "there is no such route",
        "the routes are /faults, /faults/{id} and /faults/{id}/renew",
    )
}

fn unknown_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "the method is not known here",
        "GET or DELETE /faults, PUT or DELETE /faults/{id}, POST /faults/{id}/renew",
    )
}
