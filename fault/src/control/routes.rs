//! The routes of the control API.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tracing::warn;

use super::asked::{By, Id, check_body, read_json};
use super::guard::{self, FailedTokens};
use super::{ControlConfig, Problem};
use crate::model::{ArmRequest, FaultId, FaultStatus, Listing};
use crate::registry::Registry;

struct Control {
    registry: Registry,
    config: ControlConfig,
    failed: FailedTokens,
}

type Shared = State<Arc<Control>>;

/// Returns the control API of a registry: `/faults` and below, all behind the token.
pub fn router(registry: Registry, config: ControlConfig) -> Router {
    router_with(registry, config, Router::new())
}

/// Returns the control API of a registry beside routes of the service's own: the same token and the
/// same rules hold for all of them. `own` may have no fallback.
pub fn router_with(registry: Registry, config: ControlConfig, own: Router) -> Router {
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
        .with_state(Arc::clone(&control))
        .merge(own);
    routes.layer(middleware::from_fn_with_state(control, guard_all))
}

async fn guard_all(State(control): Shared, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let now = control.registry.now();
    let allowed = guard::check(&control.config, &control.failed, &parts, now);
    match allowed.and_then(|()| check_body(&parts.headers)) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
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
    Id(id): Id,
    by: By,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FaultStatus>, Problem> {
    let value = read_json(&headers, body).await?;
    let armed = try_arm(&control, &id, &value, by.take_over);
    if let Err(problem) = &armed {
        let (owner, code) = (
            value["owner"].as_str().map(str::escape_debug),
            &problem.code,
        );
        let owner = owner.map(|owner| owner.to_string());
        warn!(target: "fault::audit", fault = %id, owner, code, "refused to arm a fault");
    }
    armed.map(Json)
}

fn try_arm(
    control: &Control,
    id: &FaultId,
    value: &Value,
    take_over: bool,
) -> Result<FaultStatus, Problem> {
    let request = ArmRequest::decode(value).map_err(|fields| {
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
    Ok(control.registry.arm(id, request, take_over)?)
}

async fn renew(State(control): Shared, Id(id): Id, by: By) -> Result<Json<FaultStatus>, Problem> {
    Ok(Json(control.registry.renew(&id, by.owner.as_deref())?))
}

async fn withdraw(
    State(control): Shared,
    Id(id): Id,
    by: By,
) -> Result<Json<FaultStatus>, Problem> {
    let reason = by.reason()?;
    Ok(Json(control.registry.withdraw(
        &id,
        by.owner.as_deref(),
        reason,
    )?))
}

async fn withdraw_all(State(control): Shared, by: By) -> Result<Json<Value>, Problem> {
    let withdrawn = control
        .registry
        .withdraw_all(by.owner.as_deref(), by.reason()?);
    Ok(Json(
        json!({"boot_id": control.registry.boot_id(), "withdrawn": withdrawn}),
    ))
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
