//! The load generator against targets that are fast, slow, and watched.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::Uri};
use fault::{control::ControlConfig, token};
use serde_json::json;
use shop::{
    config::{Role, ShopConfig},
    http::url::BaseUrl,
    load::{
        Load, LoadConfig, Mix, Summary,
        arrivals::Spacing,
        schedule::{Demand, Schedule},
    },
    process::side::SideRuntime,
};
use tokio_util::sync::CancellationToken;

use crate::lab::{Lab, Scrape, arm, client, eventually};

pub(crate) type Paths = Arc<Mutex<Vec<String>>>;

/// Serves every path after `delay`, and remembers the paths.
pub(crate) async fn target(delay: Duration) -> (BaseUrl, Paths) {
    let paths = Paths::default();
    let router = Router::new()
        .fallback(move |State(paths): State<Paths>, uri: Uri| async move {
            paths.lock().unwrap().push(uri.path().to_owned());
            tokio::time::sleep(delay).await;
            "{}"
        })
        .with_state(Arc::clone(&paths));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (BaseUrl::parse(&url).unwrap(), paths)
}

pub(crate) async fn run(config: LoadConfig) -> Summary {
    let side = SideRuntime::start().unwrap();
    let control = ControlConfig::loopback(token::generate());
    let load = Load::start(config, control, &side).await.unwrap();
    load.run(CancellationToken::new()).await
}

/// Each visit one request, so that they can be counted.
pub(crate) fn view_only() -> Mix {
    "view=1".parse().unwrap()
}

pub(crate) fn rate(rate: f64, seconds: u64) -> Schedule {
    Schedule::steady(Demand::Rate, rate).lasting(Duration::from_secs(seconds))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_target_does_not_slow_the_arrivals() {
    let (url, paths) = target(Duration::from_secs(2)).await;
    let mut config = LoadConfig::for_target(url);
    (config.plan.mix, config.spacing) = (view_only(), Spacing::Even);
    config.schedule = rate(100.0, 1);
    let summary = run(config).await;
    // The first answer comes after the last arrival.
    assert!((99..=100).contains(&summary.total.sent), "{summary}");
    assert_eq!(paths.lock().unwrap().len() as u64, summary.total.sent);
    assert_eq!(summary.total.completed, summary.total.sent);
    assert!(
        summary.total.corrected.p50 >= Duration::from_secs(2),
        "{summary}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arrivals_beyond_the_bound_are_shed_and_counted() {
    let (url, paths) = target(Duration::from_secs(2)).await;
    let mut config = LoadConfig::for_target(url);
    (config.plan.mix, config.spacing) = (view_only(), Spacing::Even);
    config.schedule = rate(100.0, 1);
    config.max_in_flight = 10;
    let summary = run(config).await;
    assert_eq!(summary.total.sent, 10, "{summary}");
    assert!((89..=90).contains(&summary.total.shed), "{summary}");
    assert_eq!(paths.lock().unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_sends_the_same_customers() {
    let mut seen = Vec::new();
    for seed in [5, 5, 6] {
        let (url, paths) = target(Duration::ZERO).await;
        let mut config = LoadConfig::for_target(url);
        (config.plan.seed, config.plan.mix) = (seed, view_only());
        config.schedule = rate(200.0, 1);
        let summary = run(config).await;
        let mut paths = paths.lock().unwrap().clone();
        assert_eq!(paths.len() as u64, summary.total.completed);
        paths.sort();
        seen.push(paths);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn surge_and_drop_change_the_arrivals_and_report_what_they_did() {
    let (url, _) = target(Duration::ZERO).await;
    let mut config = LoadConfig::for_target(url);
    (config.plan.mix, config.spacing) = (view_only(), Spacing::Even);
    config.schedule = Schedule::steady(Demand::Rate, 20.0);
    let side = SideRuntime::start().unwrap();
    let token = token::generate();
    let load = Load::start(config, ControlConfig::loopback(token.clone()), &side)
        .await
        .unwrap();
    let (ready, faults) = (load.ready().clone(), load.faults().clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(load.run(stop.clone()));
    let client = client();
    let scrape = async || {
        let url = format!("{}/metrics", ready.metrics_url.as_ref().unwrap());
        Scrape(client.get(url).send().await.unwrap().text().await.unwrap())
    };

    arm(
        &client,
        &ready,
        token.expose(),
        "up",
        json!({ "kind": "surge", "factor": 10 }),
    )
    .await;
    eventually("the rate is tenfold", async || {
        scrape().await.sum("load_rate", &[]) == 200.0
    })
    .await;
    eventually("the surge is counted", async || {
        faults.snapshot().iter().any(|fault| fault.injected > 50)
    })
    .await;
    faults.withdraw_all(None, "done");

    arm(
        &client,
        &ready,
        token.expose(),
        "none",
        json!({ "kind": "drop" }),
    )
    .await;
    let sent = ["outcome=\"sent\""];
    let before = scrape().await.sum("load_arrivals_total", &sent);
    eventually("arrivals are dropped", async || {
        scrape()
            .await
            .sum("load_arrivals_total", &["outcome=\"dropped\""])
            > 10.0
    })
    .await;
    let after = scrape().await.sum("load_arrivals_total", &sent);
    assert!(after - before <= 2.0, "{before} {after}");
    let dropping = faults.snapshot();
    assert_eq!(dropping[0].evaluated, dropping[0].injected);

    stop.cancel();
    let summary = running.await.unwrap();
    assert!(
        summary.total.dropped > 10 && summary.total.failed == 0,
        "{summary}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_default_traffic_pays_twenty_times_a_second_and_breaks_nothing() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let mut config = LoadConfig::for_target(BaseUrl::parse(&lab.url(Role::Storefront)).unwrap());
    config.schedule = rate(60.0, 3);
    let summary = run(config).await;
    assert_eq!(
        (summary.total.failed, summary.total.shed),
        (0, 0),
        "{summary}"
    );
    let payments = lab.scrape().await.sum("payments_processed_total", &[]);
    assert!(payments >= 60.0, "{payments} payments in 3 s");
    lab.stop().await;
}
