//! Buckets in Redis: one script, so that reading and taking are one step for every storefront.

use std::{sync::LazyLock, time::Duration};

use redis::Script;

use super::{Client, Quota};
use crate::cache::{Away, RedisLink};

/// Takes one request from a bucket; answers 0, or the milliseconds to wait.
///
/// The bucket is one number: when it will be full again, in microseconds of Redis's own clock. A
/// request moves that further by one interval, and is refused when that would be more than a burst
/// away. (The generic cell rate algorithm, as the buckets in the process.)
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
        local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
        local early = full - now - interval * burst
        if early > 0 then return math.ceil(early / 1000) end
        redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
        return 0
        ",
    )
});

pub(super) async fn take(
    redis: &RedisLink,
    limit: &str,
    quota: Quota,
    client: Client,
) -> Result<Result<(), Duration>, Away> {
    let mut script = TAKE.key(key(limit, client));
    script
        .arg(quota.interval().as_micros() as u64)
        .arg(quota.burst().get());
    let wait_ms: u64 = redis.script(&script).await?;
    Ok(match wait_ms {
        0 => Ok(()),
        wait_ms => Err(Duration::from_millis(wait_ms)),
    })
}

fn key(limit: &str, client: Client) -> String {
    match client {
        Client::Ip(ip) => format!("shop:limit:{limit}:ip:{ip}"),
        Client::User(user) => format!("shop:limit:{limit}:user:{user}"),
        Client::Visit(visit) => format!("shop:limit:{limit}:visit:{visit:x}"),
        Client::Login(ip, name) => format!("shop:limit:{limit}:login:{ip}:{name:x}"),
    }
}
