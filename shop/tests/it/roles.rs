//! One role a process: the same answers over URLs as in one process.

use serde_json::json;
use shop::{
    config::{Role, ShopConfig},
    http::url::BaseUrl,
};

use crate::lab::Lab;

#[tokio::test]
async fn roles_alone_find_each_other_by_url() {
    let mut elsewhere = Vec::new();
    let mut labs = Vec::new();
    // The called before their callers, so that each knows where the others are.
    for role in Role::ALL.into_iter().rev() {
        let mut config = ShopConfig::on_free_ports();
        config.roles.retain(|listener| listener.role == role);
        config.elsewhere.clone_from(&elsewhere);
        config.decline_share = Some(0.0);
        let lab = Lab::start(config).await;
        elsewhere.push((role, BaseUrl::parse(&lab.url(role)).unwrap()));
        labs.push(lab);
    }
    let storefront = labs.last().unwrap();
    let id = storefront.order(9, 1).await;
    let pay = json!({ "order_id": id });
    let (status, paid) = storefront
        .post(Role::Storefront, "/payment/pay", &pay)
        .await;
    assert_eq!(status, 200, "{paid}");

    // What a role does not do, its process does not expose.
    let scrape = storefront.scrape().await;
    assert!(scrape.has("http_requests_total", &["service=\"storefront\""]));
    for name in [
        "orders_created_total",
        "payments_processed_total",
        "inventory_level",
    ] {
        assert!(!scrape.has(name, &[]), "{name}");
    }
    for lab in labs.into_iter().rev() {
        lab.stop().await;
    }
}

#[tokio::test]
async fn a_called_role_that_is_gone_is_a_503_and_no_hang() {
    let mut config = ShopConfig::on_free_ports();
    config
        .roles
        .retain(|listener| listener.role == Role::Storefront);
    // Port 1 refuses connections.
    let nowhere = BaseUrl::parse("http://127.0.0.1:1").unwrap();
    config.elsewhere = Role::Storefront
        .peers()
        .iter()
        .map(|peer| (*peer, nowhere.clone()))
        .collect();
    let lab = Lab::start(config).await;
    let (status, problem) = lab.get(Role::Storefront, "/products").await;
    assert_eq!(status, 503, "{problem}");
    assert!(
        !problem.to_string().contains("127.0.0.1"),
        "a 5xx hides its cause: {problem}"
    );
    lab.stop().await;
}
