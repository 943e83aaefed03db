//! Stock under pressure.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use shop::config::{Role, ShopConfig};

use crate::{
    databases::on_every_database,
    lab::{Lab, eventually},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_customers_after_ten_items_buy_exactly_ten() {
    on_every_database(exactly_ten_are_sold).await;
}

async fn exactly_ten_are_sold(mut config: ShopConfig) {
    config.initial_stock = 10;
    config.restock_every = None;
    // All wait in the queue of the database at once; none is to fail for that.
    config.db_acquire_timeout = Duration::from_secs(30);
    config.call_timeout = Duration::from_secs(30);
    let lab = Arc::new(Lab::start(config).await);
    let orders = (0..200).map(|customer| {
        let lab = Arc::clone(&lab);
        tokio::spawn(async move {
            let body = json!({ "customer_id": customer + 1, "product_id": 5, "quantity": 1 });
            lab.post(Role::Storefront, "/order", &body).await
        })
    });
    let answers: Vec<_> = join_all(orders)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let count = |wanted: u16| {
        answers
            .iter()
            .filter(|(status, _)| *status == wanted)
            .count()
    };
    let odd = answers
        .iter()
        .find(|(status, _)| ![201, 409].contains(&status.as_u16()));
    assert_eq!((count(201), count(409)), (10, 190), "{odd:?}");
    let refused = answers.iter().find(|(status, _)| *status == 409).unwrap();
    assert_eq!(refused.1["errors"][0]["field"], "quantity");

    let (_, product) = lab.get(Role::Storefront, "/products/5").await;
    assert_eq!(product["stock"], 0);
    let scrape = lab.scrape().await;
    assert_eq!(scrape.sum("inventory_level", &["product_id=\"5\""]), 0.0);
    assert_eq!(
        scrape.sum("inventory_reservation_failures_total", &[]),
        190.0
    );
    assert_eq!(
        scrape.sum("orders_created_total", &["status=\"created\""]),
        10.0
    );
    assert_eq!(
        scrape.sum("orders_created_total", &["status=\"rejected\""]),
        190.0
    );
    Arc::into_inner(lab).unwrap().stop().await;
}

#[tokio::test]
async fn what_runs_low_is_restocked() {
    on_every_database(low_stock_is_filled_up).await;
}

async fn low_stock_is_filled_up(mut config: ShopConfig) {
    config.initial_stock = 10;
    config.restock_every = Some(Duration::from_millis(50));
    let lab = Lab::start(config).await;
    lab.order(4, 8).await;
    eventually("product 4 is full again", async || {
        lab.get(Role::Storefront, "/products/4").await.1["stock"] == 10
    })
    .await;
    lab.stop().await;
}
