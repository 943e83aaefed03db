//! Requests that may be repeated: the same `Idempotency-Key` with the same body gets the first
//! answer again.
//!
//! A layer around a route. The key is written down before the handler runs, and the answer after; a
//! handler that was cut off by the end of the process leaves the key behind, and whoever repeats the
//! request once its lease is over runs the handler again, with what the first run had made. A key
//! belongs to one route and one customer. Answers that say "try again" are not kept; the order that was
//! made on the way to one is.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use crate::{
    db::{Db, DbError, Row, Statement},
    http::{
        call::{IDEMPOTENCY_KEY, REPLAYED},
        identity::Identity,
        input::whole,
        problem::Problem,
    },
    ids::now_ms,
    secret::digest_of,
};

/// Longest key.
const LONGEST_KEY: usize = 80;
/// Longest answer that is kept; every answer of the shop to such a request is far shorter.
const ANSWER_LIMIT_BYTES: usize = 60 * 1024;
/// How long an answer is kept.
const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
const NAME: &str = "Idempotency-Key";

/// What a handler is told of the key it runs under.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    /// What the key is stored by.
    pub(super) hash: String,
    /// The order that an earlier run made before it was cut off.
    pub(super) order_id: Option<i64>,
}

/// The keys of a role.
#[derive(Debug)]
pub(super) struct Keys {
    db: Arc<Db>,
    lease_ms: i64,
    insert: Statement,
    one: Statement,
    take_over: Statement,
    answer: Statement,
    forget: Statement,
    free: Statement,
    purge: Statement,
}

/// What is known of a key.
#[derive(Debug)]
struct Known {
    body_hash: String,
    order_id: i64,
    lease_until_ms: i64,
    answer: Option<Kept>,
}

/// An answer that was given before.
#[derive(Debug)]
struct Kept {
    status: i64,
    content_type: String,
    body: String,
}

/// What is to be done with a request.
enum Verdict {
    Run(Ticket),
    Replay(Kept),
    Refuse(Problem),
}

impl Keys {
    pub(super) fn new(db: Arc<Db>, lease_ms: i64) -> Self {
        Self {
            lease_ms,
            insert: db.statement(
                "insert",
                "idempotency",
                "INSERT INTO idempotency (idem_key, body_hash, order_id, answered, status_code, \
                 content_type, answer, lease_until_ms, created_ms) \
                 VALUES (?, ?, 0, 0, 0, '', '', ?, ?)",
            ),
            one: db.statement(
                "select",
                "idempotency",
                "SELECT body_hash, order_id, lease_until_ms, answered, status_code, content_type, \
                 answer FROM idempotency WHERE idem_key = ?",
            ),
            take_over: db.statement(
                "update",
                "idempotency",
                "UPDATE idempotency SET lease_until_ms = ? \
                 WHERE idem_key = ? AND answered = 0 AND lease_until_ms = ?",
            ),
            answer: db.statement(
                "update",
                "idempotency",
                "UPDATE idempotency SET answered = 1, status_code = ?, content_type = ?, \
                 answer = ? WHERE idem_key = ?",
            ),
            forget: db.statement(
                "delete",
                "idempotency",
                "DELETE FROM idempotency WHERE idem_key = ? AND order_id = 0",
            ),
            // A repeat is to find the order, so that none is made twice.
            free: db.statement(
                "update",
                "idempotency",
                "UPDATE idempotency SET lease_until_ms = 1 WHERE idem_key = ? AND answered = 0",
            ),
            purge: db.statement(
                "delete",
                "idempotency",
                "DELETE FROM idempotency WHERE created_ms < ?",
            ),
            db,
        }
    }

    /// Forgets keys that are old enough.
    pub(super) async fn purge(&self) -> Result<(), DbError> {
        let before = now_ms() - KEPT_MS;
        self.db.execute(&self.purge, &[before.into()]).await?;
        Ok(())
    }

    async fn judge(&self, hash: String, body_hash: &str) -> Result<Verdict, DbError> {
        let now = now_ms();
        let until = now + self.lease_ms;
        let params = [
            hash.as_str().into(),
            body_hash.into(),
            until.into(),
            now.into(),
        ];
        let inserted = self.db.execute(&self.insert, &params).await;
        let Err(error) = inserted else {
            return Ok(Verdict::Run(Ticket {
                hash,
                order_id: None,
            }));
        };
        // Whoever came first has written it down; anything else that failed is told as it is.
        let row = self
            .db
            .fetch_optional(&self.one, &[hash.as_str().into()])
            .await?;
        let known = row.as_ref().map(Known::read).transpose()?.ok_or(error)?;
        if known.body_hash != body_hash {
            let message = "was used before with another body";
            return Ok(Verdict::Refuse(Problem::field(
                StatusCode::UNPROCESSABLE_ENTITY,
                NAME,
                message,
            )));
        }
        if let Some(kept) = known.answer {
            return Ok(Verdict::Replay(kept));
        }
        let lost = known.lease_until_ms < now;
        let params = [
            until.into(),
            hash.as_str().into(),
            known.lease_until_ms.into(),
        ];
        if lost && self.db.execute(&self.take_over, &params).await? == 1 {
            let order_id = Some(known.order_id).filter(|id| *id != 0);
            return Ok(Verdict::Run(Ticket { hash, order_id }));
        }
        let message = "a request with this key is still running";
        Ok(Verdict::Refuse(
            Problem::field(StatusCode::CONFLICT, NAME, message).retry_after(1),
        ))
    }

    /// Keeps an answer, or forgets the key when the request may be repeated.
    async fn keep(&self, hash: &str, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, ANSWER_LIMIT_BYTES).await else {
            tracing::error!(reason = "answer_too_long", "idempotency key not kept");
            return Problem::internal().into_response();
        };
        let again = parts.status.is_server_error()
            || parts.status == StatusCode::UNAUTHORIZED
            || parts.headers.contains_key(header::RETRY_AFTER);
        let noted = if again {
            match self.db.execute(&self.forget, &[hash.into()]).await {
                Ok(0) => self.db.execute(&self.free, &[hash.into()]).await,
                forgotten => forgotten,
            }
        } else {
            let kind = parts.headers.get(header::CONTENT_TYPE);
            let params = [
                i64::from(parts.status.as_u16()).into(),
                kind.and_then(|kind| kind.to_str().ok())
                    .unwrap_or_default()
                    .into(),
                std::str::from_utf8(&body).unwrap_or_default().into(),
                hash.into(),
            ];
            self.db.execute(&self.answer, &params).await
        };
        if let Err(error) = noted {
            // What was done is done; a repeat finds it by the key once the lease is over.
            tracing::error!(reason = %error, "answer to an idempotency key not kept");
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Known {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let answered = row.int(3)? != 0;
        let answer = if answered {
            Some(Kept {
                status: row.int(4)?,
                content_type: row.text(5)?,
                body: row.text(6)?,
            })
        } else {
            None
        };
        Ok(Self {
            body_hash: row.text(0)?,
            order_id: row.int(1)?,
            lease_until_ms: row.int(2)?,
            answer,
        })
    }
}

impl IntoResponse for Kept {
    fn into_response(self) -> Response {
        let status = u16::try_from(self.status).ok();
        let status = status.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = HeaderMap::new();
        if let Ok(kind) = HeaderValue::from_str(&self.content_type) {
            headers.insert(header::CONTENT_TYPE, kind);
        }
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        (status, headers, self.body).into_response()
    }
}

/// Runs a route once for a key; a request without one passes.
pub(super) async fn layer(State(keys): State<Arc<Keys>>, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    match once(keys, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn once(keys: Arc<Keys>, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let key = key(&parts.headers)?;
    let body = whole(body).await?;
    let hash = hash_of_key(&parts, key);
    let ticket = match keys.judge(hash, &digest_of(&body)).await? {
        Verdict::Run(ticket) => ticket,
        Verdict::Replay(kept) => return Ok(kept.into_response()),
        Verdict::Refuse(problem) => return Err(problem),
    };
    let db = Arc::clone(&keys.db);
    // The answer is kept also when the client does not wait for it.
    let work = async move { keys.run(ticket, parts, body, next).await };
    match db.outlive(work.in_current_span()).await {
        Ok(response) => Ok(response),
        Err(error) => {
            tracing::error!(reason = %error, "a task ended early");
            Err(Problem::internal())
        }
    }
}

impl Keys {
    async fn run(&self, ticket: Ticket, parts: Parts, body: Bytes, next: Next) -> Response {
        let hash = ticket.hash.clone();
        let mut request = Request::from_parts(parts, Body::from(body));
        request.extensions_mut().insert(ticket);
        let response = next.run(request).await;
        self.keep(&hash, response).await
    }
}

fn key(headers: &HeaderMap) -> Result<&str, Problem> {
    let key = headers.get(IDEMPOTENCY_KEY).map(HeaderValue::as_bytes);
    let key = key.and_then(|key| std::str::from_utf8(key).ok());
    let key = key.filter(|key| {
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    key.ok_or_else(|| {
        let message = format!("must have 1 to {LONGEST_KEY} visible ASCII characters");
        Problem::field(StatusCode::BAD_REQUEST, NAME, message)
    })
}

/// Returns what a key is stored by: it is one customer's, and of one route.
fn hash_of_key(parts: &Parts, key: &str) -> String {
    let identity = Identity::read(&parts.headers);
    let whose = match (identity.user, &identity.session) {
        (Some(user), _) => format!("u:{user}"),
        (None, Some(session)) => format!("s:{session}"),
        (None, None) => String::new(),
    };
    let path = parts.extensions.get::<MatchedPath>();
    let route = path.map_or(parts.uri.path(), MatchedPath::as_str);
    digest_of(format!("{route}\n{whose}\n{key}").as_bytes())
}
