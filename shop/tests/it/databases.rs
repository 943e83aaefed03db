//! What the shop promises, on every database it knows: the same tests for SQLite, PostgreSQL and MariaDB.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use shop::config::{DataPlace, Role, ShopConfig};

use crate::{
    lab::{Lab, eventually},
    servers::Server,
};

/// Returns an empty database of each kind that is to be had here.
pub(crate) async fn databases() -> Vec<(&'static str, DataPlace)> {
    let mut all = vec![("sqlite", DataPlace::Temporary)];
    for (name, server) in [
        ("postgresql", Server::postgres()),
        ("mariadb", Server::mariadb()),
    ] {
        if let Some(server) = server {
            let url = server.database().await;
            all.push((name, DataPlace::from_url(&url).unwrap()));
        }
    }
    all
}

/// Returns a shop on a database, without what happens by lot or by itself.
fn quiet(place: DataPlace) -> ShopConfig {
    let mut config = ShopConfig::on_free_ports();
    config.data = place;
    config.decline_share = Some(0.0);
    config.restock_every = None;
    config
}

#[tokio::test]
async fn a_customer_looks_orders_and_pays_on_every_database() {
    for (name, place) in databases().await {
        let lab = Lab::start(quiet(place)).await;
        let (status, product) = lab.get(Role::Storefront, "/products/3").await;
        assert_eq!(
            (status.as_u16(), &product["stock"]),
            (200, &json!(500)),
            "{name}"
        );
        let id = lab.order(3, 2).await;
        let pay = json!({ "order_id": id });
        let (status, paid) = lab.post(Role::Storefront, "/payment/pay", &pay).await;
        assert_eq!(
            (status.as_u16(), &paid["status"]),
            (200, &json!("paid")),
            "{name}: {paid}"
        );
        let again = lab.post(Role::Storefront, "/payment/pay", &pay).await;
        assert_eq!(again.0, 409, "{name}: an order is paid once");
        let (_, product) = lab.get(Role::Storefront, "/products/3").await;
        assert_eq!(product["stock"], 498, "{name}");
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_customers_after_ten_items_buy_exactly_ten_on_every_database() {
    for (name, place) in databases().await {
        let mut config = quiet(place);
        config.initial_stock = 10;
        // All wait in the queue of the database at once; none is to fail for that.
        config.db_acquire_timeout = Duration::from_secs(30);
        config.call_timeout = Duration::from_secs(30);
        let lab = Arc::new(Lab::start(config).await);
        let orders = (0..200).map(|customer| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move {
                let body = json!({ "customer_id": customer + 1, "product_id": 5, "quantity": 1 });
                lab.post(Role::Storefront, "/order", &body).await.0.as_u16()
            })
        });
        let answers = join_all(orders).await;
        let answers: Vec<u16> = answers.into_iter().map(Result::unwrap).collect();
        let count = |wanted| answers.iter().filter(|status| **status == wanted).count();
        assert_eq!((count(201), count(409)), (10, 190), "{name}: {answers:?}");
        let (_, product) = lab.get(Role::Storefront, "/products/5").await;
        assert_eq!(product["stock"], 0, "{name}");
        Arc::into_inner(lab).unwrap().stop().await;
    }
}

#[tokio::test]
async fn spans_and_pools_tell_which_database_it_is() {
    for (name, place) in databases().await {
        let lab = Lab::start(quiet(place)).await;
        eventually("a pool shows its connections", async || {
            let scrape = lab.scrape().await;
            scrape.sum("db_pool_connections_max", &["service=\"catalog\""]) == 8.0
        })
        .await;
        let scrape = lab.scrape().await;
        assert!(
            scrape.has("db_queries_total", &["service=\"catalog\""]),
            "{name}"
        );
        lab.stop().await;
    }
}
