//! The catalog: lists, changes by admins, warehouses, reservations, and old answers in hard times.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use shop::config::{DataPlace, Role, ShopConfig};

use crate::{
    ask::{ADMIN, ANYBODY, CUSTOMER, Said, ask, patient},
    databases::{databases, quiet},
    lab::{Lab, eventually},
};

async fn catalog(lab: &Lab, what: &str, who: &[(&str, &str)], body: Option<Value>) -> Said {
    ask(lab, Role::Catalog, what, who, body).await
}

async fn get(lab: &Lab, path: &str) -> Said {
    catalog(lab, &format!("GET {path}"), ANYBODY, None).await
}

async fn deduct(lab: &Lab, product_id: i64, quantity: i64, reservation: Option<&str>) -> Said {
    let body =
        json!({ "product_id": product_id, "quantity": quantity, "reservation": reservation });
    catalog(lab, "POST /inventory/deduct", ANYBODY, Some(body)).await
}

async fn release(lab: &Lab, reservation: &str) -> Said {
    let body = json!({ "reservation": reservation });
    catalog(lab, "POST /inventory/release", ANYBODY, Some(body)).await
}

/// Returns what the warehouses hold of a product, in their order.
async fn stocks(lab: &Lab, product_id: i64) -> Vec<i64> {
    let said = get(lab, &format!("/products/{product_id}/inventory")).await;
    let warehouses = said.body["warehouses"].as_array().unwrap();
    let stocks: Vec<i64> = warehouses
        .iter()
        .map(|one| one["stock"].as_i64().unwrap())
        .collect();
    assert_eq!(said.body["total"], stocks.iter().sum::<i64>());
    stocks
}

fn ids(said: &Said) -> Vec<i64> {
    let products = said.body["products"].as_array().unwrap();
    products
        .iter()
        .map(|one| one["id"].as_i64().unwrap())
        .collect()
}

fn with_stock(place: DataPlace, stock: u32) -> ShopConfig {
    let mut config = patient(place);
    config.initial_stock = stock;
    config
}

#[tokio::test]
async fn admins_make_change_and_take_away_products_on_every_database() {
    for (name, place) in databases().await {
        let lab = Lab::start(patient(place)).await;
        let mug =
            json!({ "name": "Blue Mug", "price_minor": 990, "category": "Coffee", "stock": 7 });
        let made = catalog(&lab, "POST /products", ADMIN, Some(mug)).await;
        assert_eq!(made.status, 201, "{name}: {}", made.body);
        let id = made.body["id"].as_i64().unwrap();
        let path = format!("/products/{id}");
        assert_eq!(made.header("location"), Some(path.as_str()));
        assert_eq!(get(&lab, &path).await.body, made.body, "{name}");
        assert_eq!(made.body["category"], "coffee");
        assert_eq!(stocks(&lab, id).await, [3, 2, 2], "{name}");

        let change = json!({ "price_minor": 1_090, "version": 1 });
        let put = format!("PUT {path}");
        let changed = catalog(&lab, &put, ADMIN, Some(change.clone())).await;
        assert_eq!(changed.status, 200, "{name}: {}", changed.body);
        let now = (&changed.body["price_minor"], &changed.body["version"]);
        assert_eq!(now, (&json!(1_090), &json!(2)));
        assert_eq!(changed.body["name"], "Blue Mug");
        let again = catalog(&lab, &put, ADMIN, Some(change)).await;
        assert_eq!(again.status, 409, "{name}: version 1 was replaced");
        assert_eq!(get(&lab, &path).await.body, changed.body, "no old answer");

        let stock = json!({ "warehouse_id": "WH-002", "stock": 50 });
        let set = catalog(&lab, &format!("{put}/inventory"), ADMIN, Some(stock)).await;
        assert_eq!(
            (set.status, &set.body["total"]),
            (200, &json!(55)),
            "{name}"
        );
        let gauge = format!("product_id=\"{id}\"");
        let scrape = lab.scrape().await;
        assert_eq!(scrape.sum("inventory_level", &[&gauge]), 55.0, "{name}");

        let delete = format!("DELETE {path}");
        assert_eq!(
            catalog(&lab, &delete, ADMIN, None).await.status,
            204,
            "{name}"
        );
        for (what, status) in [(&delete, 404), (&format!("GET {path}"), 404)] {
            assert_eq!(
                catalog(&lab, what, ADMIN, None).await.status,
                status,
                "{name} {what}"
            );
        }
        assert_eq!(deduct(&lab, id, 1, None).await.status, 404, "{name}");
        assert!(!lab.scrape().await.has("inventory_level", &[&gauge]));
        lab.stop().await;
    }
}

#[tokio::test]
async fn nobody_but_admins_changes_anything() {
    let lab = Lab::start(patient(DataPlace::Temporary)).await;
    let forged: &[(&str, &str)] = &[("x-shop-role", "admin")];
    let body = json!({ "name": "x", "price_minor": 1, "warehouse_id": "WH-001", "stock": 1 });
    for what in [
        "POST /products",
        "PUT /products/1",
        "DELETE /products/1",
        "PUT /products/1/inventory",
    ] {
        for (who, status) in [(ANYBODY, 401), (forged, 401), (CUSTOMER, 403)] {
            let said = catalog(&lab, what, who, Some(body.clone())).await;
            assert_eq!(said.status, status, "{what} {who:?}: {}", said.body);
        }
    }
    assert_eq!(get(&lab, "/products/1").await.body["version"], 1);
    lab.stop().await;
}

#[tokio::test]
async fn bad_changes_name_every_field() {
    let lab = Lab::start(patient(DataPlace::Temporary)).await;
    let bad = json!({ "name": " ", "price_minor": 0, "category": 5, "stock": -1 });
    let said = catalog(&lab, "POST /products", ADMIN, Some(bad)).await;
    let named: Vec<&Value> = said.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["field"])
        .collect();
    assert_eq!(said.status, 422);
    assert_eq!(named, ["name", "price_minor", "category", "stock"]);
    for (path, body, field) in [
        (
            "/products/1/inventory",
            json!({ "stock": 1 }),
            "warehouse_id",
        ),
        (
            "/products/1/inventory",
            json!({ "warehouse_id": "WH-009", "stock": 1 }),
            "warehouse_id",
        ),
        ("/products/1", json!({ "version": 0 }), "version"),
    ] {
        let said = catalog(&lab, &format!("PUT {path}"), ADMIN, Some(body)).await;
        assert_eq!(said.status, 422, "{}", said.body);
        assert_eq!(said.body["errors"][0]["field"], field);
    }
    lab.stop().await;
}

#[tokio::test]
async fn lists_are_paged_and_searched_on_every_database() {
    for (name, place) in databases().await {
        let lab = Lab::start(patient(place)).await;
        let all = get(&lab, "/products").await;
        assert_eq!(
            (ids(&all).len(), &all.body["total"]),
            (24, &json!(24)),
            "{name}"
        );
        for (query, expected, total) in [
            ("limit=2&offset=3", vec![4, 5], 24),
            ("limit=2&offset=23", vec![24], 24),
            ("limit=2&offset=24", vec![], 24),
            ("search=SPOON", vec![8, 19], 2),
            ("search=spoon&limit=1", vec![8], 2),
            ("search=%25", vec![], 0),
            ("search=_", vec![], 0),
            ("category=Tea", vec![10, 11], 2),
            ("category=tea&search=oolong", vec![11], 1),
            ("category=none&unknown=1", vec![], 0),
        ] {
            let said = get(&lab, &format!("/products?{query}")).await;
            assert_eq!(said.status, 200, "{name} {query}: {}", said.body);
            let found = (ids(&said), &said.body["total"]);
            assert_eq!(found, (expected, &json!(total)), "{name} {query}");
        }
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=ten", "limit"),
            ("offset=-1", "offset"),
            (&format!("search={}", "x".repeat(81)), "search"),
        ] {
            let said = get(&lab, &format!("/products?{query}")).await;
            let named = &said.body["errors"][0]["field"];
            assert_eq!((said.status, named), (400, &json!(field)), "{name} {query}");
        }
        lab.stop().await;
    }
}

#[tokio::test]
async fn warehouses_are_emptied_in_their_order() {
    let lab = Lab::start(with_stock(DataPlace::Temporary, 10)).await;
    assert_eq!(stocks(&lab, 1).await, [4, 3, 3]);
    assert_eq!(deduct(&lab, 1, 6, None).await.body["remaining"], 4);
    assert_eq!(stocks(&lab, 1).await, [0, 1, 3]);
    let refused = deduct(&lab, 1, 5, None).await;
    let reason = &refused.body["reason"];
    assert_eq!((refused.status, reason), (409, &json!("out_of_stock")));
    assert_eq!(
        stocks(&lab, 1).await,
        [0, 1, 3],
        "a part of it is not taken"
    );

    let one = get(&lab, "/products/1/inventory?warehouse_id=WH-003").await;
    assert_eq!(one.body["total"], 3);
    let none = get(&lab, "/products/1/inventory?warehouse_id=WH-004").await;
    assert_eq!(none.status, 404);
    assert_eq!(get(&lab, "/products/99/inventory").await.status, 404);
    assert_eq!(
        lab.scrape()
            .await
            .sum("inventory_level", &["product_id=\"1\""]),
        4.0
    );
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_takes_once_and_gives_back_once_on_every_database() {
    for (name, place) in databases().await {
        let lab = Arc::new(Lab::start(with_stock(place, 10)).await);
        let same = (0..20).map(|_| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move { deduct(&lab, 1, 6, Some("order-1/1")).await })
        });
        let answers = join_all(same).await;
        let answers: Vec<Said> = answers.into_iter().map(Result::unwrap).collect();
        assert!(
            answers.iter().all(|said| said.status == 200),
            "{name} {answers:?}"
        );
        let first = |said: &&Said| said.header("idempotent-replayed").is_none();
        assert_eq!(answers.iter().filter(first).count(), 1, "{name}");
        assert!(
            answers.iter().all(|said| said.body == answers[0].body),
            "{name}"
        );
        assert_eq!(stocks(&lab, 1).await, [0, 1, 3], "{name}");

        let other = deduct(&lab, 1, 2, Some("order-1/1")).await;
        let reason = &other.body["reason"];
        assert_eq!(
            (other.status, reason),
            (409, &json!("reservation_differs")),
            "{name}"
        );
        assert_eq!(
            deduct(&lab, 1, 99, Some("order-2/1")).await.status,
            409,
            "{name}"
        );
        let later = deduct(&lab, 1, 1, Some("order-2/1")).await;
        assert_eq!(
            later.status, 200,
            "{name}: what was refused can be asked for again"
        );

        assert_eq!(
            release(&lab, "order-1/1").await.body["released"],
            6,
            "{name}"
        );
        assert_eq!(
            release(&lab, "order-1/1").await.body["released"],
            0,
            "{name}"
        );
        assert_eq!(
            stocks(&lab, 1).await,
            [4, 2, 3],
            "{name}: back where it came from"
        );
        assert_eq!(get(&lab, "/products/1").await.body["stock"], 9, "{name}");
        let gone = deduct(&lab, 1, 6, Some("order-1/1")).await;
        let reason = &gone.body["reason"];
        assert_eq!(
            (gone.status, reason),
            (409, &json!("reservation_released")),
            "{name}"
        );

        let early = release(&lab, "order-3/1").await;
        assert_eq!(
            (early.status, &early.body["released"]),
            (200, &json!(0)),
            "{name}"
        );
        assert_eq!(
            deduct(&lab, 1, 1, Some("order-3/1")).await.status,
            409,
            "{name}"
        );
        Arc::into_inner(lab).unwrap().stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_take_across_warehouses_never_take_too_much_on_every_database() {
    for (name, place) in databases().await {
        let lab = Arc::new(Lab::start(with_stock(place, 50)).await);
        let takers = (0..30).map(|n: i64| {
            let lab = Arc::clone(&lab);
            tokio::spawn(async move {
                let key = format!("order-{n}/1");
                let said = deduct(&lab, 2, 3, Some(key.as_str())).await;
                if n % 5 == 0 {
                    release(&lab, &key).await;
                }
                (said.status, n % 5 == 0)
            })
        });
        let ended = join_all(takers).await;
        let mut kept = 0;
        for (status, released) in ended.into_iter().map(Result::unwrap) {
            assert!([200, 409].contains(&status), "{name}: {status}");
            kept += i64::from(status == 200 && !released) * 3;
        }
        let left = stocks(&lab, 2).await;
        assert!(left.iter().all(|stock| *stock >= 0), "{name}: {left:?}");
        assert_eq!(left.iter().sum::<i64>(), 50 - kept, "{name}: {left:?}");
        Arc::into_inner(lab).unwrap().stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_and_given_back_at_once_is_there_in_the_end_on_every_database() {
    for (name, place) in databases().await {
        let lab = Arc::new(Lab::start(with_stock(place, 500)).await);
        let before: i64 = stocks(&lab, 2).await.iter().sum();
        let tasks = (0..40).flat_map(|n| {
            let key = format!("order-{n}/1");
            let (taking, giving) = (Arc::clone(&lab), Arc::clone(&lab));
            let other = key.clone();
            [
                tokio::spawn(async move { deduct(&taking, 2, 1, Some(key.as_str())).await.status }),
                tokio::spawn(async move { release(&giving, &other).await.status }),
            ]
        });
        for status in join_all(tasks).await {
            assert!([200, 409].contains(&status.unwrap()), "{name}");
        }
        assert_eq!(stocks(&lab, 2).await.iter().sum::<i64>(), before, "{name}");
        Arc::into_inner(lab).unwrap().stop().await;
    }
}

#[tokio::test]
async fn while_the_database_stalls_old_answers_are_given_and_new_ones_after() {
    let mut config = quiet(DataPlace::Temporary);
    config.db_acquire_timeout = Duration::from_secs(1);
    let lab = Lab::start(config).await;
    let read = async |path: &str| {
        ask(
            &lab,
            Role::Storefront,
            &format!("GET {path}"),
            ANYBODY,
            None,
        )
        .await
    };
    let paths = ["/products/3", "/products"];
    let mut before = Vec::new();
    for path in paths {
        let said = read(path).await;
        assert_eq!((said.status, said.header("x-shop-stale")), (200, None));
        before.push(said.body);
    }
    let stall = json!({ "kind": "db_stall", "where": { "service": "catalog" } });
    lab.arm("s", stall).await;
    eventually("an answer is stale", async || {
        read("/products/3").await.header("x-shop-stale").is_some()
    })
    .await;
    for (path, before) in paths.iter().zip(&before) {
        let asked = Instant::now();
        let said = read(path).await;
        assert_eq!((said.status, said.header("x-shop-stale")), (200, Some("1")));
        assert_eq!(&said.body, before);
        // Long before the wait for a connection runs out.
        assert!(
            asked.elapsed() < Duration::from_millis(900),
            "{:?}",
            asked.elapsed()
        );
    }
    assert_eq!(read("/products/4").await.status, 503, "nobody asked before");
    let taken = deduct(&lab, 3, 1, None).await;
    assert_eq!(taken.status, 503, "stock is never taken from a cache");

    lab.withdraw("s").await;
    let taken = deduct(&lab, 3, 1, None).await;
    assert_eq!((taken.status, &taken.body["remaining"]), (200, &json!(499)));
    let said = read("/products/3").await;
    let shown = (said.header("x-shop-stale"), &said.body["stock"]);
    assert_eq!(shown, (None, &json!(499)));
    assert_eq!(read("/products").await.header("x-shop-stale"), None);
    lab.stop().await;
}
