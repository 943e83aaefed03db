//! Partners that are away, in another process as it were: the breaker opens, nothing becomes a 5xx,
//! and it closes again.

use serde_json::json;
use shop::{
    config::{Role, ShopConfig},
    http::url::BaseUrl,
};

use crate::{
    ask::{ANYBODY, Said, ask},
    lab::{Lab, Scrape, eventually},
};

fn alone(role: Role) -> ShopConfig {
    let mut config = ShopConfig::on_free_ports();
    config.roles.retain(|listener| listener.role == role);
    config.decline_share = Some(0.0);
    config
}

/// Starts the payments role on its own, with partners at `url`.
async fn payments(url: &str) -> Lab {
    let mut config = alone(Role::Payments);
    let partners = BaseUrl::parse(url).unwrap();
    config.elsewhere.push((Role::Partners, partners));
    Lab::start(config).await
}

async fn pay(lab: &Lab, country: &str, order_id: i64) -> Said {
    let body = json!({ "order_id": order_id, "amount": 500, "country": country });
    ask(
        lab,
        Role::Payments,
        "POST /payment/pay",
        ANYBODY,
        Some(body),
    )
    .await
}

fn outcomes(scrape: &Scrape, dependency: &str, outcome: &str) -> f64 {
    let dependency = format!("dependency=\"{dependency}\"");
    let outcome = format!("outcome=\"{outcome}\"");
    scrape.sum("external_requests_total", &[&dependency, &outcome])
}

fn open(scrape: &Scrape, dependency: &str) -> f64 {
    let dependency = format!("dependency=\"{dependency}\"");
    scrape.sum("circuit_breaker_open", &[&dependency])
}

#[tokio::test]
async fn the_breaker_opens_on_a_dead_provider_and_closes_when_it_is_back() {
    let partners = Lab::start(alone(Role::Partners)).await;
    let url = partners.url(Role::Partners);
    let lab = payments(&url).await;
    for country in ["US", "DE"] {
        let paid = pay(&lab, country, 1).await;
        assert_eq!(paid.status, 200, "{}", paid.body);
    }

    partners.stop().await;
    for order_id in 10..40 {
        let said = pay(&lab, "US", order_id).await;
        let reason = &said.body["reason"];
        assert_eq!((said.status, reason), (402, &json!("provider_unavailable")));
    }
    let scrape = lab.scrape().await;
    assert_eq!(
        (open(&scrape, "payments-us"), open(&scrape, "payments-de")),
        (1.0, 0.0)
    );
    assert!(outcomes(&scrape, "payments-us", "error") >= 9.0);
    let rejected = outcomes(&scrape, "payments-us", "rejected");
    assert!(rejected >= 15.0, "{rejected}");
    let us = "dependency=\"payments-us\"";
    let retries = scrape.sum("external_retries_total", &[us]);
    // A fifth of the calls, and the three that are always allowed.
    let calls = 31.0 - rejected;
    assert!(
        (1.0..=0.2 * calls + 3.0).contains(&retries),
        "{retries} of {calls}"
    );
    let timed = scrape.sum("external_request_duration_seconds_count", &[us]);
    assert_eq!(timed, calls + retries);
    let failed = scrape.sum(
        "http_requests_total",
        &["service=\"payments\"", "status=\"500\""],
    );
    assert_eq!(failed, 0.0);

    let mut back = alone(Role::Partners);
    back.roles[0].listen = url.trim_start_matches("http://").parse().unwrap();
    let partners = Lab::start(back).await;
    let mut order_id = 100;
    eventually("the breaker is closed again", async || {
        order_id += 1;
        pay(&lab, "US", order_id).await;
        open(&lab.scrape().await, "payments-us") == 0.0
    })
    .await;
    assert_eq!(pay(&lab, "US", 1_000).await.status, 200);
    lab.stop().await;
    partners.stop().await;
}

#[tokio::test]
async fn what_is_called_is_counted_from_the_start_and_nothing_else() {
    let lab = payments("http://127.0.0.1:1").await;
    let scrape = lab.scrape().await;
    for country in ["us", "uk", "de", "fr", "jp", "br", "in"] {
        let dependency = format!("dependency=\"payments-{country}\"");
        for outcome in ["ok", "error", "timeout", "rejected"] {
            let outcome = format!("outcome=\"{outcome}\"");
            assert!(scrape.has("external_requests_total", &[&dependency, &outcome]));
        }
        for name in [
            "external_request_duration_seconds_count",
            "external_retries_total",
            "circuit_breaker_open",
        ] {
            assert!(scrape.has(name, &[&dependency]), "{name} {dependency}");
        }
    }
    assert!(!scrape.has("external_requests_total", &["dependency=\"crm\""]));
    assert_eq!(scrape.sum("external_requests_total", &[]), 0.0);
    lab.stop().await;

    let lab = Lab::start(alone(Role::Catalog)).await;
    assert!(!lab.scrape().await.0.contains("external_requests"));
    lab.stop().await;
}

#[tokio::test]
async fn a_failure_now_and_then_is_healed_and_a_lasting_one_is_no_storm() {
    let partners = Lab::start(alone(Role::Partners)).await;
    let lab = payments(&partners.url(Role::Partners)).await;
    let one_in_ten = json!({ "kind": "error", "status": 503, "share": "10%" });
    partners.arm("e", one_in_ten).await;
    for order_id in 1..=100 {
        let paid = pay(&lab, "JP", order_id).await;
        assert_eq!(paid.status, 200, "{order_id}: {}", paid.body);
    }
    partners.withdraw("e").await;
    let jp = "dependency=\"payments-jp\"";
    let scrape = lab.scrape().await;
    let retries = scrape.sum("external_retries_total", &[jp]);
    assert!((2.0..=23.0).contains(&retries), "{retries}");
    assert_eq!(outcomes(&scrape, "payments-jp", "ok"), 100.0);
    assert_eq!(open(&scrape, "payments-jp"), 0.0);

    let all = json!({ "kind": "error", "status": 500 });
    partners.arm("a", all).await;
    for order_id in 201..=300 {
        assert_eq!(pay(&lab, "JP", order_id).await.status, 402);
    }
    let after = lab.scrape().await;
    let more = after.sum("external_retries_total", &[jp]) - retries;
    assert!(more <= 43.0 - retries, "{more} after {retries}");
    assert_eq!(open(&after, "payments-jp"), 1.0);
    lab.stop().await;
    partners.stop().await;
}
