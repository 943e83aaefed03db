//! The audit log: who armed what, why, and how it ended; who was refused.

use std::io::Write;
use std::sync::{Arc, Mutex};

use fault::token;
use serde_json::json;

use crate::harness::{control, put_body, raw};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn everything_is_written_down() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    // The runtime of this test is this thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    let control = control().await;
    let json = ("Content-Type", "application/json");
    let error = put_body(&json!({"kind": "error", "status": 503})).to_string();
    control.send("PUT /faults/down", &[json], &error).await;
    control
        .send(
            "PUT /faults/other",
            &[json],
            &error.replace("run-1", "run-2"),
        )
        .await;
    control
        .send("PUT /faults/other", &[json], r#"{"owner": "\u001b[2J"}"#)
        .await;
    control
        .send("DELETE /faults?reason=it%20hurts", &[], "")
        .await;
    let host = control.address.to_string();
    let guess = format!("Bearer {}", token::generate().expose());
    let headers = [("Host", host.as_str()), ("Authorization", guess.as_str())];
    raw(control.address, "GET /faults?x=y", &headers, "").await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("fault::audit"))
        .collect();
    assert_eq!(
        lines,
        [
            " INFO fault::audit: fault armed fault=down kind=error owner=\"run-1\" reason=\"a test\" \
             what={\"kind\":\"error\",\"share\":1.0,\"status\":503} for_ms=60000 lease_ms=10000",
            " WARN fault::audit: refused to arm a fault fault=other owner=\"run-2\" code=\"owned_by_another\"",
            " WARN fault::audit: refused to arm a fault fault=other owner=\"\\\\u{1b}[2J\" code=\"invalid_fault\"",
            " INFO fault::audit: fault ended fault=down kind=error owner=\"run-1\" ended=\"withdrawn\" \
             reason=\"it hurts\" evaluated=0 injected=0 age_ms=AGE",
            " WARN fault::audit: refused a missing or wrong token path=\"/faults\"",
        ]
        .map(|line| line.replace("AGE", &age_of(&text)))
    );
    assert!(!text.contains(control.token.expose()));
}

fn age_of(text: &str) -> String {
    let age = text.split("age_ms=").nth(1).unwrap();
    age.chars().take_while(char::is_ascii_digit).collect()
}
