//! The same promises on every database and with every cache.
//!
//! A test that needs an empty database of a kind asks for [`databases`]. The suite of the business as a
//! whole runs on SQLite and with the caches of the process, and once more on each server: by a run of
//! this same program in which every shop without a place of its own gets one there.

use std::{
    env,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use shop::config::{DataPlace, ShopConfig};

use crate::servers::{Kind, Redis, Server};

/// Names the server that shops of this run are on.
const SERVER: &str = "SHOP_TEST_SERVER";
/// The modules of the suite of the business.
const SUITE: [&str; 11] = [
    "cart::",
    "checkout::",
    "fulfilment::",
    "idempotency::",
    "limits::",
    "orders::",
    "payments::",
    "promotions::",
    "stock::",
    "storefront::",
    "users::",
];

/// Returns an empty database of each kind that is to be had here.
pub(crate) async fn databases() -> Vec<(&'static str, DataPlace)> {
    let mut all = vec![("sqlite", DataPlace::Temporary)];
    // A run on one server knows no other.
    if env::var_os(SERVER).is_some() {
        return all;
    }
    for (name, server) in [
        ("postgresql", Server::postgres()),
        ("mariadb", Server::mariadb()),
    ] {
        if let Some(server) = server {
            all.push((name, place(server).await));
        }
    }
    all
}

async fn place(server: &Server) -> DataPlace {
    DataPlace::from_url(&server.database().await).unwrap()
}

/// Gives a shop that has no place of its own one on the server of this run.
pub(crate) async fn settled(mut config: ShopConfig) -> ShopConfig {
    let server = env::var(SERVER).unwrap_or_default();
    let server = match server.as_str() {
        "postgresql" => Server::postgres(),
        "mariadb" => Server::mariadb(),
        "redis" => {
            if config.redis_url.is_none() {
                config.redis_url = Some(redis_url().parse().unwrap());
            }
            None
        }
        _ => None,
    };
    if let Some(server) = server
        && config.data == DataPlace::Temporary
    {
        config.data = place(server).await;
    }
    config
}

/// Returns an empty database of the Redis of this run.
fn redis_url() -> String {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let redis = Redis::shared().expect("this run is on it");
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    format!("{}{number}", redis.url)
}

/// Runs the suite of the business once more on a server.
fn again_on(server: &str, kind: Kind) {
    if env::var_os(SERVER).is_some() || !kind.is_here() {
        return;
    }
    let mut suite = Command::new(env::current_exe().unwrap());
    suite
        .args(SUITE)
        .args(["--skip", "load"])
        .env(SERVER, server)
        .stdin(Stdio::null());
    let output = suite.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "on {server}: {said}");
    // An empty suite would hold anywhere.
    let passed = said.matches(" ... ok").count();
    assert!(passed > 60, "{passed} tests on {server}: {said}");
}

#[test]
fn the_suite_holds_on_postgresql() {
    again_on("postgresql", Kind::Postgres);
}

#[test]
fn the_suite_holds_on_mariadb() {
    again_on("mariadb", Kind::MariaDb);
}

#[test]
fn the_suite_holds_with_redis() {
    again_on("redis", Kind::Redis);
}

/// Runs a test on every database, one after the other.
#[expect(clippy::print_stdout, reason = "captured unless the test fails")]
pub(crate) async fn on_every_database(check: impl AsyncFn(ShopConfig)) {
    for (name, place) in databases().await {
        // Captured unless the test fails, and then the last one is to blame.
        println!("on {name}");
        let mut config = ShopConfig::on_free_ports();
        config.data = place;
        check(config).await;
    }
}

/// Returns a shop on a database, without what happens by lot or by itself.
pub(crate) fn quiet(place: DataPlace) -> ShopConfig {
    let mut config = ShopConfig::on_free_ports();
    config.data = place;
    config.decline_share = Some(0.0);
    config.restock_every = None;
    config
}
