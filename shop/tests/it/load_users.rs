//! The closed loop: a crowd that comes back, ramps, suffers faults, and outlives its shop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::Router;
use fault::{control::ControlConfig, token};
use serde_json::json;
use shop::{
    config::{Role, ShopConfig},
    http::url::BaseUrl,
    load::{
        Kind, Load, LoadConfig, ThinkTime,
        schedule::{Demand, Schedule, Wish},
    },
    process::side::SideRuntime,
};
use tokio_util::sync::CancellationToken;

use crate::{
    lab::{Lab, arm, client, eventually},
    load::{rate, run, target, view_only},
};

const MS: Duration = Duration::from_millis(1);

/// How many requests are at the target, and the most that ever were.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// Serves every path after `delay`, counting who waits.
async fn counting(delay: Duration) -> (BaseUrl, Arc<Crowd>) {
    let crowd = Arc::new(Crowd::default());
    let counted = Arc::clone(&crowd);
    let router = Router::new().fallback(move || {
        let crowd = Arc::clone(&counted);
        async move {
            let now = crowd.now.fetch_add(1, Ordering::SeqCst) + 1;
            crowd.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(delay).await;
            crowd.now.fetch_sub(1, Ordering::SeqCst);
            "{}"
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (BaseUrl::parse(&url).unwrap(), crowd)
}

fn users(url: BaseUrl, users: f64, think: ThinkTime) -> LoadConfig {
    let mut config = LoadConfig::for_target(url);
    config.plan.mix = view_only();
    config.think = think;
    config.schedule = Schedule::steady(Demand::Users, users);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_never_asks_more_at_once_than_it_is_large() {
    let (url, crowd) = counting(20 * MS).await;
    let mut config = users(url, 5.0, ThinkTime::NONE);
    config.schedule = config.schedule.lasting(Duration::from_secs(1));
    let summary = run(config).await;
    assert_eq!(crowd.most.load(Ordering::SeqCst), 5);
    assert!(summary.closed && summary.total.failed == 0, "{summary}");
    // Five customers with visits of at least 20 ms.
    assert!((50..=250).contains(&summary.total.completed), "{summary}");
    assert_eq!(summary.total.completed, summary.total.sent, "{summary}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_ramps_up_and_down() {
    let (url, crowd) = counting(50 * MS).await;
    let mut config = users(url, 0.0, ThinkTime::NONE);
    config.schedule = Schedule::new(&Wish {
        stages: [
            "500ms:users=4",
            "500ms:users=4",
            "0s:users=1",
            "700ms:users=1",
        ]
        .map(|stage| stage.parse().unwrap())
        .into(),
        ..Wish::default()
    })
    .unwrap();
    let running = tokio::spawn(run(config));
    eventually("all four are there", async || {
        crowd.now.load(Ordering::SeqCst) == 4
    })
    .await;
    eventually("one is left", async || {
        crowd.now.load(Ordering::SeqCst) == 1
    })
    .await;
    let summary = running.await.unwrap();
    assert_eq!(crowd.most.load(Ordering::SeqCst), 4);
    assert_eq!(summary.total.failed, 0, "{summary}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_keep_a_pace_and_a_slow_shop_shows_in_their_times() {
    let (url, _) = counting(Duration::ZERO).await;
    let mut config = LoadConfig::for_target(url);
    config.plan.mix = view_only();
    let wish = Wish {
        users: Some(4),
        rate: Some(40.0),
        duration: Some(Duration::from_secs(2)),
        ..Wish::default()
    };
    config.schedule = Schedule::new(&wish).unwrap();
    let summary = run(config.clone()).await;
    assert!((65..=84).contains(&summary.total.sent), "{summary}");

    // Each customer is due every 100 ms and each answer takes 300 ms: the last ones wait long.
    let (slow, _) = counting(300 * MS).await;
    config.target = slow;
    let summary = run(config).await;
    assert!(summary.total.service.max < 900 * MS, "{}", summary.table());
    assert!(
        summary.total.corrected.max > 1_000 * MS,
        "{}",
        summary.table()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_customers_of_four_kinds_are_one_of_each() {
    let (url, _) = target(Duration::ZERO).await;
    let mut config = users(url, 4.0, ThinkTime::Fixed(50 * MS));
    let kinds: shop::load::Kinds = "browsers=1,abandoners=1,buyers=1,admins=1".parse().unwrap();
    config.plan.mix = kinds.into();
    config.schedule = config.schedule.lasting(Duration::from_secs(1));
    let summary = run(config).await;
    let came: Vec<Kind> = summary.kinds.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(
        came,
        [Kind::Browsers, Kind::Abandoners, Kind::Buyers, Kind::Admins]
    );
    for (kind, tally) in &summary.kinds {
        assert!(tally.completed > 1, "{kind:?}: {}", summary.table());
        // Its own pauses are not the shop's.
        assert!(tally.service.p50 < 45 * MS, "{kind:?}: {}", summary.table());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn surge_and_drop_act_on_a_crowd_too() {
    let (url, crowd) = counting(30 * MS).await;
    let side = SideRuntime::start().unwrap();
    let token = token::generate();
    let control = ControlConfig::loopback(token.clone());
    let load = Load::start(users(url, 2.0, ThinkTime::NONE), control, &side)
        .await
        .unwrap();
    let (ready, faults) = (load.ready().clone(), load.faults().clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(load.run(stop.clone()));
    let client = client();

    let surge = json!({ "kind": "surge", "factor": 3 });
    arm(&client, &ready, token.expose(), "up", surge).await;
    eventually("six are there", async || {
        crowd.now.load(Ordering::SeqCst) == 6
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
    eventually("nobody is there", async || {
        crowd.now.load(Ordering::SeqCst) == 0 && faults.snapshot()[0].injected > 10
    })
    .await;
    stop.cancel();
    let summary = running.await.unwrap();
    assert_eq!(crowd.most.load(Ordering::SeqCst), 6);
    // Whoever is dropped comes back after a moment, not at once.
    assert!((10..500).contains(&summary.total.dropped), "{summary}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_hangs_does_not_slow_the_open_loop_and_shows_in_both_loops() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let url = BaseUrl::parse(&lab.url(Role::Storefront)).unwrap();
    let mut open = LoadConfig::for_target(url.clone());
    (open.plan.mix, open.schedule) = (view_only(), rate(50.0, 3));
    let mut closed = users(url, 4.0, ThinkTime::Fixed(20 * MS));
    closed.schedule = closed.schedule.lasting(Duration::from_secs(3));
    let both = tokio::spawn(async { tokio::join!(run(open), run(closed)) });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let latency = json!({
        "kind": "latency", "delay": "1500ms", "where": { "service": "catalog" },
    });
    lab.arm("slow", latency).await;
    let (open, closed) = both.await.unwrap();
    lab.withdraw("slow").await;
    lab.stop().await;
    // About 150 came, hanging or not; two thirds of them were held up.
    assert!((110..=190).contains(&open.total.sent), "{open}");
    assert!(open.total.corrected.p50 > 1_000 * MS, "{}", open.table());
    // Four customers met the hanging shop a handful of times, and missed many visits meanwhile.
    let [service, corrected] = [closed.total.service.p50, closed.total.corrected.p50];
    assert!(corrected > 3 * service, "{}", closed.table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_dies_is_counted_and_survived() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let url = BaseUrl::parse(&lab.url(Role::Storefront)).unwrap();
    let mut closed = users(url.clone(), 3.0, ThinkTime::Fixed(10 * MS));
    closed.schedule = closed.schedule.lasting(Duration::from_secs(2));
    let mut open = LoadConfig::for_target(url);
    open.schedule = rate(40.0, 2);
    let both = tokio::spawn(async { tokio::join!(run(open), run(closed)) });
    tokio::time::sleep(500 * MS).await;
    lab.stop().await;
    let began = Instant::now();
    let (open, closed) = both.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    for summary in [open, closed] {
        let total = summary.total;
        assert!(total.completed > 0 && total.failed > 5, "{summary}");
        assert_eq!(total.ended(), total.sent, "{summary}");
        assert!(summary.requests.unanswered > 5, "{summary}");
        // Nobody knocks at a closed door as fast as the machine can.
        assert!(total.failed < 300, "{summary}");
    }
}
