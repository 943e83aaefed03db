//! The real binary under a parent: the handshake, its logs, and its end.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::lab::{Program, client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_traces_one_order_through_every_role_and_ends_with_its_parent() {
    let shop = Program::shop(&[]);
    assert_eq!(shop.ready.pid, shop.pid());
    let data = data_folder(shop.pid());
    assert!(data.exists());

    let trace = "0af7651916cd43dd8448eb211c80319c";
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let request = client();
    let request = request
        .post(format!("{}/order", shop.url("storefront")))
        .json(&order);
    let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    assert_eq!(request.send().await.unwrap().status(), 201);

    // The exemplar of the order's bucket leads to its trace.
    let metrics = format!("{}/metrics", shop.ready.metrics_url.as_ref().unwrap());
    let scrape = client()
        .get(metrics)
        .header("accept", "application/openmetrics-text");
    let text = scrape.send().await.unwrap().text().await.unwrap();
    assert!(
        text.contains(&format!("# {{trace_id=\"{trace}\"}}")),
        "{text}"
    );

    let (lines, took) = shop.end();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!data.exists(), "{} was left", data.display());
    let of_trace: Vec<&Value> = lines
        .iter()
        .filter(|line| line["trace_id"] == trace)
        .collect();
    for service in ["storefront", "orders", "catalog"] {
        let line = of_trace
            .iter()
            .find(|line| line["service"] == service && line["message"] == "request");
        let line = line.unwrap_or_else(|| panic!("no request of {service} in {lines:#?}"));
        for key in [
            "timestamp",
            "level",
            "message",
            "target",
            "span_id",
            "method",
            "path",
        ] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
        assert_eq!(line["app"], "minishop");
        assert!(line["status"].is_i64(), "{line}");
    }
    let spans: std::collections::HashSet<_> = of_trace
        .iter()
        .map(|line| line["span_id"].as_str().unwrap())
        .collect();
    assert!(
        spans.len() >= 3,
        "each role has spans of its own: {spans:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declined_payment_is_logged_as_payment_failed_with_its_reason() {
    let shop = Program::shop(&[("SHOP_DECLINE_SHARE", "100%")]);
    let client = client();
    let url = shop.url("storefront").to_owned();
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let order = client
        .post(format!("{url}/order"))
        .json(&order)
        .send()
        .await
        .unwrap();
    let order: Value = order.json().await.unwrap();
    let pay = json!({ "order_id": order["order_id"] });
    let paid = client
        .post(format!("{url}/payment/pay"))
        .json(&pay)
        .send()
        .await
        .unwrap();
    assert_eq!(paid.status(), 402);
    let (lines, _) = shop.end();
    let failed = lines
        .iter()
        .find(|line| line["message"] == "payment failed")
        .unwrap();
    assert_eq!(failed["service"], "orders");
    assert!(failed["reason"].is_string(), "{failed}");
    assert_eq!(failed["order_id"], order["order_id"]);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_answers_while_customers_hold_every_descriptor_they_get() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let shop = Program::shop(&[]);
    let limit = Rlimit {
        current: Some(256),
        maximum: Some(1_024),
    };
    let pid = Pid::from_raw(shop.pid().cast_signed());
    prlimit(pid, Resource::Nofile, limit).unwrap();
    let storefront = shop.url("storefront").trim_start_matches("http://");
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(tokio::net::TcpStream::connect(storefront).await.unwrap());
    }
    // The last one is turned away, and with it everything is accepted that will be.
    let last = held.last_mut().unwrap();
    let mut byte = [0];
    let read = tokio::io::AsyncReadExt::read(last, &mut byte);
    let read = tokio::time::timeout(Duration::from_secs(5), read).await;
    assert_eq!(read.expect("it is turned away").unwrap_or_default(), 0);
    for side in [&shop.ready.control_url, &shop.ready.metrics_url] {
        let url = format!("{}/livez", side.as_ref().unwrap());
        let answer = client().get(url).timeout(Duration::from_secs(3)).send();
        // 401 of control is an answer as well.
        answer.await.unwrap();
    }
    // Customers got what there is for them before they were turned away.
    let open = std::fs::read_dir(format!("/proc/{}/fd", shop.pid())).unwrap();
    let open = open.count();
    assert!((150..=200).contains(&open), "{open}");
    drop(held);
    shop.end();
}

#[test]
fn a_child_without_a_token_says_what_is_wrong() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_shop"));
    command
        .args(["--child", "--storefront-listen", "127.0.0.1:0"])
        .stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("token"), "{said}");
}

/// Finds the temporary folder whose databases a process has open.
fn data_folder(pid: u32) -> PathBuf {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let files = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let mut databases = files.filter(|path| path.ends_with("orders.db"));
    databases
        .next()
        .expect("the database is open")
        .parent()
        .unwrap()
        .to_owned()
}
