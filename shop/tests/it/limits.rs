//! How fast clients may come, and who is taken for an attacker; in the process and in Redis.

use serde_json::json;
use shop::{config::ShopConfig, limits::Quota};

use crate::{
    caller::{Caller, USER, config, demo},
    lab::Lab,
    servers::Redis,
};

/// Runs a test with buckets in the process, and in Redis when there is one.
async fn with_both(config: ShopConfig, test: impl AsyncFn(&Lab)) {
    let lab = Lab::start(config.clone()).await;
    test(&lab).await;
    lab.stop().await;
    let Some(redis) = Redis::start() else {
        return;
    };
    let mut shared = config;
    shared.redis_url = Some(redis.url.parse().unwrap());
    let lab = Lab::start(shared).await;
    test(&lab).await;
    assert!(buckets(&redis).await > 0, "the buckets are in Redis");
    lab.stop().await;
}

/// Counts the buckets that are not full yet.
async fn buckets(redis: &Redis) -> usize {
    let client = redis::Client::open(redis.url.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut ask = redis::cmd("KEYS");
    let keys = ask
        .arg("shop:limit:*")
        .query_async::<Vec<String>>(&mut connection);
    keys.await.unwrap().len()
}

/// Asks until it is refused; returns how often it was not.
async fn until_refused(caller: &Caller<'_>, path: &str) -> usize {
    for n in 0..100 {
        let reply = caller.get(path).await;
        if reply.status == 429 {
            let wait: u64 = reply.header("retry-after").parse().unwrap();
            assert!((1..=2).contains(&wait), "{wait}");
            assert_eq!(reply.header("content-type"), "application/problem+json");
            assert_eq!(reply.body["reason"], "rate_limited");
            return n;
        }
    }
    panic!("never refused");
}

#[tokio::test]
async fn an_address_that_comes_too_fast_is_told_when_to_come_again() {
    let mut slow = config();
    slow.limits.ip = Quota::per_second(5);
    with_both(slow, async |lab| {
        let granted = until_refused(&Caller::nobody(lab), "/products/1").await;
        assert!((10..40).contains(&granted), "{granted}");
        let scrape = lab.scrape().await;
        assert_eq!(
            scrape.sum("rate_limit_exceeded_total", &["limit_type=\"ip\""]),
            1.0
        );
        let refused = ["service=\"storefront\"", "status=\"429\""];
        assert_eq!(scrape.sum("http_requests_total", &refused), 1.0);
        assert_eq!(
            scrape.sum("rate_limit_exceeded_total", &["limit_type=\"user\""]),
            0.0
        );
    })
    .await;
}

#[tokio::test]
async fn an_account_has_a_limit_of_its_own() {
    let mut slow = demo();
    slow.limits.user = Quota::per_second(3);
    with_both(slow, async |lab| {
        let user = Caller::bearer(lab, USER);
        assert!(until_refused(&user, "/users/me").await >= 6);
        let other = Caller::bearer(lab, "test-token-789");
        assert_eq!(other.get("/users/me").await.status, 200);
        let scrape = lab.scrape().await;
        assert_eq!(
            scrape.sum("rate_limit_exceeded_total", &["limit_type=\"user\""]),
            1.0
        );
    })
    .await;
}

#[tokio::test]
async fn logins_to_one_account_are_limited_and_those_to_others_are_not() {
    let mut slow = config();
    slow.limits.login = Quota::per_second(1);
    with_both(slow, async |lab| {
        let login = async |name: &str| {
            let login = json!({ "username": name, "password": "guessed it" });
            Caller::nobody(lab).post("/users/login", login).await.status
        };
        assert_eq!([login("ada").await, login("ADA").await], [401, 401]);
        assert_eq!(login("ada").await, 429);
        assert_eq!(login("grace").await, 401);
        let scrape = lab.scrape().await;
        assert_eq!(
            scrape.sum("rate_limit_exceeded_total", &["limit_type=\"login\""]),
            1.0
        );
    })
    .await;
}

#[tokio::test]
async fn limits_can_be_off_and_proxies_trusted() {
    let mut trusting = config();
    trusting.limits.ip = Quota::per_second(1);
    trusting.limits.trust_forwarded_for = true;
    let lab = Lab::start(trusting).await;
    let from = |ip: &str| Caller::nobody(&lab).with("x-forwarded-for", ip);
    assert_eq!(
        until_refused(&from("9.9.9.9, 10.0.0.1"), "/products/1").await,
        2
    );
    assert_eq!(
        from("10.0.0.1, 10.0.0.2").get("/products/1").await.status,
        200
    );
    lab.stop().await;

    let mut open = config();
    open.limits.ip = None;
    let lab = Lab::start(open).await;
    for _ in 0..50 {
        assert_eq!(Caller::nobody(&lab).get("/products/1").await.status, 200);
    }
    lab.stop().await;
}

#[tokio::test]
async fn attackers_are_reported_once_and_slowed_down() {
    let mut strict = demo();
    strict.limits.suspect = Quota::per_second(1);
    let lab = Lab::start(strict).await;
    let guesser = Caller::nobody(&lab).with("x-session-id", "guesser");
    for n in 0..5 {
        let guess = json!({ "username": format!("name-{n}"), "password": "guessed it" });
        assert_eq!(guesser.post("/users/login", guess).await.status, 401);
    }
    assert!(until_refused(&guesser, "/products/1").await <= 3);
    let scanner = Caller::nobody(&lab).with("x-session-id", "scanner");
    for _ in 0..10 {
        assert_eq!(scanner.get("/wp-login.php").await.status, 404);
    }
    let abuser = Caller::bearer(&lab, USER);
    for _ in 0..20 {
        assert_eq!(abuser.post("/users/register", json!({})).await.status, 422);
    }
    let customer = Caller::nobody(&lab).with("x-session-id", "customer");
    for _ in 0..10 {
        assert_eq!(
            customer.get("/products/1").await.status,
            200,
            "others are not slowed down"
        );
    }
    let scrape = lab.scrape().await;
    for kind in ["credential_stuffing", "endpoint_scanning", "abuse"] {
        let label = format!("type=\"{kind}\"");
        assert_eq!(
            scrape.sum("suspicious_activity_total", &[&label]),
            1.0,
            "{kind}"
        );
    }
    lab.stop().await;
}

#[tokio::test]
async fn business_that_is_refused_is_no_attack() {
    let mut declining = config();
    declining.decline_share = Some(1.0);
    let lab = Lab::start(declining).await;
    let order = lab.order(1, 1).await;
    let customer = Caller::nobody(&lab);
    for _ in 0..30 {
        let paid = customer
            .post("/payment/pay", json!({ "order_id": order }))
            .await;
        assert_eq!(paid.status, 402, "{}", paid.body);
    }
    let scrape = lab.scrape().await;
    assert!(scrape.has("suspicious_activity_total", &[]));
    assert_eq!(scrape.sum("suspicious_activity_total", &[]), 0.0);
    lab.stop().await;
}
