//! The simulated third parties: shares by country, keys, and silence about themselves.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shop::config::{Role, ShopConfig};

use crate::{
    ask::{ANYBODY, Said, ask},
    lab::Lab,
};

const SHARES: [(&str, f64); 7] = [
    ("US", 0.05),
    ("UK", 0.07),
    ("DE", 0.06),
    ("FR", 0.08),
    ("JP", 0.10),
    ("BR", 0.15),
    ("IN", 0.12),
];

fn config(decline_share: Option<f64>) -> ShopConfig {
    let mut config = ShopConfig::on_free_ports();
    config
        .roles
        .retain(|listener| listener.role == Role::Partners);
    config.decline_share = decline_share;
    config.partner_latency = 0.0;
    config
}

async fn post(lab: &Lab, path: &str, key: Option<&str>, body: Value) -> Said {
    let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", *key)).collect();
    ask(
        lab,
        Role::Partners,
        &format!("POST {path}"),
        &headers,
        Some(body),
    )
    .await
}

async fn charge(lab: &Lab, country: &str, key: Option<&str>) -> Said {
    let body = json!({ "order_id": 1, "amount": 500, "method": "card" });
    post(lab, &format!("/providers/{country}/charge"), key, body).await
}

/// Charges so many times; returns how often each status came.
async fn statuses(lab: &Lab, country: &str, times: usize) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..times / 50 {
        let charges = (0..50).map(|_| charge(lab, country, None));
        for said in join_all(charges).await {
            *counts.entry(said.status).or_default() += 1;
        }
    }
    counts
}

#[tokio::test]
async fn each_country_declines_its_share_and_the_same_each_time() {
    const TIMES: usize = 1_000;
    let lab = Lab::start(config(None)).await;
    for (country, share) in SHARES {
        let counts = statuses(&lab, country, TIMES).await;
        let sum = |wanted: &[u16]| {
            let counted = wanted.iter().filter_map(|status| counts.get(status));
            counted.sum::<usize>() as f64 / TIMES as f64
        };
        let declined = sum(&[400, 402, 404, 429]);
        let failed = sum(&[500, 503]);
        assert!(
            (declined - share * 0.75).abs() < 0.03,
            "{country} {counts:?}"
        );
        // Without delays one in five of the failing does not hang but succeeds.
        assert!((failed - share * 0.2).abs() < 0.02, "{country} {counts:?}");
        assert!(
            (sum(&[200]) + declined + failed - 1.0).abs() < 1e-9,
            "{counts:?}"
        );
        assert!(sum(&[402]) > declined / 2.0, "{country} {counts:?}");
    }
    lab.stop().await;

    let (one, other) = (
        Lab::start(config(None)).await,
        Lab::start(config(None)).await,
    );
    assert_eq!(
        statuses(&one, "BR", 200).await,
        statuses(&other, "br", 200).await
    );
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_share_from_the_command_line_is_exact_at_both_ends() {
    for (share, expected) in [(0.0, 200..300), (1.0, 400..500)] {
        let lab = Lab::start(config(Some(share))).await;
        for (country, _) in SHARES {
            let counts = statuses(&lab, country, 50).await;
            assert!(
                counts.keys().all(|status| expected.contains(status)),
                "{country} {counts:?}"
            );
        }
        for path in ["/crm/orders", "/warehouses/WH-001/shipments"] {
            for order_id in 1..50 {
                let said = post(&lab, path, None, json!({ "order_id": order_id })).await;
                assert_eq!(said.status, 201, "{path}");
            }
        }
        lab.stop().await;
    }
}

#[tokio::test]
async fn a_key_stands_for_one_charge() {
    let lab = Lab::start(config(Some(0.0))).await;
    let same = (0..20).map(|_| charge(&lab, "US", Some("pay-1")));
    let answers = join_all(same).await;
    assert!(
        answers.iter().all(|said| said.body == answers[0].body),
        "{answers:?}"
    );
    let made = |said: &&Said| said.header("idempotent-replayed").is_none();
    assert_eq!(answers.iter().filter(made).count(), 1);
    let elsewhere = charge(&lab, "DE", Some("pay-1")).await;
    assert_ne!(elsewhere.body["charge_id"], answers[0].body["charge_id"]);
    let other = json!({ "order_id": 2, "amount": 500, "method": "card" });
    let other = post(&lab, "/providers/US/charge", Some("pay-1"), other).await;
    assert_eq!(other.status, 422, "{}", other.body);
    lab.stop().await;

    let lab = Lab::start(config(Some(1.0))).await;
    let first = charge(&lab, "BR", Some("pay-1")).await;
    assert!((400..500).contains(&first.status) && first.body["reason"].is_string());
    assert_eq!(charge(&lab, "BR", Some("pay-1")).await.body, first.body);
    lab.stop().await;
}

#[tokio::test]
async fn a_failure_is_not_kept_for_its_key() {
    let lab = Lab::start(config(None)).await;
    let mut healed = 0;
    for n in 0..400 {
        let key = format!("pay-{n}");
        let mut said = charge(&lab, "BR", Some(&key)).await;
        for _ in 0..5 {
            if said.status < 500 {
                break;
            }
            healed += 1;
            said = charge(&lab, "BR", Some(&key)).await;
        }
        assert!(said.status < 500, "{key}: {}", said.status);
    }
    assert!(healed > 0);
    lab.stop().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_right_is_refused() {
    let lab = Lab::start(config(Some(0.0))).await;
    let order = json!({ "order_id": 1, "amount": 1 });
    for (path, body, status) in [
        ("/providers/XX/charge", order.clone(), 404),
        ("/warehouses/WH-009/shipments", order.clone(), 404),
        (
            "/providers/US/charge",
            json!({ "order_id": 0, "amount": 0 }),
            422,
        ),
        (
            "/providers/US/charge",
            json!({ "order_id": 1, "amount": 1, "method": "gold" }),
            422,
        ),
        ("/crm/orders", json!({}), 422),
        ("/nothing", order, 404),
    ] {
        let said = post(&lab, path, None, body).await;
        assert_eq!(said.status, status, "{path}: {}", said.body);
    }
    lab.stop().await;
}

#[tokio::test]
async fn partners_tell_nothing_of_themselves() {
    let mut config = ShopConfig::on_free_ports();
    config.decline_share = Some(0.0);
    let lab = Lab::start(config).await;
    assert_eq!(charge(&lab, "US", None).await.status, 200);
    assert_eq!(
        ask(&lab, Role::Partners, "GET /metrics", ANYBODY, None)
            .await
            .status,
        404
    );
    let scrape = lab.scrape().await;
    assert!(!scrape.0.contains("\"partners\""));
    assert_eq!(scrape.sum("http_requests_total", &[]), 0.0);
    lab.stop().await;
}
