//! What the storefront remembers of tokens, in the process and in Redis; and a Redis that is killed.

use std::time::{Duration, Instant};

use serde_json::json;
use shop::config::{Role, ShopConfig};

use crate::{
    caller::{ADMIN, Caller, USER, demo},
    lab::{Lab, eventually},
    servers::Redis,
};

fn shared(redis: &Redis) -> ShopConfig {
    let mut config = demo();
    config.redis_url = Some(redis.url.parse().unwrap());
    config
}

/// A token is asked for once, and forgotten when its session ends.
async fn remembers(lab: &Lab) {
    let user = Caller::bearer(lab, USER);
    for _ in 0..5 {
        assert_eq!(user.get("/users/me").await.status, 200);
    }
    let scrape = lab.scrape().await;
    let sessions = ["service=\"storefront\"", "cache=\"sessions\""];
    assert!(scrape.sum("cache_hits_total", &sessions) >= 4.0);
    assert!(scrape.sum("cache_misses_total", &sessions) >= 1.0);
    let asked = scrape.sum("http_requests_total", &["path=\"/sessions/verify\""]);
    assert!((1.0..=2.0).contains(&asked), "{asked}");
    let token = Caller::log_in(lab, "demo", "demo123").await;
    let fresh = Caller::bearer(lab, &token);
    assert_eq!(fresh.get("/users/me").await.status, 200);
    assert_eq!(fresh.post("/users/logout", json!({})).await.status, 200);
    assert_eq!(fresh.get("/users/me").await.status, 401, "at once");
}

#[tokio::test]
async fn tokens_are_remembered_in_the_process() {
    let lab = Lab::start(demo()).await;
    remembers(&lab).await;
    lab.stop().await;
}

#[tokio::test]
async fn tokens_are_remembered_in_redis() {
    let Some(redis) = Redis::start() else {
        return;
    };
    let lab = Lab::start(shared(&redis)).await;
    remembers(&lab).await;
    lab.stop().await;
    let client = redis::Client::open(redis.url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut ask = redis::cmd("KEYS");
    let keys: Vec<String> = ask.arg("*").query_async(&mut connection).await.unwrap();
    assert!(
        keys.iter()
            .any(|key| key.starts_with("shop:storefront:sessions:at:")),
        "{keys:?}"
    );
    for key in &keys {
        assert!(!key.contains(USER), "a token in {key}");
        let mut ask = redis::cmd("PTTL");
        let left: i64 = ask.arg(key).query_async(&mut connection).await.unwrap();
        assert!(left > 0, "{key} stays for ever");
    }
}

#[tokio::test]
async fn a_logout_at_one_storefront_counts_at_the_other() {
    let Some(redis) = Redis::start() else {
        return;
    };
    let first = Lab::start(shared(&redis)).await;
    let mut config = shared(&redis);
    config
        .roles
        .retain(|listener| listener.role == Role::Storefront);
    for role in Role::Storefront.peers() {
        let url = shop::http::url::BaseUrl::parse(&first.url(*role)).unwrap();
        config.elsewhere.push((*role, url));
    }
    let second = Lab::start(config).await;
    let token = Caller::log_in(&first, "demo", "demo123").await;
    let (here, there) = (
        Caller::bearer(&first, &token),
        Caller::bearer(&second, &token),
    );
    assert_eq!(here.get("/users/me").await.status, 200);
    assert_eq!(there.get("/users/me").await.status, 200);
    assert_eq!(here.post("/users/logout", json!({})).await.status, 200);
    // At once, unless Redis was late; within seconds in any case.
    eventually("the other storefront forgets", async || {
        there.get("/users/me").await.status == 401
    })
    .await;
    second.stop().await;
    first.stop().await;
}

#[tokio::test]
async fn the_shop_goes_on_without_redis_and_comes_back_to_it() {
    let Some(redis) = Redis::start() else {
        return;
    };
    let lab = Lab::start(shared(&redis)).await;
    let admin = Caller::bearer(&lab, ADMIN);
    assert_eq!(admin.get("/admin/users").await.status, 200);
    redis.server.kill();
    let began = Instant::now();
    for n in 0..20 {
        assert_eq!(admin.get("/admin/users").await.status, 200, "request {n}");
        lab.order(1, 1).await;
    }
    // Only the first few wait, and not for long.
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    redis.server.start_again();
    let client = redis::Client::open(redis.url.as_str()).unwrap();
    eventually("the shop uses redis again", async || {
        assert_eq!(admin.get("/admin/users").await.status, 200);
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
            return false;
        };
        let mut ask = redis::cmd("KEYS");
        let keys = ask
            .arg("shop:*")
            .query_async::<Vec<String>>(&mut connection)
            .await;
        keys.is_ok_and(|keys| !keys.is_empty())
    })
    .await;
    lab.stop().await;
}
