//! What the shop sees of a visit: paths, headers, and what is counted of refusals.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;
use shop::{
    config::{Role, ShopConfig},
    http::url::BaseUrl,
    load::{Journey, LoadConfig, Mix},
};

use crate::{
    lab::Lab,
    load::{rate, run},
};

/// A request as it came: method, path with its query, headers.
type Seen = Arc<Mutex<Vec<(Method, String, HeaderMap)>>>;

/// Plays a shop with every route: orders have ids, logins have tokens.
async fn recorder() -> (BaseUrl, Seen) {
    async fn answer(State(seen): State<Seen>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, 64 * 1024).await.unwrap();
        let path = parts.uri.path_and_query().unwrap().to_string();
        let seen_as = (parts.method, path.clone(), parts.headers);
        seen.lock().unwrap().push(seen_as);
        match path.as_str() {
            // Whoever guesses tries the admin.
            "/users/login" if String::from_utf8_lossy(&body).contains("\"admin\"") => {
                StatusCode::UNAUTHORIZED.into_response()
            }
            "/users/login" => Json(json!({ "token": "of-a-customer" })).into_response(),
            known if known.starts_with(['/']) && known.contains('.') => {
                StatusCode::NOT_FOUND.into_response()
            }
            _ => Json(json!({ "order_id": 17 })).into_response(),
        }
    }
    let seen = Seen::default();
    let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (BaseUrl::parse(&url).unwrap(), seen)
}

fn every_journey() -> Mix {
    let weights = Journey::ALL.map(|journey| format!("{}=1", journey.name()));
    weights.join(",").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_says_that_it_is_synthetic_and_where_it_comes_from() {
    let (url, seen) = recorder().await;
    let mut config = LoadConfig::for_target(url);
    (config.plan.mix, config.schedule) = (every_journey(), rate(200.0, 1));
    config.plan.countries = "DE=1,JP=1".parse().unwrap();
    config.trace_share = 0.5;
    let summary = run(config).await;
    assert_eq!(summary.total.failed, 0, "{summary}");
    let seen = seen.lock().unwrap();
    let (mut countries, mut flags) = (BTreeSet::new(), BTreeMap::new());
    let mut spans = BTreeSet::new();
    for (_, path, headers) in seen.iter() {
        let header = |name: &str| headers[name].to_str().unwrap();
        let country = header("x-country");
        countries.insert(country);
        assert_eq!(
            header("baggage"),
            format!("synthetic=true,country={country}")
        );
        assert!(header("x-session-id").starts_with("visit-"), "{path}");
        let parts: Vec<&str> = header("traceparent").split('-').collect();
        assert_eq!(
            parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
            [2, 32, 16, 2]
        );
        *flags.entry(parts[3]).or_insert(0) += 1;
        assert!(spans.insert((parts[1], parts[2])), "a span is one request");
    }
    assert_eq!(countries.into_iter().collect::<Vec<_>>(), ["DE", "JP"]);
    assert!(flags["00"] > 50 && flags["01"] > 50, "{flags:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_journey_asks_for_what_it_is_about() {
    for (journey, expect) in [
        (
            "buy",
            vec!["GET /products/", "POST /order", "POST /payment/pay"],
        ),
        ("abandon", vec!["GET /products/", "POST /order"]),
        (
            "checkout",
            vec!["GET /products/", "POST /cart/items", "POST /checkout"],
        ),
        (
            "leave_cart",
            vec!["GET /products/", "POST /cart/items", "GET /cart"],
        ),
    ] {
        let (url, seen) = recorder().await;
        let mut config = LoadConfig::for_target(url);
        config.plan.mix = format!("{journey}=1").parse().unwrap();
        config.schedule = rate(20.0, 1);
        let summary = run(config).await;
        assert_eq!(
            summary.total.completed, summary.total.sent,
            "{journey}: {summary}"
        );
        let mut visits = BTreeMap::<String, Vec<String>>::new();
        for (method, path, headers) in seen.lock().unwrap().iter() {
            let visit = headers["x-session-id"].to_str().unwrap().to_owned();
            visits
                .entry(visit)
                .or_default()
                .push(format!("{method} {path}"));
        }
        assert_eq!(visits.len() as u64, summary.total.sent);
        for made in visits.values() {
            // Some log in first.
            let account = |path: &&String| path.contains(" /users/");
            let made: Vec<&String> = made.iter().filter(|path| !account(path)).collect();
            let as_expected = made
                .iter()
                .zip(&expect)
                .all(|(path, expect)| path.starts_with(expect));
            assert!(
                made.len() == expect.len() && as_expected,
                "{journey}: {made:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admins_show_their_token_and_nobody_else_does() {
    let (url, seen) = recorder().await;
    let mut config = LoadConfig::for_target(url);
    config.plan.mix = "administer=1,view=1".parse().unwrap();
    (config.admin_token, config.schedule) = (Some("secret".to_owned()), rate(50.0, 1));
    run(config).await;
    let seen = seen.lock().unwrap();
    assert!(
        seen.iter()
            .any(|(_, path, _)| path.starts_with("/admin/orders"))
    );
    for (_, path, headers) in seen.iter() {
        let bearer = headers
            .get("authorization")
            .map(|value| value.to_str().unwrap());
        let expect = path.starts_with("/admin/").then_some("Bearer secret");
        assert_eq!(bearer, expect, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attackers_are_refused_and_their_tries_counted() {
    let (url, seen) = recorder().await;
    let mut config = LoadConfig::for_target(url);
    config.plan.mix = "guess=1,scan=1".parse().unwrap();
    config.schedule = rate(30.0, 1);
    let summary = run(config).await;
    assert_eq!(summary.total.refused, summary.total.sent, "{summary}");
    assert_eq!(seen.lock().unwrap().len() as u64, 3 * summary.total.sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journeys_of_a_real_shop_end_well_or_are_refused() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let mut config = LoadConfig::for_target(BaseUrl::parse(&lab.url(Role::Storefront)).unwrap());
    (config.plan.mix, config.schedule) = (every_journey(), rate(45.0, 2));
    config.timeout = Duration::from_secs(5);
    let summary = run(config).await;
    lab.stop().await;
    assert_eq!(summary.total.failed, 0, "{}", summary.table());
    assert_eq!(summary.total.ended(), summary.total.sent, "{summary}");
    let of = |wanted: Journey| {
        let found = summary
            .journeys
            .iter()
            .find(|(journey, _)| *journey == wanted);
        found.unwrap().1
    };
    for journey in [Journey::Browse, Journey::View, Journey::Abandon] {
        assert_eq!(
            of(journey).completed,
            of(journey).sent,
            "{}",
            summary.table()
        );
    }
    for journey in [Journey::Guess, Journey::Scan, Journey::Administer] {
        assert_eq!(of(journey).refused, of(journey).sent, "{}", summary.table());
    }
    assert_eq!(summary.requests.server_errors, 0, "{summary}");
}
