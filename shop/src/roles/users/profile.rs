//! What people see and change of their own account.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::{
    Shared, Users,
    account::{self, Account},
};
use crate::{
    db::Row,
    http::{
        identity::{self, Account as Asker},
        input::{Fields, Id},
        problem::Problem,
    },
    ids::now_ms,
    secret::Secret,
};

/// A password in place of the one that is known.
struct Change {
    password: Secret,
    current: Secret,
}

impl Users {
    /// Finds the account of whoever asks; one that was removed meanwhile is nobody.
    async fn own(&self, asker: Asker) -> Result<Account, Problem> {
        let found = self.store.by_id(asker.user).await?;
        found.ok_or_else(identity::unknown)
    }

    /// Changes the password, and ends every session but the one that asks.
    async fn change(&self, account: &Account, asker: Asker, change: Change) -> Result<(), Problem> {
        if !self.reassure(account, change.current).await? {
            let message = "is not the password of the account";
            return Err(Problem::field(
                StatusCode::FORBIDDEN,
                "current_password",
                message,
            ));
        }
        let hash = self.passwords.hash(change.password).await?;
        let mut tx = self.store.db.begin().await?;
        let params = [hash.expose().into(), account.id.into()];
        tx.execute(&self.store.run.password, &params).await?;
        let others = [account.id.into(), asker.login.unwrap_or(0).into()];
        let ended = tx.execute(&self.store.run.close_others, &others).await?;
        tx.commit().await?;
        tracing::info!(user_id = account.id, ended, "password changed");
        Ok(())
    }
}

/// `GET /users/me`
pub(super) async fn show(
    State(users): State<Shared>,
    asker: Asker,
) -> Result<Json<Value>, Problem> {
    Ok(Json(users.own(asker).await?.to_json()))
}

/// `PUT /users/me`; what is left out stays as it is.
pub(super) async fn update(
    State(users): State<Shared>,
    asker: Asker,
    mut fields: Fields,
) -> Result<Json<Value>, Problem> {
    let account = users.own(asker).await?;
    let name = account::name(&mut fields).unwrap_or_else(|| account.name.clone());
    let country = account::country(&mut fields);
    let country = country.map_or(account.country.as_str(), |country| country.code());
    let change = change(&mut fields, &account);
    fields.finish()?;
    if let Some(change) = change {
        users.change(&account, asker, change).await?;
    }
    let params = [name.as_str().into(), country.into(), account.id.into()];
    users
        .store
        .db
        .execute(&users.store.run.profile, &params)
        .await?;
    show(State(users), asker).await
}

fn change(fields: &mut Fields, account: &Account) -> Option<Change> {
    let password = fields.optional_secret("password")?;
    account::check_password(fields, &password, &account.username, account.is_admin);
    let current = fields.secret("current_password");
    Some(Change { password, current })
}

/// `GET /users/me/sessions`
pub(super) async fn sessions(
    State(users): State<Shared>,
    asker: Asker,
) -> Result<Json<Value>, Problem> {
    let now = now_ms();
    let params = [asker.user.into(), now.into(), (now - users.idle_ms).into()];
    let rows = users
        .store
        .db
        .fetch_all(&users.store.run.sessions_of, &params)
        .await?;
    let session = |row: &Row| session(row, asker.login);
    let sessions = rows.iter().map(session).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({ "sessions": sessions })))
}

fn session(row: &Row, current: Option<i64>) -> Result<Value, sqlx::Error> {
    let id = row.int(0)?;
    Ok(json!({
        "id": id,
        "created_ms": row.int(1)?,
        "seen_ms": row.int(2)?,
        "expires_ms": row.int(3)?,
        "current": current == Some(id),
    }))
}

/// `DELETE /users/me/sessions/{id}`
pub(super) async fn end_session(
    State(users): State<Shared>,
    asker: Asker,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let params = [id.into(), asker.user.into()];
    if users
        .store
        .db
        .execute(&users.store.run.close, &params)
        .await?
        == 0
    {
        let message = "there is no such session of yours";
        return Err(Problem::field(StatusCode::NOT_FOUND, "id", message));
    }
    tracing::info!(user_id = asker.user, session_id = id, "session ended");
    Ok(StatusCode::NO_CONTENT)
}
