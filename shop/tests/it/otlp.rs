//! Telemetry as a real receiver sees it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    lab::{PATIENCE, Program, Scrape, TOKEN, arm, client, eventually},
    receiver::receiver,
    spans::{Span, paths, spans},
};

async fn order_and_pay(shop: &Program) {
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let order = post(shop, "/order", &order, &[]).await;
    let pay = json!({ "order_id": order["order_id"] });
    post(shop, "/payment/pay", &pay, &[]).await;
}

async fn post(shop: &Program, path: &str, body: &Value, headers: &[(&str, &str)]) -> Value {
    let url = format!("{}{path}", shop.url("storefront"));
    let request = with(client().post(url).json(body), headers);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap()
}

fn with(request: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let one = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
        request.header(*name, *value)
    };
    headers.iter().fold(request, one)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_receiver_gets_the_spans_of_every_role_by_grpc_and_http() {
    let Some(receiver) = receiver() else { return };
    for (protocol, port) in [("grpc", receiver.grpc), ("http/protobuf", receiver.http)] {
        let endpoint = format!("http://127.0.0.1:{port}");
        let shop = Program::shop(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("SHOP_DECLINE_SHARE", "0%"),
        ]);
        order_and_pay(&shop).await;
        shop.end();
        let wanted = vec![
            "CreateOrder",
            "DeductInventory",
            "PayOrder",
            "POST /payment/pay",
            "insert orders",
            "service.name: Str(storefront)",
            "service.name: Str(orders)",
            "service.name: Str(payments)",
            "service.name: Str(catalog)",
            "http.response.status_code: Int(201)",
            concat!("service.version: Str(", env!("CARGO_PKG_VERSION"), ")"),
            "server.address: Str(127.0.0.1)",
            "url.full: Str(http://127.0.0.1:",
            "segment: Str(new)",
            "BEGIN",
        ];
        receiver.expect(protocol, wanted);
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// The span in [`TRACE`] that our requests say they come from.
const CALLER: &str = "b7ad6b7169203331";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_is_one_trace_through_three_roles_with_the_right_parents() {
    let Some(receiver) = receiver() else { return };
    let endpoint = format!("http://127.0.0.1:{}/v1/traces", receiver.http);
    let environment = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("SHOP_DECLINE_SHARE", "0%"),
    ];
    // Three processes, as in a cluster.
    let stock = Program::shop_with(&["--role", "catalog,promotions,partners"], &environment);
    let [catalog, promotions] = ["catalog", "promotions"].map(|role| stock.url(role));
    let known = ["--catalog-url", catalog, "--promotions-url", promotions];
    let partners = ["--partners-url", stock.url("partners")];
    let role = ["--role", "orders,payments"];
    let desk = Program::shop_with(&[&role[..], &known, &partners].concat(), &environment);
    let role = ["--role", "storefront,users"];
    let orders = ["--orders-url", desk.url("orders")];
    let shop = Program::shop_with(&[&role[..], &known, &orders].concat(), &environment);
    let caller = of_trace("01");
    let headers = [("traceparent", caller.as_str())];
    look(&shop, "/products/1", &headers).await;
    let order = json!({ "customer_id": 7, "product_id": 1, "quantity": 1 });
    let order = post(&shop, "/order", &order, &headers).await;
    let pay = json!({ "order_id": order["order_id"] });
    post(&shop, "/payment/pay", &pay, &headers).await;
    let mut seen = receiver.expect("fulfilment", vec!["FulfilOrder"]);
    for process in [shop, desk, stock] {
        process.end();
    }
    // Everything is sent; the receiver may still be printing.
    let began = Instant::now();
    while let Err(wrong) = is_one_trace(&spans(&seen)) {
        assert!(began.elapsed() < PATIENCE, "{wrong}");
        std::thread::sleep(Duration::from_millis(50));
        seen += &receiver.so_far();
    }
}

/// Checks the spans of a look at a product, an order and its payment, all in [`TRACE`].
fn is_one_trace(spans: &[Span]) -> Result<(), String> {
    let paths = paths(spans, TRACE, CALLER);
    let created = "storefront POST /order > storefront POST /order > orders POST /order > \
                   orders CreateOrder";
    let deducted = "orders POST /inventory/deduct > catalog POST /inventory/deduct > \
                    catalog DeductInventory";
    let paid = "storefront POST /payment/pay > storefront POST /payment/pay > \
                orders POST /payment/pay > orders POST /payment/pay > \
                payments POST /payment/pay > payments PayOrder";
    for wanted in [
        format!("{created} > orders insert orders"),
        format!("{created} > {deducted} > catalog update inventory"),
        format!("{paid} > payments POST /providers/:country/charge"),
        "storefront GET /products/:id > storefront GET /products/:id > \
         catalog GET /products/:id > catalog cache get products"
            .to_owned(),
    ] {
        if !paths.contains(&wanted) {
            return Err(format!("no {wanted} in {paths:#?}"));
        }
    }
    let of_trace = spans.iter().filter(|span| span.trace == TRACE).count();
    if of_trace != paths.len() {
        return Err(format!("{of_trace} spans, with their parents {paths:#?}"));
    }
    let told = |span: &&Span| span.name == "FulfilOrder" && span.links.iter().any(|id| id == TRACE);
    let linked = spans.iter().find(told);
    linked
        .map(|_| ())
        .ok_or_else(|| "the worker does not link to the trace".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_receiver_gets_metrics_with_exemplars_and_logs_of_the_same_trace() {
    let Some(receiver) = receiver() else { return };
    for (protocol, port) in [("grpc", receiver.grpc), ("http/protobuf", receiver.http)] {
        let endpoint = format!("http://127.0.0.1:{port}");
        let shop = Program::shop(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment.name=lab",
            ),
        ]);
        look(&shop, "/products/1", &[("traceparent", &of_trace("01"))]).await;
        shop.end();
        let exemplar = format!("Trace ID: {TRACE}");
        let seen = receiver.expect(
            protocol,
            vec![
                "http_request_duration_seconds",
                "http_requests_total",
                "service.name: Str(catalog)",
                "deployment.environment.name: Str(lab)",
                "Body: Str(request)",
                &exemplar,
            ],
        );
        assert!(!seen.contains("ScopeSpans"), "traces were not asked for");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baggage_goes_from_role_to_role_and_only_what_is_known_of_it() {
    let Some(receiver) = receiver() else { return };
    let endpoint = format!("http://127.0.0.1:{}", receiver.http);
    let shop = Program::shop(&[(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        &format!("{endpoint}/v1/traces"),
    )]);
    let baggage = "country=DE,segment=vip,synthetic=true,password=hunter2";
    look(
        &shop,
        "/products/1",
        &[("baggage", baggage), ("user-agent", "test-agent")],
    )
    .await;
    shop.end();
    let seen = receiver.expect(
        "baggage",
        vec![
            "service.name: Str(storefront)",
            "service.name: Str(catalog)",
            "user_agent.original: Str(test-agent)",
            "url.path: Str(/products/1)",
            "url.scheme: Str(http)",
            "server.address: Str(127.0.0.1)",
        ],
    );
    let seen = seen + &receiver.so_far();
    for attribute in [
        "country: Str(DE)",
        "segment: Str(vip)",
        "synthetic: Bool(true)",
    ] {
        let spans = seen.matches(attribute).count();
        assert!(spans >= 2, "{attribute} is on {spans} spans in\n{seen}");
    }
    assert!(!seen.contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_or_was_broken_is_kept_whatever_the_sampling_says() {
    let Some(receiver) = receiver() else { return };
    let endpoint = format!("http://127.0.0.1:{}", receiver.http);
    let shop = Program::shop(&[
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            &format!("{endpoint}/v1/traces"),
        ),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ]);
    look(&shop, "/products", &[]).await;
    let slow = json!({ "kind": "latency", "delay": "10ms", "where": { "service": "catalog", "route": "/products/:id" } });
    arm(&client(), &shop.ready, TOKEN, "slow", slow).await;
    look(&shop, "/products/1", &[("traceparent", &of_trace("00"))]).await;
    shop.end();
    let seen = receiver.expect(
        "kept",
        vec![
            "chaos.injected: Bool(true)",
            "service.name: Str(storefront)",
            "service.name: Str(catalog)",
            TRACE,
        ],
    );
    let seen = seen + &receiver.so_far();
    assert!(
        !seen.contains("Str(/products)"),
        "what was well is forgotten:\n{seen}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_failed_by_itself_is_kept_and_one_that_went_well_is_not() {
    let Some(receiver) = receiver() else { return };
    let endpoint = format!("http://127.0.0.1:{}/v1/traces", receiver.http);
    let roles = "storefront,orders,payments,users,promotions,partners";
    let shop = Program::shop_with(
        // Port 1 refuses connections.
        &["--role", roles, "--catalog-url", "http://127.0.0.1:1"],
        &[
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ],
    );
    look(&shop, "/promotions/coupons/WELCOME10", &[]).await;
    let url = format!("{}/products/1", shop.url("storefront"));
    let request = with(client().get(url), &[("traceparent", &of_trace("00"))]);
    assert_eq!(request.send().await.unwrap().status(), 503);
    shop.end();
    let failed = "http.response.status_code: Int(503)";
    let seen = receiver.expect("kept", vec![failed, TRACE]) + &receiver.so_far();
    assert!(
        !seen.contains("coupons"),
        "what was well is forgotten:\n{seen}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_never_answers_hurts_neither_requests_nor_the_end() {
    // It accepts, as the system does for it, and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", mute.local_addr().unwrap());
    for protocol in ["grpc", "http/protobuf"] {
        let shop = Program::shop(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("SHOP_DECLINE_SHARE", "0%"),
        ]);
        let began = Instant::now();
        order_and_pay(&shop).await;
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        let (_, took) = shop.end();
        assert!(took < Duration::from_secs(8), "{protocol}: {took:?}");
    }
}

#[test]
fn a_protocol_nobody_speaks_is_refused_at_the_start() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_shop"));
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "smoke");
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("smoke") && said.contains("OTEL_"), "{said}");
}

fn of_trace(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

async fn look(shop: &Program, path: &str, headers: &[(&str, &str)]) {
    let request = client().get(format!("{}{path}", shop.url("storefront")));
    let request = with(request, headers);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_down_hurts_neither_requests_nor_the_end() {
    let shop = Program::shop(&[
        // Port 1 refuses connections.
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("SHOP_DECLINE_SHARE", "0%"),
    ]);
    order_and_pay(&shop).await;
    let metrics = format!("{}/metrics", shop.ready.metrics_url.as_ref().unwrap());
    eventually("the spans that were lost are counted", async || {
        let scrape = client().get(&metrics).send().await.unwrap();
        let scrape = Scrape(scrape.text().await.unwrap());
        scrape.sum("otel_spans_dropped_total", &[]) > 0.0
    })
    .await;
    let (_, took) = shop.end();
    assert!(took < Duration::from_secs(6), "{took:?}");
}
