//! Forgetting what is too old to be asked after.

use std::{future::Future, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use crate::{config::Role, db::DbError, ids::now_ms};

/// How long it is remembered what an order took, so that it can be given back: longer than any order
/// waits for its payment or for its warehouse.
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Often enough that little is forgotten at once, since nobody writes meanwhile.
const EVERY: Duration = Duration::from_mins(5);

/// Has what orders took before a time forgotten by `forget`, until the role stops.
pub(super) async fn run<F>(role: Role, forget: impl Fn(i64) -> F + Send)
where
    F: Future<Output = Result<(), DbError>> + Send,
{
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, and there is nothing to forget at the start.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(error) = forget(now_ms() - KEPT_MS).await {
            tracing::warn!(service = role.name(), reason = %error, "nothing forgotten");
        }
    }
}
