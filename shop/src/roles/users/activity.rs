//! What accounts do, by day: kept as counts, for the admins.
//!
//! Counting is beside the point of a request, so a count that cannot be written is logged and
//! fails nothing.

use std::time::{Duration, UNIX_EPOCH};

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Shared,
    store::{DAY_MS, Store},
};
use crate::{
    db::{DbError, Row, Statement},
    http::{identity::Admin, problem::Problem, query::Params},
    ids::now_ms,
};

/// Most days in one answer.
const MOST_DAYS: i64 = 366;
const USUAL_DAYS: i64 = 7;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Registration,
    Login,
    Failure,
}

impl Store {
    /// Counts an act of today.
    pub(super) async fn note(&self, act: Act) {
        let statement = match act {
            Act::Registration => &self.run.registration,
            Act::Login => &self.run.login,
            Act::Failure => &self.run.failure,
        };
        self.noted(self.bump(statement).await);
    }

    /// Counts an account as active today, once a day.
    pub(super) async fn note_active(&self, user: i64) {
        let today = now_ms() / DAY_MS;
        let params = [today.into(), user.into(), today.into()];
        let first = self.db.execute(&self.run.first_of_day, &params).await;
        let noted = match first {
            Ok(0) => Ok(()),
            Ok(_) => self.bump(&self.run.active).await,
            Err(error) => Err(error),
        };
        self.noted(noted);
    }

    async fn bump(&self, statement: &Statement) -> Result<(), DbError> {
        let today = [(now_ms() / DAY_MS).into()];
        if self.db.execute(statement, &today).await? == 0 {
            // Another process may have begun the day just now, which is as good.
            let _ = self.db.execute(&self.run.new_day, &today).await;
            self.db.execute(statement, &today).await?;
        }
        Ok(())
    }

    fn noted(&self, outcome: Result<(), DbError>) {
        if let Err(error) = outcome {
            let service = self.db.role().name();
            tracing::warn!(service, reason = %error, "activity was not counted");
        }
    }
}

/// `GET /admin/stats/activity?days`
pub(super) async fn activity(
    State(users): State<Shared>,
    _: Admin,
    params: Params,
) -> Result<Json<Value>, Problem> {
    let days = params.whole("days", 1..=MOST_DAYS)?.unwrap_or(USUAL_DAYS);
    let first = now_ms() / DAY_MS - (days - 1);
    let store = &users.store;
    let rows = store.db.fetch_all(&store.run.days, &[first.into()]).await?;
    let days = rows.iter().map(day).collect::<Result<Vec<_>, _>>()?;
    let now_active = users.active_now().await?;
    Ok(Json(json!({ "days": days, "active_now": now_active })))
}

fn day(row: &Row) -> Result<Value, sqlx::Error> {
    Ok(json!({
        "day": date(row.int(0)?),
        "registrations": row.int(1)?,
        "logins": row.int(2)?,
        "failures": row.int(3)?,
        "active_users": row.int(4)?,
    }))
}

/// Writes a day, counted from the epoch, as `2026-11-28`.
fn date(day_no: i64) -> String {
    let since = Duration::from_millis((day_no.max(0) * DAY_MS) as u64);
    let mut text = humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string();
    text.truncate("2026-11-28".len());
    text
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_written_as_dates() {
        assert_eq!(
            (date(0), date(20_785)),
            ("1970-01-01".into(), "2026-11-28".into())
        );
    }
}
