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
        Kind, Load, LoadConfig, Summary, ThinkTime,
        schedule::{Demand, Schedule, Wish},
    },
    process::side::SideRuntime,
};
use tokio_util::sync::CancellationToken;

use crate::{
    lab::{Lab, arm, client, eventually},
    load::{run, target, view_only},
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
    assert!((10..=250).contains(&summary.total.completed), "{summary}");
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
    let mut config = users(url, 4.0, ThinkTime::Fixed(300 * MS));
    let kinds: shop::load::Kinds = "browsers=1,abandoners=1,buyers=1,admins=1".parse().unwrap();
    config.plan.mix = kinds.into();
    config.schedule = config.schedule.lasting(Duration::from_secs(2));
    let summary = run(config).await;
    let came: Vec<Kind> = summary.kinds.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(
        came,
        [Kind::Browsers, Kind::Abandoners, Kind::Buyers, Kind::Admins]
    );
    for (kind, tally) in &summary.kinds {
        assert!(tally.completed > 0, "{kind:?}: {}", summary.table());
        // Its own pauses are not the shop's.
        assert!(
            tally.service.p50 < 290 * MS,
            "{kind:?}: {}",
            summary.table()
        );
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

/// Runs an open loop of 50 a second and a crowd of four against a shop until `stop`.
async fn both(lab: &Lab, stop: &CancellationToken) -> tokio::task::JoinHandle<[Summary; 2]> {
    let url = BaseUrl::parse(&lab.url(Role::Storefront)).unwrap();
    let mut open = LoadConfig::for_target(url.clone());
    (open.plan.mix, open.schedule) = (view_only(), Schedule::steady(Demand::Rate, 50.0));
    let closed = users(url, 4.0, ThinkTime::Fixed(20 * MS));
    let side = SideRuntime::start().unwrap();
    let control = || ControlConfig::loopback(token::generate());
    let open = Load::start(open, control(), &side).await.unwrap();
    let closed = Load::start(closed, control(), &side).await.unwrap();
    let stop = stop.clone();
    tokio::spawn(async move {
        let (open, closed) = tokio::join!(open.run(stop.clone()), closed.run(stop));
        drop(side);
        [open, closed]
    })
}

async fn served(lab: &Lab) {
    eventually("customers have been served", async || {
        let edge = ["service=\"storefront\""];
        lab.scrape().await.sum("http_requests_total", &edge) > 40.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_hangs_does_not_slow_the_open_loop_and_shows_in_both_loops() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let (stop, began) = (CancellationToken::new(), Instant::now());
    let running = both(&lab, &stop).await;
    served(&lab).await;
    let latency = json!({
        "kind": "latency", "delay": "1500ms", "where": { "service": "catalog" },
    });
    lab.arm("slow", latency).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    stop.cancel();
    let due = 50.0 * began.elapsed().as_secs_f64();
    let [open, closed] = running.await.unwrap();
    lab.withdraw("slow").await;
    lab.stop().await;
    // Customers came at their rate, hanging or not, and those who were held up show it.
    let sent = open.total.sent as f64;
    assert!(
        (due * 0.75..due * 1.25).contains(&sent),
        "{due} were due: {open}"
    );
    assert!(open.total.corrected.p90 > 1_000 * MS, "{}", open.table());
    // Four customers met the hanging shop a handful of times, and missed many visits meanwhile.
    assert!(closed.total.sent < open.total.sent * 4, "{closed}");
    assert!(closed.total.corrected.p90 > 700 * MS, "{}", closed.table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_dies_is_counted_and_survived() {
    let lab = Lab::start(ShopConfig::on_free_ports()).await;
    let stop = CancellationToken::new();
    let running = both(&lab, &stop).await;
    served(&lab).await;
    lab.stop().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.cancel();
    for summary in running.await.unwrap() {
        let total = summary.total;
        assert!(total.completed > 0 && total.failed > 5, "{summary}");
        assert_eq!(total.ended(), total.sent, "{summary}");
        assert!(summary.requests.unanswered > 5, "{summary}");
        // Nobody knocks at a closed door as fast as the machine can.
        assert!(total.failed < 1_000, "{summary}");
    }
}
