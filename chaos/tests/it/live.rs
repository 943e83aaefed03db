//! The runner against a real control API and a real fault layer; only the source is a stand-in
//! that watches the requests itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use chaos::event::EventKind;
use chaos::verdict::{CheckKind, CheckStatus};
use chaos::{Cancel, Outcome, Playbook, RunOptions, Runner, journal};
use fault::client::{Client, Endpoint};
use fault::control::{self, ControlConfig};
use fault::layer::FaultLayer;
use fault::{Registry, token};
use promql::labels::Labels;
use promql::value::{Point, Sample, Series, Value};
use signals::source::{Answer, Exemplar, Health, Range, Rule, RuleKind, Target};
use signals::{Source, SourceError};
use tokio::sync::mpsc::channel;
use tower::ServiceExt;

const PLAYBOOK: &str = "
title: payments fail
deadline: 1m
steady_state_hypothesis:
  warm_up: 5s
  probes: [{ name: errors, query: errors, tolerance: '< 0.01' }]
method:
  - name: break
    fault: { kind: error, status: 503, where: { service: payments, route: '/pay' } }
    for: 4s
    lease: 1s
expect_alerts: [{ alertname: Broken, within: 4s, resolve_within: 4s }]
must_not_fire: [{ alertname: Other }]
";

/// A service with the fault layer, its control API on a socket, and a request every 20 ms.
struct Shop {
    registry: Registry,
    client: Client,
    watcher: Arc<Watcher>,
    tasks: tokio::task::JoinSet<()>,
}

/// A source that is the shop's own eyes: the share of failures in the last half second, and an
/// alert that follows it.
#[derive(Default)]
struct Watcher {
    answers: Mutex<VecDeque<(i64, bool)>>,
    history: Mutex<Vec<(i64, f64, bool)>>,
}

impl Watcher {
    fn ratio(&self, now_ms: i64) -> f64 {
        let mut answers = self.answers.lock().expect("lock");
        while answers
            .front()
            .is_some_and(|(t_ms, _)| *t_ms < now_ms - 500)
        {
            answers.pop_front();
        }
        let failed = answers.iter().filter(|(_, failed)| *failed).count();
        failed as f64 / answers.len().max(1) as f64
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    since.as_millis() as i64
}

fn alert() -> Labels {
    Labels::from_pairs([
        ("__name__", "ALERTS"),
        ("alertname", "Broken"),
        ("alertstate", "firing"),
    ])
}

#[async_trait]
impl Source for Watcher {
    fn describe(&self) -> String {
        "the shop's own eyes".to_owned()
    }

    async fn instant(&self, query: &str, _: Option<i64>) -> Result<Answer<Value>, SourceError> {
        let t_ms = now_ms();
        let ratio = self.ratio(t_ms);
        let point = |labels, value| Point {
            labels,
            sample: Sample { t_ms, value },
        };
        let points = match query {
            "ALERTS" if ratio > 0.5 => vec![point(alert(), 1.0)],
            "ALERTS" => vec![],
            _ => vec![point(Labels::default(), ratio)],
        };
        Ok(answer(Value::Vector(points)))
    }

    async fn range(&self, query: &str, range: Range) -> Result<Answer<Vec<Series>>, SourceError> {
        let history = self.history.lock().expect("lock").clone();
        let steps = (range.start_ms..=range.end_ms).step_by(range.step_ms as usize);
        let at = |t_ms: i64| {
            let before = history.iter().rev().find(|(known, ..)| *known <= t_ms);
            before.map(|(_, ratio, fires)| (*ratio, *fires))
        };
        let samples = steps.filter_map(|t_ms| {
            let (ratio, fires) = at(t_ms)?;
            match query {
                "ALERTS" => fires.then_some(Sample { t_ms, value: 1.0 }),
                _ => Some(Sample { t_ms, value: ratio }),
            }
        });
        let labels = if query == "ALERTS" {
            alert()
        } else {
            Labels::default()
        };
        let samples: Vec<Sample> = samples.collect();
        Ok(answer(vec![Series { labels, samples }]))
    }

    async fn rules(&self) -> Result<Answer<Vec<Rule>>, SourceError> {
        let rule = |name: &str| Rule {
            group: "g".to_owned(),
            name: name.to_owned(),
            expr: "errors > 0.5".to_owned(),
            labels: Labels::default(),
            annotations: vec![],
            kind: RuleKind::Alerting {
                for_ms: 0,
                keep_firing_for_ms: 0,
                alerts: vec![],
            },
            health: Health::Ok,
            last_evaluation_ms: None,
            interval_ms: 1000,
        };
        Ok(answer(vec![rule("Broken"), rule("Other")]))
    }

    async fn targets(&self) -> Result<Answer<Vec<Target>>, SourceError> {
        Ok(answer(vec![]))
    }

    async fn exemplars(&self, _: &str, _: Range) -> Result<Answer<Vec<Exemplar>>, SourceError> {
        Ok(answer(vec![]))
    }
}

fn answer<T>(value: T) -> Answer<T> {
    Answer {
        value,
        at_ms: now_ms(),
        notes: vec![],
    }
}

impl Shop {
    async fn open() -> Self {
        let registry = Registry::new();
        let token = token::generate();
        let control = control::router(registry.clone(), ControlConfig::loopback(token.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("bound");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let client = Client::new(Endpoint::new("shop", &url, token).expect("endpoint"));
        let service = Router::new()
            .route("/pay", post(|| async { "paid" }))
            .layer(FaultLayer::new(registry.clone(), "payments"));
        let watcher = Arc::new(Watcher::default());
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, control).await.expect("served") });
        tasks.spawn(requests(service, watcher.clone()));
        Self {
            registry,
            client: client.expect("client"),
            watcher,
            tasks,
        }
    }

    async fn run(&self, cancel: &Cancel, journal: Option<journal::Writer>) -> Outcome {
        let playbook = Playbook::parse("live.yaml", PLAYBOOK, &BTreeMap::new()).expect("good");
        let options = RunOptions {
            run_id: chaos::runner::run_id("live.yaml"),
            seed: 7,
            journal,
        };
        let source: Arc<dyn Source> = self.watcher.clone();
        let runner = Runner::new(source, vec![self.client.clone()], true);
        let (events, _unread) = channel(4096);
        runner.run(&playbook, options, cancel, &events).await
    }
}

async fn requests(service: Router, watcher: Arc<Watcher>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let request = Request::post("/pay").body(Body::empty()).expect("request");
        let status = service
            .clone()
            .oneshot(request)
            .await
            .expect("answered")
            .status();
        let failed = status == StatusCode::SERVICE_UNAVAILABLE;
        let t_ms = now_ms();
        watcher
            .answers
            .lock()
            .expect("lock")
            .push_back((t_ms, failed));
        let ratio = watcher.ratio(t_ms);
        watcher
            .history
            .lock()
            .expect("lock")
            .push((t_ms, ratio, ratio > 0.5));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_breaks_and_mends_a_real_service() {
    let shop = Shop::open().await;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("run.jsonl");
    let writer = journal::Writer::create(&path).expect("journal");
    let outcome = shop.run(&Cancel::new(), Some(writer)).await;

    let journal = journal::read(&path).expect("journal");
    let report = chaos::report::text(&journal.events, chaos::report::Style::Plain);
    assert_eq!(outcome.exit.code(), 0, "{report}");
    assert!(
        matches!(journal.events.last().map(|e| &e.kind), Some(EventKind::Verdict(last)) if *last == outcome)
    );
    // The lease of 1 s was renewed over the 4 s of the fault, which ended by itself.
    assert!(shop.registry.snapshot().is_empty(), "{report}");
    let ended = shop.registry.ended();
    assert_eq!(ended.len(), 1);
    assert!(ended[0].injected > 50, "{report}");
    assert!(ended[0].age_ms >= 3_900, "{report}");
    let detection = &outcome.detections[0];
    assert!(
        detection
            .time_to_detect_ms()
            .is_some_and(|ms| (0..4_000).contains(&ms)),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_withdraws_from_a_real_service() {
    let shop = Shop::open().await;
    let cancel = Cancel::new();
    let hand = async {
        while shop.registry.snapshot().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.request();
    };
    let (outcome, ()) = tokio::join!(shop.run(&cancel, None), hand);
    assert_eq!(outcome.exit.code(), 5, "{:?}", outcome.checks);
    assert!(shop.registry.snapshot().is_empty());
    let recovery = outcome
        .checks
        .iter()
        .find(|c| c.kind == CheckKind::Recovery);
    assert!(
        recovery.is_some_and(|c| c.status == CheckStatus::Pass),
        "{:?}",
        outcome.checks
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_run_leaves_its_faults_to_the_lease() {
    let shop = Shop::open().await;
    let cancel = Cancel::new();
    let armed = async {
        while shop.registry.snapshot().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        outcome = shop.run(&cancel, None) => panic!("ended: {:?}", outcome.checks),
        () = armed => {}
    }
    let dropped = std::time::Instant::now();
    while !shop.registry.snapshot().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(
            dropped.elapsed() < Duration::from_millis(1_500),
            "the lease is 1 s"
        );
    }
    assert_eq!(shop.tasks.len(), 2, "the shop itself goes on");
}
