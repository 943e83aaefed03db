//! The control API: what it does, what it refuses and with which words.

use std::time::{Duration, Instant};

use fault::Share;
use fault::control::Caps;
use serde_json::json;

use crate::harness::{control, control_with, id, put_body, serve, service};

const JSON: (&str, &str) = ("Content-Type", "application/json");
fn error() -> String {
    put_body(&json!({"kind": "error", "status": 503})).to_string()
}

#[tokio::test]
async fn a_fault_is_armed_renewed_listed_and_withdrawn() {
    let control = control().await;
    let business = serve(service(&control.registry)).await;
    let armed = control.send("PUT /faults/down", &[JSON], &error()).await;
    assert_eq!(armed.status, 200, "{armed:?}");
    assert_eq!(crate::harness::get_status(business, "/pay").await, 503);
    let renewed = control
        .send("POST /faults/down/renew?owner=run-1", &[], "")
        .await;
    assert_eq!(renewed.json()["injected"], 1);
    let list = control.send("GET /faults", &[], "").await.json();
    assert_eq!(list["boot_id"], control.registry.boot_id());
    assert_eq!(list["services"], json!(["payments"]));
    assert_eq!(
        list["kinds"],
        json!(["latency", "error", "db_stall", "surge", "drop"])
    );
    assert_eq!(
        list["faults"][0]["fault"],
        json!({"kind": "error", "status": 503, "share": 1.0})
    );
    assert_eq!(list["faults"][0]["ended"], json!(null));
    let gone = control
        .send("DELETE /faults?owner=run-1&reason=enough", &[], "")
        .await
        .json();
    assert_eq!(gone["withdrawn"], json!(["down"]));
    assert_eq!(crate::harness::get_status(business, "/pay").await, 200);
    let list = control.send("GET /faults", &[], "").await.json();
    assert_eq!(
        (&list["faults"], &list["ended"][0]["ended"]),
        (&json!([]), &json!("withdrawn"))
    );
    let renewed = control.send("POST /faults/down/renew", &[], "").await;
    assert_eq!(
        (renewed.status, renewed.json()["code"].as_str()),
        (410, Some("fault_over"))
    );
}

#[tokio::test]
async fn odd_ids_and_queries_are_refused() {
    let control = control().await;
    control.send("PUT /faults/f", &[JSON], &error()).await;
    for bad in [
        "PUT /faults/F",
        "PUT /faults/a%2Fb",
        "PUT /faults/..%2f",
        "PUT /faults/%ff",
        "DELETE /faults/a_b?reason=x",
    ] {
        assert_eq!(
            control.send(bad, &[JSON], &error()).await.status,
            400,
            "{bad}"
        );
    }
    // A misspelt owner must not withdraw the faults of others.
    for bad in [
        "?onwer=me&reason=x",
        "?owner=a&owner=b&reason=x",
        "?take_over=yes&reason=x",
    ] {
        let answer = control.send(&format!("DELETE /faults{bad}"), &[], "").await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (400, Some("query")),
            "{bad}"
        );
    }
    for bad in ["", "?reason=", "?reason=a%0ab"] {
        let answer = control.send(&format!("DELETE /faults{bad}"), &[], "").await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (400, Some("reason")),
            "{bad}"
        );
    }
    assert_eq!(control.send("PATCH /faults", &[], "").await.status, 405);
    assert_eq!(control.registry.snapshot().len(), 1);
}

#[tokio::test]
async fn a_wrong_fault_is_explained_field_by_field() {
    let control = control().await;
    let body =
        json!({"fault": {"kind": "error", "status": 503, "were": {}}, "for": "1m", "owner": "x"});
    let answer = control
        .send("PUT /faults/f", &[JSON], &body.to_string())
        .await;
    assert_eq!(answer.status, 422);
    assert!(
        answer
            .head
            .contains("content-type: application/problem+json")
    );
    assert_eq!(
        answer.json(),
        json!({
            "status": 422, "code": "invalid_fault", "detail": "the fault cannot be understood",
            "remedy": "correct the fields named here",
            "fields": [
                {"field": "fault.were", "message": "unknown field `were`", "help": "did you mean `where`?"},
                {"field": "reason", "message": "is missing", "help": "why, for the audit log"},
            ]
        })
    );
}

#[tokio::test]
async fn caps_hold() {
    let control = control_with(|config| {
        config.caps = Caps {
            max_latency_ms: Some(500),
            max_share: Some(Share::new(0.2).unwrap()),
            max_duration_ms: Some(30_000),
            kinds: Some(vec![
                "latency".to_owned(),
                "error".to_owned(),
                "db_stall".to_owned(),
            ]),
            protected_routes: vec!["/payments/:id".to_owned()],
        };
    })
    .await;
    let ask = async |fault: serde_json::Value, lasts: &str| {
        let body = json!({"fault": fault, "for": lasts, "owner": "x", "reason": "x"});
        let answer = control
            .send("PUT /faults/f", &[JSON], &body.to_string())
            .await;
        let fields = answer.json()["fields"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let fields: Vec<String> = fields
            .iter()
            .map(|field| field["field"].as_str().unwrap().to_owned())
            .collect();
        (answer.status, fields.join(" "))
    };
    let over = |fields: &str| (403, fields.to_owned());
    let error = |share: &str| json!({"kind": "error", "status": 503, "share": share});
    assert_eq!(ask(error("20%"), "30s").await.0, 200);
    assert_eq!(ask(error("21%"), "30s").await, over("fault.share"));
    assert_eq!(
        ask(json!({"kind": "error", "status": 503}), "30s").await,
        over("fault.share")
    );
    assert_eq!(ask(error("20%"), "31s").await, over("for"));
    assert_eq!(
        ask(json!({"kind": "drop", "share": "1%"}), "1s").await,
        over("fault.kind")
    );
    // A lock has no share to be small.
    assert_eq!(
        ask(json!({"kind": "db_stall", "mode": "lock"}), "1s").await,
        over("fault.share")
    );
    let slow = |delay: &str, jitter: &str, distribution: &str| json!({"kind": "latency", "delay": delay, "jitter": jitter, "distribution": distribution, "share": "1%"});
    assert_eq!(ask(slow("500ms", "0s", "fixed"), "1s").await.0, 200);
    assert_eq!(
        ask(slow("501ms", "0s", "fixed"), "1s").await,
        over("fault.delay")
    );
    // Nor does jitter, a tail or a ramp get around a cap.
    assert_eq!(
        ask(slow("400ms", "101ms", "uniform"), "1s").await,
        over("fault.delay")
    );
    assert_eq!(
        ask(slow("10ms", "10ms", "pareto"), "1s").await,
        over("fault.delay")
    );
    let ramp = json!({"kind": "error", "status": 503, "share": "1%", "ramp": {"over": "1h", "from": "100%"}});
    assert_eq!(ask(ramp, "1s").await, over("fault.ramp.from"));
    let health = json!({"kind": "error", "status": 503, "share": "1%", "where": {"route": "/payments/{id}"}});
    assert_eq!(ask(health, "1s").await, over(""));
}

#[tokio::test]
async fn a_second_owner_waits_or_takes_over() {
    let control = control().await;
    assert_eq!(
        control
            .send("PUT /faults/f", &[JSON], &error())
            .await
            .status,
        200
    );
    let theirs = error().replace("run-1", "run-2");
    let refused = control.send("PUT /faults/g", &[JSON], &theirs).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (409, Some("owned_by_another"))
    );
    assert_eq!(refused.json()["detail"], "`run-1` has faults armed here");
    assert_eq!(
        control
            .send("PUT /faults/g?take_over=true", &[JSON], &theirs)
            .await
            .status,
        200
    );
    assert_eq!(
        control
            .send("POST /faults/f/renew?owner=run-1", &[], "")
            .await
            .status,
        410
    );
    let mine = control
        .send("DELETE /faults/g?owner=run-1&reason=x", &[], "")
        .await;
    assert_eq!(
        (mine.status, mine.json()["code"].as_str()),
        (409, Some("not_yours"))
    );
}

/// Over the wire, with requests waiting on a real server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn withdrawing_answers_while_requests_wait() {
    let control = control().await;
    let business = serve(service(&control.registry)).await;
    let slow = put_body(&json!({"kind": "latency", "delay": "10m"})).to_string();
    assert_eq!(
        control
            .send("PUT /faults/slow", &[JSON], &slow)
            .await
            .status,
        200
    );
    let waiting: Vec<_> = (0..200)
        .map(|_| tokio::spawn(crate::harness::get_status(business, "/pay")))
        .collect();
    while control.registry.snapshot()[0].injected < 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let client = control.client();
    client.list().await.unwrap();
    let started = Instant::now();
    client.withdraw_all(None, "enough").await.unwrap();
    let took = started.elapsed();
    assert!(took < Duration::from_millis(100), "{took:?}");
    for task in waiting {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(control.registry.ended()[0].id, id("slow"));
}
