//! Discounts and coupons through HTTP.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shop::config::{DataPlace, Role};

use crate::{
    ask::{ANYBODY, CUSTOMER, Said, ask, patient},
    databases::databases,
    lab::Lab,
};

async fn check(lab: &Lab, who: &[(&str, &str)], body: Value) -> Said {
    ask(
        lab,
        Role::Promotions,
        "POST /promotions/check",
        who,
        Some(body),
    )
    .await
}

async fn redeem(lab: &Lab, who: &[(&str, &str)], coupon: &str, order_id: i64) -> Said {
    let body = json!({ "coupon": coupon, "order_id": order_id });
    ask(
        lab,
        Role::Promotions,
        "POST /promotions/redeem",
        who,
        Some(body),
    )
    .await
}

async fn release(lab: &Lab, order_id: i64) -> Said {
    let body = json!({ "order_id": order_id });
    let what = "POST /promotions/release";
    ask(lab, Role::Promotions, what, ANYBODY, Some(body)).await
}

#[tokio::test]
async fn a_price_is_checked_to_the_cent() {
    let lab = Lab::start(patient(DataPlace::Temporary)).await;
    for (subtotal, coupon, applied, refused) in [
        (9_999, None, json!([]), Value::Null),
        (10_001, None, json!([["TIER3", 300]]), Value::Null),
        (50_000, None, json!([["TIER10", 5_000]]), Value::Null),
        (
            1_995,
            Some("welcome10"),
            json!([["WELCOME10", 199]]),
            Value::Null,
        ),
        (
            20_000,
            Some("FLAT50"),
            json!([["TIER5", 1_000], ["FLAT50", 5_000]]),
            Value::Null,
        ),
        (
            50_000,
            Some("BIGORDER"),
            json!([["TIER10", 5_000], ["BIGORDER", 7_500]]),
            Value::Null,
        ),
        (9_999, Some("SAVE20"), json!([]), json!("below_minimum")),
        (9_999, Some("NOSUCH"), json!([]), json!("unknown")),
        (9_999, Some("NEWUSER"), json!([]), json!("account_required")),
    ] {
        let body = json!({ "subtotal_minor": subtotal, "country": "DE", "coupon": coupon });
        let said = check(&lab, ANYBODY, body).await;
        assert_eq!(said.status, 200, "{}", said.body);
        let one = |one: &Value| json!([one["code"], one["discount_minor"]]);
        let listed: Vec<Value> = said.body["applied"]
            .as_array()
            .unwrap()
            .iter()
            .map(one)
            .collect();
        assert_eq!(json!(listed), applied, "{subtotal} {coupon:?}");
        assert_eq!(
            said.body["refused"]["reason"], refused,
            "{subtotal} {coupon:?}"
        );
        let discount = said.body["discount_minor"].as_i64().unwrap();
        assert_eq!(said.body["total_minor"], subtotal - discount);
    }
    let bad = check(
        &lab,
        ANYBODY,
        json!({ "subtotal_minor": -1, "country": "XX" }),
    )
    .await;
    assert_eq!(
        (bad.status, bad.body["errors"].as_array().unwrap().len()),
        (422, 2)
    );
    lab.stop().await;
}

#[tokio::test]
async fn a_coupon_tells_what_it_is() {
    let lab = Lab::start(patient(DataPlace::Temporary)).await;
    let show = async |code: &str| {
        let what = format!("GET /promotions/coupons/{code}");
        ask(&lab, Role::Promotions, &what, ANYBODY, None).await
    };
    for code in ["WELCOME10", "SAVE20", "FLAT50", "BIGORDER", "NEWUSER"] {
        let said = show(code).await;
        assert_eq!(
            (said.status, &said.body["usable"]),
            (200, &json!(true)),
            "{code}"
        );
    }
    let flat = show("flat50").await.body;
    assert_eq!(
        (&flat["kind"], &flat["amount"]),
        (&json!("flat"), &json!(5_000))
    );
    assert_eq!(show("NOSUCH").await.status, 404);
    assert_eq!(show(&"x".repeat(99)).await.status, 404);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_uses_a_coupon_for_new_ones_once_on_every_database() {
    for (name, place) in databases().await {
        let lab = Arc::new(Lab::start(patient(place)).await);
        let orders = (1..=12).map(|order_id| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move { redeem(&lab, CUSTOMER, "NEWUSER", order_id).await.status })
        });
        let statuses: Vec<u16> = join_all(orders)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(200), count(409)), (1, 11), "{name}: {statuses:?}");
        let order = 1 + statuses.iter().position(|status| *status == 200).unwrap() as i64;
        let again = redeem(&lab, CUSTOMER, "NEWUSER", order).await;
        assert_eq!(again.status, 200, "{name}: the same order may ask again");
        let body = json!({ "subtotal_minor": 1_000, "coupon": "NEWUSER" });
        let refused = check(&lab, CUSTOMER, body).await.body;
        assert_eq!(refused["refused"]["reason"], "already_used", "{name}");
        assert_eq!(
            redeem(&lab, ANYBODY, "NEWUSER", 99).await.status,
            409,
            "{name}"
        );
        assert_eq!(
            redeem(&lab, ANYBODY, "NOSUCH", 99).await.status,
            404,
            "{name}"
        );
        Arc::into_inner(lab).unwrap().stop().await;
    }
}

#[tokio::test]
async fn a_coupon_is_used_up() {
    let lab = Lab::start(patient(DataPlace::Temporary)).await;
    for start in (0..1_000).step_by(50) {
        let uses = (start..start + 50).map(|n| redeem(&lab, ANYBODY, "FLAT50", n + 1));
        assert!(join_all(uses).await.iter().all(|said| said.status == 200));
    }
    let refused = redeem(&lab, ANYBODY, "FLAT50", 1_001).await;
    assert_eq!(
        (refused.status, &refused.body["reason"]),
        (409, &json!("used_up"))
    );
    assert_eq!(
        redeem(&lab, ANYBODY, "FLAT50", 1_000).await.status,
        200,
        "it had its use"
    );
    let body = json!({ "subtotal_minor": 30_000, "coupon": "FLAT50" });
    assert_eq!(
        check(&lab, ANYBODY, body).await.body["refused"]["reason"],
        "used_up"
    );
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_use_goes_back_once_and_is_never_taken_after_on_every_database() {
    for (name, place) in databases().await {
        let lab = Arc::new(Lab::start(patient(place)).await);
        let left = async || {
            let what = "GET /promotions/coupons/FLAT50";
            let said = ask(&lab, Role::Promotions, what, ANYBODY, None).await;
            said.body["uses_left"].as_i64().unwrap()
        };
        let all = left().await;
        // Taking and giving back at once, in either order: in the end nothing is taken.
        let tasks = (1..=20).flat_map(|order_id| {
            let (taking, giving) = (Arc::clone(&lab), Arc::clone(&lab));
            [
                tokio::spawn(
                    async move { redeem(&taking, ANYBODY, "FLAT50", order_id).await.status },
                ),
                tokio::spawn(async move { release(&giving, order_id).await.status }),
            ]
        });
        for status in join_all(tasks).await {
            assert!([200, 409].contains(&status.unwrap()), "{name}");
        }
        assert_eq!(left().await, all, "{name}");
        let late = redeem(&lab, ANYBODY, "FLAT50", 7).await;
        assert_eq!(
            (late.status, &late.body["reason"]),
            (409, &json!("order_cancelled")),
            "{name}"
        );
        assert_eq!(redeem(&lab, CUSTOMER, "NEWUSER", 50).await.status, 200);
        for released in [true, false] {
            assert_eq!(release(&lab, 50).await.body["released"], released, "{name}");
        }
        let again = redeem(&lab, CUSTOMER, "NEWUSER", 51).await;
        assert_eq!(again.status, 200, "{name}: the account has its use again");
        Arc::into_inner(lab).unwrap().stop().await;
    }
}
