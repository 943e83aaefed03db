//! A process that runs: its log level, its log file, its profiles.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::{PATIENCE, Program, TOKEN, answer, client, eventually};

fn control(shop: &Program, path: &str) -> String {
    format!("{}{path}", shop.ready.control_url.as_ref().unwrap())
}

async fn set_level(shop: &Program, filter: &str) -> (u16, Value) {
    let request = client()
        .put(control(shop, "/log-level"))
        .bearer_auth(TOKEN)
        .json(&json!({ "filter": filter }));
    let (status, body) = answer(request.send().await.unwrap()).await;
    (status.as_u16(), body)
}

async fn look(shop: &Program) {
    let url = format!("{}/products/1", shop.url("storefront"));
    assert_eq!(client().get(url).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_level_changes_while_it_runs() {
    let shop = Program::shop(&[]);
    let url = control(&shop, "/log-level");
    assert_eq!(client().get(&url).send().await.unwrap().status(), 401);
    let shown = client().get(&url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer(shown).await.1["filter"], "info");

    look(&shop).await;
    assert_eq!(set_level(&shop, "warn").await.0, 200);
    look(&shop).await;
    let (status, body) = set_level(&shop, "shop=loud").await;
    assert_eq!(status, 422);
    assert!(
        body["message"].as_str().unwrap().contains("shop=loud"),
        "{body}"
    );
    assert_eq!(set_level(&shop, "warn,shop::http=info").await.0, 200);
    look(&shop).await;
    let (lines, _) = shop.end();
    let at_edge = |line: &&Value| line["message"] == "request" && line["service"] == "storefront";
    assert_eq!(lines.iter().filter(at_edge).count(), 2, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_go_to_a_file_that_starts_anew_when_it_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.log");
    let shop = Program::shop_with(
        &["--log-file-max-bytes", "4096", "--log-file-keep", "2"],
        &[("SHOP_LOG_FILE", path.to_str().unwrap())],
    );
    for _ in 0..40 {
        look(&shop).await;
    }
    let (lines, _) = shop.end();
    assert!(lines.len() >= 80, "stdout has them too");
    let mut read = 0;
    for name in ["shop.log", "shop.log.1", "shop.log.2"] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["app"], "minishop");
            read += 1;
        }
    }
    assert!(read > 10, "{read}");
    assert!(!folder.path().join("shop.log.3").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_file_that_cannot_be_written_is_told_once_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("logs");
    std::fs::create_dir(&place).unwrap();
    let path = place.join("shop.log");
    let shop = Program::shop(&[("SHOP_LOG_FILE", path.to_str().unwrap())]);
    look(&shop).await;
    std::fs::remove_dir_all(&place).unwrap();
    for _ in 0..3 {
        look(&shop).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::fs::create_dir(&place).unwrap();
    eventually("the file is back", async || {
        look(&shop).await;
        path.exists()
    })
    .await;
    let url = format!("{}/metrics", shop.ready.metrics_url.as_ref().unwrap());
    let scrape = client()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!scrape.contains("log_lines_dropped_total 0\n"));
    let (lines, _) = shop.end();
    let told = |text: &str| lines.iter().filter(|line| line["message"] == text).count();
    assert_eq!(told("the log file cannot be written"), 1);
    assert_eq!(told("the log file is written again"), 1);
}

#[cfg(feature = "profiling")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_taken_one_at_a_time() {
    let shop = Program::shop(&[]);
    let get = |path: &str| {
        let request = client().get(control(&shop, path)).bearer_auth(TOKEN);
        request.timeout(PATIENCE).send()
    };
    let first = tokio::spawn(get("/profile/cpu?seconds=2&frequency=250"));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(get("/profile/cpu?seconds=1").await.unwrap().status(), 409);
    let until = std::time::Instant::now() + Duration::from_secs(1);
    while std::time::Instant::now() < until {
        look(&shop).await;
    }
    let profile = first.await.unwrap().unwrap();
    assert_eq!(profile.status(), 200);
    let bytes = profile.bytes().await.unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("tokio"), "names of functions are in it");
    assert_eq!(get("/profile/cpu?seconds=900").await.unwrap().status(), 400);
    let heap = get("/profile/heap").await.unwrap();
    assert_eq!(heap.status(), 501);
    assert!(
        answer(heap).await.1["message"]
            .as_str()
            .unwrap()
            .contains("allocator")
    );
    let open = client()
        .get(control(&shop, "/profile/heap"))
        .send()
        .await
        .unwrap();
    assert_eq!(open.status(), 401);
    shop.end();
}

#[cfg(feature = "profiling")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_are_pushed_to_pyroscope_and_end_with_the_shop() {
    use std::io::{Read as _, Write as _};

    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", server.local_addr().unwrap());
    let (send, heads) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in server.incoming().map_while(Result::ok) {
            let mut part = vec![0; 64 * 1024];
            let read = stream.read(&mut part).unwrap_or(0);
            let text = String::from_utf8_lossy(&part[..read]);
            let _ = send.send(text.lines().next().unwrap_or_default().to_owned());
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    let shop = Program::shop(&[
        ("PYROSCOPE_SERVER_ADDRESS", &address),
        ("PYROSCOPE_APPLICATION_NAME", "lab"),
        ("PYROSCOPE_TAGS", "region=eu"),
    ]);
    let busy = client()
        .get(control(&shop, "/profile/cpu"))
        .bearer_auth(TOKEN);
    assert_eq!(busy.send().await.unwrap().status(), 409);
    look(&shop).await;
    let (_, took) = shop.end();
    assert!(took < Duration::from_secs(6), "{took:?}");
    // The last profile is pushed at the end.
    let head = heads.recv_timeout(PATIENCE).unwrap();
    assert!(
        head.starts_with("POST /ingest?name=lab%7Bregion%3Deu%7D&from="),
        "{head}"
    );
}

#[cfg(feature = "profiling")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pyroscope_that_is_not_there_is_told_once_and_delays_nothing() {
    let shop = Program::shop(&[("PYROSCOPE_SERVER_ADDRESS", "http://127.0.0.1:1")]);
    look(&shop).await;
    let (lines, took) = shop.end();
    assert!(took < Duration::from_secs(6), "{took:?}");
    let told = lines
        .iter()
        .filter(|line| line["message"] == "a profile was not pushed")
        .count();
    assert_eq!(told, 1, "{lines:#?}");
}
