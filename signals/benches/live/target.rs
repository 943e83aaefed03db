//! A target that moves: counters grow at their own pace, gauges swing.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use axum::http::header::CONTENT_TYPE;
use axum::{Router, routing::get};

use crate::Failure;

pub(crate) const SERIES: usize = 2_000;

const HANDLERS: usize = 40;
const BOUNDS: [&str; 12] = [
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
];

/// Serves on a free port, prints the address, and goes on until it is killed. Its seconds have some
/// length.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn serve(second: Duration) -> Result<(), Failure> {
    let start = Instant::now();
    let answer = move || async move {
        let text = exposition(start.elapsed().div_duration_f64(second) as i64);
        ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, Router::new().route("/metrics", get(answer))).await?;
        Ok(())
    })
}

/// Returns what the target shows at a moment: 40 handlers of ten services with twelve buckets, sum,
/// count and requests by status, the rest gauges.
pub(crate) fn exposition(second: i64) -> String {
    let mut text = String::with_capacity(300_000);
    let mut rows = histograms(&mut text, second);
    rows += requests(&mut text, second);
    text.push_str("# HELP inventory_level Products on stock.\n# TYPE inventory_level gauge\n");
    for product in rows..SERIES {
        // The same few are low all the time, so that some alerts fire.
        let level = match product % 97 {
            0 => second % 2,
            _ => 3 + (second / 5 + product as i64 * 7) % 400,
        };
        let service = product % 10;
        let _ = writeln!(
            text,
            "inventory_level{{service=\"s{service}\",product_id=\"p-{product}\"}} {level}"
        );
    }
    text
}

fn handler(number: usize) -> String {
    let service = number % 10;
    format!("service=\"s{service}\",method=\"GET\",path=\"/products/:id/{number}\"")
}

fn histograms(text: &mut String, second: i64) -> usize {
    const NAME: &str = "http_request_duration_seconds";
    let _ = writeln!(
        text,
        "# HELP {NAME} Time to answer.\n# TYPE {NAME} histogram"
    );
    for number in 0..HANDLERS {
        let labels = handler(number);
        for (index, bound) in BOUNDS.iter().enumerate() {
            let count = grown(second, number) * (index as i64 + 1) / 12;
            let _ = writeln!(text, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {count}");
        }
        let count = grown(second, number);
        let sum = count as f64 * 0.0173;
        let _ = writeln!(text, "{NAME}_sum{{{labels}}} {sum}");
        let _ = writeln!(text, "{NAME}_count{{{labels}}} {count}");
    }
    HANDLERS * (BOUNDS.len() + 2)
}

fn requests(text: &mut String, second: i64) -> usize {
    const STATUS: [(&str, i64); 4] = [("200", 90), ("404", 5), ("500", 3), ("503", 2)];
    let name = "http_requests_total";
    let _ = writeln!(text, "# HELP {name} Answers.\n# TYPE {name} counter");
    for number in 0..HANDLERS {
        let labels = handler(number);
        for (status, percent) in STATUS {
            let count = grown(second, number) * percent / 100;
            let _ = writeln!(text, "{name}{{{labels},status=\"{status}\"}} {count}");
        }
    }
    HANDLERS * STATUS.len()
}

/// Returns how often a handler was called: 5 to 44 times a second, unevenly.
fn grown(second: i64, number: usize) -> i64 {
    let pace = number as i64 + 5;
    second * pace + (second + number as i64 * 17) % 5
}
