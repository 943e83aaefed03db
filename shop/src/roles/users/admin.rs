//! What admins see and change of every account.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::{
    Shared,
    account::{self, ADMIN, Account, CUSTOMER},
};
use crate::{
    http::{
        identity::Admin,
        input::{Fields, Id},
        problem::Problem,
        query::Params,
    },
    ids::now_ms,
};

/// Longest text that is searched for.
const LONGEST_SEARCH: usize = 40;

/// `GET /admin/users?limit&offset&search`
pub(super) async fn list(
    State(users): State<Shared>,
    _: Admin,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let page = params.page()?;
    let search = params.text("search", LONGEST_SEARCH)?.unwrap_or_default();
    let (accounts, total) = users.store.page(search, page).await?;
    let now = now_ms();
    let shown = accounts.iter().map(|account| account.to_admin_json(now));
    Ok(Json(json!({
        "users": shown.collect::<Vec<_>>(),
        "total": total,
        "limit": page.limit,
        "offset": page.offset,
    })))
}

/// `GET /admin/users/{id}`
pub(super) async fn one(
    State(users): State<Shared>,
    _: Admin,
    Id(id): Id,
) -> Result<Json<Value>, Problem> {
    Ok(Json(find(&users, id).await?.to_admin_json(now_ms())))
}

/// `PUT /admin/users/{id}`; ends the account's sessions, so that nobody goes on as who they were.
pub(super) async fn update(
    State(users): State<Shared>,
    admin: Admin,
    Id(id): Id,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let parse = |word: &str| match word {
        ADMIN => Some(true),
        CUSTOMER => Some(false),
        _ => None,
    };
    let is_admin = fields.optional_word("role", parse, "admin, customer");
    let is_active = fields.optional_flag("active");
    fields.finish()?;
    let account = find(&users, id).await?;
    let is_admin = is_admin.unwrap_or(account.is_admin);
    let is_active = is_active.unwrap_or(account.is_active);
    let loses = account.is_admin && account.is_active && !(is_admin && is_active);
    let store = &users.store;
    if loses && store.number(&store.run.count_admins, &[id.into()]).await? == 0 {
        let field = if is_admin { "active" } else { "role" };
        let message = "this is the last admin";
        return Err(Problem::field(StatusCode::CONFLICT, field, message));
    }
    let role = account::role(is_admin);
    let mut tx = store.db.begin().await?;
    let params = [role.into(), i64::from(is_active).into(), id.into()];
    tx.execute(&store.run.standing, &params).await?;
    if (is_admin, is_active) != (account.is_admin, account.is_active) {
        tx.execute(&store.run.close_others, &[id.into(), 0.into()])
            .await?;
    }
    tx.commit().await?;
    tracing::info!(
        user_id = id,
        by = admin.user,
        role,
        active = is_active,
        "account changed"
    );
    Ok(Json(find(&users, id).await?.to_admin_json(now_ms())))
}

async fn find(users: &Shared, id: i64) -> Result<Account, Problem> {
    let found = users.store.by_id(id).await?;
    found.ok_or_else(|| Problem::field(StatusCode::NOT_FOUND, "id", "there is no such user"))
}
