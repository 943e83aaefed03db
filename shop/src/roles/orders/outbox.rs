//! Messages to the world outside: written down with the change they tell of, delivered at least once.
//!
//! A claim is a lease, taken by an update that holds only while nobody else took it; so several
//! processes can work on one outbox, and what one of them had claimed when it died comes back.

use std::{collections::HashMap, sync::Arc, time::Duration};

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    db::{Db, DbError, Row, Statement, Tx},
    ids::now_ms,
};

const TRACEPARENT: &str = "traceparent";
/// Longest pause between two tries of a message.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How long a message stays aside that failed too often.
const ASIDE: Duration = Duration::from_mins(5);

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// An order is paid: it is to be shipped and delivered.
    Paid,
    /// An order is cancelled: what was not begun for it is not, and money goes back.
    Cancelled,
    /// A use of a coupon that was perhaps taken for an order goes back.
    Coupon,
}

impl Topic {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Coupon => "coupon",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Paid, Self::Cancelled, Self::Coupon]
            .into_iter()
            .find(|topic| topic.name() == name)
    }
}

/// A message that may be claimed for less time than this is on its way and does not wait.
const ON_ITS_WAY_MS: i64 = 1_000;

/// A message of the outbox.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: i64,
    pub(super) order_id: i64,
    pub(super) topic: Topic,
    /// How far it got; what each step is, its topic knows.
    pub(super) step: i64,
    /// Failed tries of this step.
    pub(super) attempts: i64,
    /// Since when this step waits.
    pub(super) since_ms: i64,
    /// When it may be claimed.
    pub(super) available_ms: i64,
    /// The trace of the request it comes from; empty for none.
    pub(super) traceparent: String,
    /// Why the last try failed; empty before the first failure.
    pub(super) reason: String,
}

impl Message {
    /// Makes a message that comes from the current span.
    pub(super) fn new(id: i64, order_id: i64, topic: Topic, now_ms: i64) -> Self {
        let mut carrier = HashMap::new();
        TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
        let traceparent = carrier.remove(TRACEPARENT).unwrap_or_default();
        Self {
            id,
            order_id,
            topic,
            step: 0,
            attempts: 0,
            since_ms: now_ms,
            available_ms: now_ms,
            traceparent,
            reason: String::new(),
        }
    }

    /// Links a span to the request that the message comes from.
    pub(super) fn link(&self, span: &Span) {
        use opentelemetry::trace::TraceContextExt;
        if self.traceparent.is_empty() {
            return;
        }
        let carrier = HashMap::from([(TRACEPARENT.to_owned(), self.traceparent.clone())]);
        let context = TraceContextPropagator::new().extract(&carrier);
        span.add_link(context.span().span_context().clone());
    }

    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let topic = row.text(2)?;
        Ok(Self {
            id: row.int(0)?,
            order_id: row.int(1)?,
            topic: Topic::parse(&topic)
                .ok_or_else(|| sqlx::Error::Decode(format!("topic {topic:?}").into()))?,
            step: row.int(3)?,
            attempts: row.int(4)?,
            since_ms: row.int(5)?,
            available_ms: row.int(6)?,
            traceparent: row.text(7)?,
            reason: row.text(8)?,
        })
    }
}

/// What waits, for the gauges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backlog {
    pub(super) waiting: i64,
    pub(super) dead: i64,
    /// Since when the oldest one waits.
    pub(super) oldest_ms: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Outbox {
    db: Arc<Db>,
    available: Statement,
    claim: Statement,
    advance: Statement,
    retry: Statement,
    done: Statement,
    bring_back: Statement,
    waiting: Statement,
    dead: Statement,
    next: Statement,
}

impl Outbox {
    pub(super) fn new(db: Arc<Db>) -> Self {
        Self {
            available: db.statement(
                "select",
                "outbox",
                "SELECT id, order_id, topic, step, attempts, since_ms, available_ms, traceparent, \
                 reason FROM outbox WHERE dead = 0 AND available_ms <= ? ORDER BY available_ms LIMIT ?",
            ),
            claim: db.statement(
                "update",
                "outbox",
                "UPDATE outbox SET available_ms = ? WHERE id = ? AND available_ms = ? AND dead = 0",
            ),
            advance: db.statement(
                "update",
                "outbox",
                "UPDATE outbox SET step = ?, attempts = 0, since_ms = ?, available_ms = ? \
                 WHERE id = ?",
            ),
            retry: db.statement(
                "update",
                "outbox",
                "UPDATE outbox SET attempts = ?, available_ms = ?, dead = ?, reason = ? \
                 WHERE id = ?",
            ),
            done: db.statement("delete", "outbox", "DELETE FROM outbox WHERE id = ?"),
            bring_back: db.statement(
                "update",
                "outbox",
                "UPDATE outbox SET dead = 0, attempts = ? WHERE dead = 1 AND available_ms <= ?",
            ),
            waiting: db.statement(
                "select",
                "outbox",
                "SELECT COUNT(*), COALESCE(MIN(since_ms), 0) FROM outbox \
                 WHERE dead = 0 AND since_ms <= ?",
            ),
            dead: db.statement(
                "select",
                "outbox",
                "SELECT COUNT(*) FROM outbox WHERE dead = 1",
            ),
            next: db.statement(
                "select",
                "outbox",
                "SELECT COALESCE(MIN(available_ms), 0) FROM outbox WHERE dead = 0",
            ),
            db,
        }
    }

    /// Claims messages until a time; what is not advanced by then can be claimed again.
    pub(super) async fn claim(&self, most: i64, until_ms: i64) -> Result<Vec<Message>, DbError> {
        let params = [now_ms().into(), most.into()];
        let rows = self.db.fetch_all(&self.available, &params).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Message> = rows.iter().map(Message::read).collect::<Result<_, _>>()?;
        let mut tx = self.db.begin().await?;
        let mut claimed = Vec::with_capacity(found.len());
        for message in found {
            let params = [
                until_ms.into(),
                message.id.into(),
                message.available_ms.into(),
            ];
            if tx.execute(&self.claim, &params).await? == 1 {
                claimed.push(message);
            }
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// Notes that a step is done, and when the next one is due.
    pub(super) async fn advance(
        &self,
        tx: &mut Tx<'_>,
        message: &Message,
        due_ms: i64,
    ) -> Result<(), DbError> {
        let params = [
            (message.step + 1).into(),
            due_ms.into(),
            due_ms.into(),
            message.id.into(),
        ];
        tx.execute(&self.advance, &params).await?;
        Ok(())
    }

    /// Notes that the last step is done.
    pub(super) async fn done(&self, tx: &mut Tx<'_>, message: &Message) -> Result<(), DbError> {
        tx.execute(&self.done, &[message.id.into()]).await?;
        Ok(())
    }

    /// Puts a message off, or aside for long when it failed too often; returns whether that.
    pub(super) async fn failed(
        &self,
        tx: &mut Tx<'_>,
        message: &Message,
        failure: Failure,
        most_tries: u32,
    ) -> Result<bool, DbError> {
        let attempts = message.attempts + i64::from(failure.counts);
        let dead = attempts >= i64::from(most_tries);
        let pause = if dead { ASIDE } else { pause(attempts) };
        let later = now_ms() + pause.as_millis() as i64;
        let params = [
            attempts.into(),
            later.into(),
            i64::from(dead).into(),
            failure.reason.into(),
            message.id.into(),
        ];
        tx.execute(&self.retry, &params).await?;
        Ok(dead)
    }

    /// Has messages that were put aside tried once more when their time has come: what money goes
    /// back by is never given up.
    pub(super) async fn bring_back(&self, most_tries: u32) -> Result<u64, DbError> {
        let params = [(i64::from(most_tries) - 1).into(), now_ms().into()];
        self.db.execute(&self.bring_back, &params).await
    }

    pub(super) async fn backlog(&self) -> Result<Backlog, DbError> {
        let waiting = self
            .db
            .fetch_optional(&self.waiting, &[(now_ms() - ON_ITS_WAY_MS).into()])
            .await?;
        let dead = self.db.fetch_optional(&self.dead, &[]).await?;
        let (mut count, mut oldest) = (0, 0);
        if let Some(row) = waiting {
            (count, oldest) = (row.int(0)?, row.int(1)?);
        }
        Ok(Backlog {
            waiting: count,
            dead: dead.map(|row| row.int(0)).transpose()?.unwrap_or(0),
            oldest_ms: (count > 0).then_some(oldest),
        })
    }

    /// Returns when the next message can be claimed.
    pub(super) async fn next_ms(&self) -> Result<Option<i64>, DbError> {
        let row = self.db.fetch_optional(&self.next, &[]).await?;
        let next = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        Ok((next > 0).then_some(next))
    }
}

/// Why a step was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: &'static str,
    /// It says something about the message. A partner that nobody asks at the moment does not.
    pub(super) counts: bool,
}

/// Returns the pause before the next try: doubling up to a bound.
fn pause(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FIRST_PAUSE, LONGEST_PAUSE, pause};

    #[test]
    fn pauses_double_up_to_a_bound() {
        assert_eq!(pause(0), FIRST_PAUSE);
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(3), Duration::from_secs(2));
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }
}
