//! The page of the API in a real browser.

use std::process::{Command, Stdio};

use serde_json::Value;
use shop::config::Role;

use crate::{
    caller::demo,
    lab::{Lab, PATIENCE},
    peers::program,
};

/// Without a window, and without a word to anybody but the page's own server.
const ALONE: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=10000",
];

/// Returns the page as it is when its scripts have run.
async fn rendered(browser: std::path::PathBuf, url: String) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(browser);
    command
        .args(ALONE)
        .arg(format!("--user-data-dir={}", home.path().display()))
        .env("HOME", home.path())
        .args(["--dump-dom", &url])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let output = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(3 * PATIENCE, output).await;
    String::from_utf8(output.expect("the browser ends").unwrap().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_shows_every_operation_of_the_document() {
    let Some(browser) = program(
        "chromium",
        "a_browser_shows_every_operation_of_the_document",
    ) else {
        return;
    };
    let lab = Lab::start(demo()).await;
    let base = lab.url(Role::Storefront);
    let page = rendered(browser, format!("{base}/docs")).await;
    let api = lab.client.get(format!("{base}/openapi.json"));
    let api: Value = api.send().await.unwrap().json().await.unwrap();
    let items = api["paths"].as_object().unwrap();
    let mut operations = 0;
    for (path, item) in items {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            let words = format!("data-words=\"{} {path}", method.to_lowercase());
            let summary = operation["summary"].as_str().unwrap();
            assert!(page.contains(summary), "{method} {path}: no {summary:?}");
            operations += usize::from(page.to_lowercase().contains(&words.to_lowercase()));
        }
    }
    assert!(operations > 30, "{operations} operations in\n{page}");
    assert_eq!(
        page.matches("<details class=\"operation\"").count(),
        operations
    );
    lab.stop().await;
}
