//! A target that can fail in the ways targets fail.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

/// What the target does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It answers.
    Good,
    /// It answers without the series `sometimes`.
    Less,
    /// It answers 500.
    Broken,
    /// It takes the connection and says nothing.
    Hung,
    /// It answers after this time.
    Slow(Duration),
}

/// The target. It serves on threads of a runtime of the test.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    text: Arc<Mutex<String>>,
    server: Option<(CancellationToken, tokio::task::JoinHandle<()>)>,
}

/// Constant series, so that scrapes at different moments see the same.
pub(crate) const STEADY: &str = "\
# TYPE requests counter
requests_total{path=\"/products/:id\",status=\"200\"} 100 # {trace_id=\"abc\"} 1
requests_total{path=\"/products/:id\",status=\"503\"} 25
# TYPE temperature gauge
temperature{room=\"a\"} 20.5
temperature{room=\"b\"} NaN
temperature{room=\"c\"} +Inf
# TYPE latency histogram
latency_bucket{le=\"0.1\"} 10
latency_bucket{le=\"1\"} 90
latency_bucket{le=\"+Inf\"} 100
latency_sum 42.5
latency_count 100
# TYPE clash gauge
clash{job=\"own\",instance=\"mine\"} 1
# TYPE sometimes gauge
sometimes 7
# EOF
";

impl Target {
    pub(crate) fn start(text: &str) -> Self {
        let mut target = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            mood: Arc::new(Mutex::new(Mood::Good)),
            text: Arc::new(Mutex::new(text.to_owned())),
            server: None,
        };
        target.restart();
        target
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Closes the port and all connections.
    pub(crate) async fn kill(&mut self) {
        if let Some((stop, task)) = self.server.take() {
            stop.cancel();
            let _ = task.await;
        }
    }

    /// Serves again, on the same port as before.
    pub(crate) fn restart(&mut self) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.address).unwrap();
        let listener: TcpListener = socket.listen(64).unwrap();
        self.address = listener.local_addr().unwrap();
        let (mood, text) = (self.mood.clone(), self.text.clone());
        let answer = move || answer(mood.clone(), text.clone());
        let router = Router::new().route("/metrics", get(answer));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        // A runtime of its own ends with all its connections, as a process does.
        let task = tokio::task::spawn_blocking(move || {
            let std_listener = listener.into_std().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(std_listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.unwrap(),
                    () = stopped.cancelled() => {}
                }
            });
        });
        self.server = Some((stop, task));
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some((stop, _)) = self.server.take() {
            stop.cancel();
        }
    }
}

async fn answer(mood: Arc<Mutex<Mood>>, text: Arc<Mutex<String>>) -> Response {
    let mood = *mood.lock().unwrap();
    match mood {
        Mood::Broken => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Hung => std::future::pending::<()>().await,
        Mood::Slow(time) => tokio::time::sleep(time).await,
        Mood::Good | Mood::Less => {}
    }
    let mut text = text.lock().unwrap().clone();
    if mood == Mood::Less {
        text = text.replace("sometimes 7\n", "");
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
