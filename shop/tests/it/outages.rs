//! Databases that stall, die and come back, and shops that die: nothing that was promised is lost.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use shop::config::{DataPlace, Role};

use crate::{
    buyer::stock,
    databases::{databases, quiet},
    lab::{Lab, PATIENCE, Program, client, eventually, program},
    servers::{Kind, PASSWORD, Server},
};

const CATALOG: &str = "service=\"catalog\"";

async fn deduct(lab: Arc<Lab>) -> u16 {
    let body = json!({ "product_id": 1, "quantity": 1 });
    let answer = lab.post(Role::Catalog, "/inventory/deduct", &body).await;
    answer.0.as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exhausted_pool_is_a_503_and_heals() {
    for (name, place) in databases().await {
        let lab = Lab::start(quiet(place)).await;
        let stall =
            json!({ "kind": "db_stall", "mode": "connections", "where": { "service": "catalog" } });
        lab.arm("s", stall).await;
        eventually("all connections are held", async || {
            let scrape = lab.scrape().await;
            scrape.sum("db_pool_connections_in_use", &[CATALOG]) == 8.0
        })
        .await;
        let (status, problem) = lab.get(Role::Catalog, "/products/1").await;
        assert_eq!(
            (status.as_u16(), &problem["status"]),
            (503, &json!(503)),
            "{name}: {problem}"
        );
        let scrape = lab.scrape().await;
        assert_eq!(
            scrape.sum("db_pool_timeouts_total", &[CATALOG]),
            1.0,
            "{name}"
        );
        let ended = lab.withdraw("s").await;
        assert_eq!(ended["injected"], 1, "{name}");
        assert_eq!(lab.get(Role::Catalog, "/products/1").await.0, 200, "{name}");
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_stops_writes_and_lets_reads_pass_on_every_database() {
    for (name, place) in databases().await {
        let lab = Arc::new(Lab::start(quiet(place)).await);
        let lock = json!({ "kind": "db_stall", "mode": "lock", "where": { "service": "catalog" } });
        lab.arm("l", lock).await;
        eventually("a write is held up", async || {
            let write = tokio::spawn(deduct(Arc::clone(&lab)));
            tokio::time::timeout(Duration::from_millis(500), write)
                .await
                .is_err()
        })
        .await;
        assert_eq!(
            lab.get(Role::Catalog, "/products/1").await.0,
            200,
            "{name}: a read passes"
        );
        assert_eq!(
            deduct(Arc::clone(&lab)).await,
            503,
            "{name}: a write gives up"
        );
        lab.withdraw("l").await;
        assert_eq!(deduct(Arc::clone(&lab)).await, 200, "{name}");
        eventually("no write is left", async || {
            lab.scrape().await.sum("db_queries_in_flight", &[CATALOG]) == 0.0
        })
        .await;
        Arc::into_inner(lab).unwrap().stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_and_comes_back_is_found_again() {
    for kind in [Kind::Postgres, Kind::MariaDb] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let url = server.database().await;
        let lab = Lab::start(quiet(DataPlace::from_url(&url).unwrap())).await;
        let id = lab.order(3, 1).await;
        server.kill();
        let mut failed = None;
        eventually("queries fail", async || {
            let (status, problem) = lab.get(Role::Orders, &format!("/orders/{id}")).await;
            failed = (status != 200).then(|| (status.as_u16(), problem.to_string()));
            failed.is_some()
        })
        .await;
        let (status, problem) = failed.unwrap();
        assert_eq!(status, 503, "{kind:?}: {problem}");
        assert!(
            !problem.contains("127.0.0.1") && !problem.contains(PASSWORD),
            "{problem}"
        );
        server.start_again();
        eventually("what was ordered is there", async || {
            let (status, order) = lab.get(Role::Storefront, &format!("/orders/{id}")).await;
            // A connection that broke while it was in use is found out by the next one to use it.
            assert_ne!(status, 404, "{kind:?}: {order}");
            status == 200
        })
        .await;
        eventually("orders are taken again", async || {
            let body = json!({ "customer_id": 7, "product_id": 3, "quantity": 1 });
            lab.post(Role::Storefront, "/order", &body).await.0 == 201
        })
        .await;
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_frozen_holds_nothing_up_for_ever() {
    let Some(server) = Server::start(Kind::MariaDb) else {
        return;
    };
    let place = DataPlace::from_url(&server.database().await).unwrap();
    let mut config = quiet(place.clone());
    config.db_acquire_timeout = Duration::from_millis(500);
    config.db_answer_timeout = Duration::from_secs(1);
    config.call_timeout = Duration::from_mins(1);
    let lab = Lab::start(config).await;
    let id = lab.order(3, 1).await;
    let lab = Arc::new(lab);
    server.freeze();
    let began = Instant::now();
    // Transactions that begin now are given up before the database has heard of them.
    let writes = (0..6).map(|_| {
        let lab = Arc::clone(&lab);
        tokio::spawn(async move { deduct(lab).await })
    });
    for status in join_all(writes).await {
        assert_eq!(status.unwrap(), 503);
    }
    // More than there are connections: some are not answered, and some find none that is free.
    for _ in 0..12 {
        let (status, problem) = lab.get(Role::Orders, &format!("/orders/{id}")).await;
        assert_eq!(status, 503, "{problem}");
    }
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    server.thaw();
    eventually("what was ordered is there", async || {
        lab.get(Role::Orders, &format!("/orders/{id}")).await.0 == 200
    })
    .await;
    // Another process sees what is written, and only that.
    let other = Lab::start(quiet(place)).await;
    let before = stock(&other, 1).await;
    let mut taken = 0;
    eventually(
        "everything that is taken is written for everybody",
        async || {
            taken += i64::from(deduct(Arc::clone(&lab)).await == 200);
            taken >= 20
        },
    )
    .await;
    assert_eq!(stock(&other, 1).await, before - taken);
    other.stop().await;
    Arc::into_inner(lab).unwrap().stop().await;
}

/// Starts the program on a database, with stock for everybody.
fn on(url: &str) -> Program {
    let mut command: Command = program();
    command.env("DATABASE_URL", url);
    command.args(["--initial-stock", "1000000", "--restock-every", "0s"]);
    Program::start(command)
}

/// Orders until the shop is gone; returns the orders it acknowledged, and counts them meanwhile.
async fn order_until_gone(url: String, count: Arc<AtomicUsize>) -> Vec<i64> {
    let (client, mut taken) = (client(), Vec::new());
    let body = json!({ "customer_id": 7, "product_id": 2, "quantity": 1 });
    loop {
        let asked = client.post(format!("{url}/order")).json(&body).send().await;
        let Ok(answer) = asked else { return taken };
        // An answer that is cut off is none.
        let Ok(order) = answer.json::<serde_json::Value>().await else {
            return taken;
        };
        if let Some(id) = order["order_id"].as_i64() {
            taken.push(id);
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_that_was_acknowledged_is_lost_when_the_shop_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut urls = vec![format!("sqlite://{}", folder.path().display())];
    for server in [Server::postgres(), Server::mariadb()]
        .into_iter()
        .flatten()
    {
        urls.push(server.database().await);
    }
    for url in urls {
        let shop = on(&url);
        let storefront = shop.url("storefront").to_owned();
        let count = Arc::new(AtomicUsize::new(0));
        let customer = || order_until_gone(storefront.clone(), Arc::clone(&count));
        let customers: Vec<_> = (0..8).map(|_| tokio::spawn(customer())).collect();
        eventually("a hundred orders are taken", async || {
            count.load(Ordering::Relaxed) >= 100
        })
        .await;
        shop.kill();
        let mut taken = Vec::new();
        for customer in customers {
            taken.extend(
                tokio::time::timeout(PATIENCE, customer)
                    .await
                    .unwrap()
                    .unwrap(),
            );
        }
        assert!(taken.len() >= 100, "{} orders under load", taken.len());

        let shop = on(&url);
        let client = client();
        for id in &taken {
            let url = format!("{}/orders/{id}", shop.url("storefront"));
            let status = client.get(url).send().await.unwrap().status();
            assert_eq!(status, 200, "order {id} of {}", taken.len());
        }
        let url = format!("{}/products/2", shop.url("storefront"));
        let product: serde_json::Value =
            client.get(url).send().await.unwrap().json().await.unwrap();
        let sold = 1_000_000 - product["stock"].as_i64().unwrap();
        // Whoever was being served at the moment may have got stock without an answer, nobody less.
        assert!(
            (taken.len() as i64..=taken.len() as i64 + 8).contains(&sold),
            "{sold} sold"
        );
        shop.end();
    }
}

#[test]
fn two_processes_that_start_at_once_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut urls = vec![format!("sqlite://{}", folder.path().display())];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for server in [Server::postgres(), Server::mariadb()]
        .into_iter()
        .flatten()
    {
        urls.push(runtime.block_on(server.database()));
    }
    for url in urls {
        let start = || {
            let mut command = program();
            command.env("DATABASE_URL", &url);
            command.args(["--role", "payments,partners"]);
            Program::start(command)
        };
        std::thread::scope(|scope| {
            let started = [scope.spawn(start), scope.spawn(start)];
            for shop in started {
                shop.join().expect("both start").end();
            }
        });
    }
}

#[test]
fn a_bad_url_is_refused_before_anything_listens() {
    for (url, cause) in [
        (
            "postgres://shop:hush-4711@127.0.0.1:1x/shop",
            "invalid port number",
        ),
        ("oracle://shop:hush-4711@127.0.0.1/shop", "no database"),
    ] {
        let output = program().args(["--database-url", url]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{said}");
        assert!(
            said.contains("--database-url") && said.contains(cause),
            "{said}"
        );
        assert!(!said.contains("hush-4711"), "{said}");
    }
}

#[test]
fn no_log_line_holds_the_password() {
    let Some(server) = Server::postgres() else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut command = program();
    command.env("DATABASE_URL", runtime.block_on(server.database()));
    command.args(["--log-level", "trace,sqlx=trace"]);
    let shop = Program::start(command);
    let url = format!("{}/products", shop.url("storefront"));
    runtime.block_on(async { client().get(url).send().await.unwrap() });
    let (lines, _) = shop.end();
    assert!(lines.len() > 3);
    let leak = lines
        .iter()
        .find(|line| line.to_string().contains(PASSWORD));
    assert_eq!(leak, None);
}
