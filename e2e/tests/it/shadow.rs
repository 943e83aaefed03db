//! Our engine in the shadow of a real Prometheus: both scrape the same targets at the same intervals
//! with the same rules while the targets are killed, hung, slow, restarted or answer nonsense.
//! Afterwards every transition has to be the same one, at most one scrape and one evaluation apart.
//!
//! The phases of the two differ, so nothing closer can be asked for. What a query returned over time
//! is read back on a grid; the order and the set of values of each series are strict.

mod compare;
mod target;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use e2e::lab::Lab;
use e2e::process::wait_until;
use e2e::servers::{self, PrometheusSetup, Server};
use e2e::{needs, repository};
use promql::rules::RuleFile;
use promql::value::Value;
use rustix::process::{Pid, Signal, kill_process};
use signals::source::{Health, Range};
use signals::{
    Connection, Embedded, EmbeddedConfig, Prometheus, PrometheusConfig, Source, TargetSpec,
};
use tokio::runtime::Runtime;

use compare::{Change, Pair, STEP_MS, reversed};
use target::{Content, Mood, Target};

/// One scrape plus one evaluation, both every second.
const ALLOWED_APART_MS: i64 = 2_000;
/// How long everything is healthy before the first stage: every window of a rule is full then.
const WARM_UP: Duration = Duration::from_secs(7);
/// The end of the last stage.
const END_S: f64 = 66.0;

/// Something that happens to a target.
enum Step {
    Kill,
    Restart,
    /// The shop stops like a hung process: it accepts connections and says nothing.
    Hang,
    Continue,
    /// One target is scraped no more.
    Leave,
    /// What the proxy in front of the shop does.
    Front(Mood),
    /// What the target does whose text is broken.
    Text(Mood),
    /// What the target does whose answers fail on the way.
    Wire(Mood),
    /// What the target says whose numbers change.
    Data(fn(&mut Content)),
}

use Step::{Continue, Data, Front, Hang, Kill, Leave, Restart, Text, Wire};

/// The job of the target that leaves.
const LEAVING: &str = "leaving";

/// Seconds after the warm-up; the targets go through their stages side by side.
const TIMETABLE: &[(f64, Step)] = &[
    (1.0, Kill),
    (7.0, Restart),
    (15.0, Hang),
    (21.0, Continue),
    (28.0, Front(Mood::Status("500 Internal Server Error"))),
    (34.0, Front(Mood::Good)),
    (40.0, Front(Mood::Slow(Duration::from_millis(1_500)))),
    (46.0, Front(Mood::Good)),
    (52.0, Front(Mood::Slow(Duration::from_millis(500)))),
    (58.0, Front(Mood::Good)),
    //
    (44.0, Leave),
    //
    (1.2, Text(Mood::HalfText)),
    (8.0, Text(Mood::Good)),
    (14.0, Text(Mood::ContentType("application/json"))),
    (21.0, Text(Mood::Good)),
    (27.0, Text(Mood::ContentType("text/plain; charset"))),
    (34.0, Text(Mood::Good)),
    (40.0, Text(Mood::Nothing)),
    (47.0, Text(Mood::Good)),
    (53.0, Text(Mood::HalfText)),
    (60.0, Text(Mood::Good)),
    //
    (1.4, Wire(Mood::HalfBody)),
    (8.0, Wire(Mood::Good)),
    (14.0, Wire(Mood::Dripping(Duration::from_millis(1_500)))),
    (21.0, Wire(Mood::Good)),
    (27.0, Wire(Mood::Elsewhere)),
    (33.0, Wire(Mood::Good)),
    (39.0, Wire(Mood::Status("204 No Content"))),
    (45.0, Wire(Mood::Good)),
    (51.0, Wire(Mood::Dripping(Duration::from_millis(600)))),
    (57.0, Wire(Mood::Good)),
    //
    (1.6, Data(|now| now.value = 9.0)),
    (8.6, Data(|now| now.value = 1.0)),
    (17.0, Data(|now| now.value = 7.0)),
    (18.5, Data(|now| now.value = 1.0)),
    (22.0, Data(|now| now.ids = &["a", "c"])),
    (27.0, Data(|now| now.ids = &["a", "b", "c"])),
    (30.0, Data(|now| now.counter_began = Instant::now())),
    (33.0, Data(|now| now.dup = &[9, 1])),
    (38.0, Data(|now| now.dup = &[1, 9])),
    (42.0, Data(|now| now.stamp_ms = Some(now_ms()))),
    (46.0, Data(|now| now.stamp_ms = None)),
    (48.0, Data(|now| now.ids = &["c"])),
    (53.0, Data(|now| now.ids = &["a", "b", "c"])),
    (56.0, Data(|now| now.up = Some(0))),
    (61.0, Data(|now| now.up = None)),
];

/// What is read back: alerts, and how scrapes, series and recorded series looked over time.
const OBSERVED: &[&str] = &[
    "ALERTS{alertname!=\"Left\"}",
    "ALERTS_FOR_STATE{alertname!=\"Left\"} > bool 0",
    "up{job!=\"leaving\"}",
    "scrape_samples_scraped{job!~\"shop|front|leaving\"}",
    "scrape_samples_post_metric_relabeling{job!~\"shop|front|leaving\"}",
    "scrape_series_added{job!~\"shop|front|leaving\"}",
    "count by (job) (process_start_time_seconds)",
    "group by (job) (http_requests_total)",
    "wire_value{job!=\"leaving\"}",
    "wire_series{job!=\"leaving\"}",
    "wire_dup{job!=\"leaving\"}",
    "wire_stamped",
    "job:wire_value:max{job!=\"leaving\"}",
    "job:wire_value:high",
    "count by (job) (job:requests:rate)",
];

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// The shop and what stands around it.
struct Stage {
    lab: Lab,
    front: Target,
    text: Target,
    wire: Target,
    data: Target,
    leaving: Target,
}

impl Stage {
    fn build() -> Self {
        let lab = Lab::start();
        Self {
            front: Target::in_front_of(&lab.metrics[0].1),
            text: Target::start(),
            wire: Target::start(),
            data: Target::start(),
            leaving: Target::start(),
            lab,
        }
    }

    fn jobs(&self) -> [(&'static str, String); 6] {
        [
            ("shop", self.lab.metrics[0].1.clone()),
            ("front", self.front.address.clone()),
            ("text", self.text.address.clone()),
            ("wire", self.wire.address.clone()),
            ("data", self.data.address.clone()),
            (LEAVING, self.leaving.address.clone()),
        ]
    }

    fn perform(&mut self, step: &Step, real: &Server, own: &Embedded) {
        match step {
            Kill => self.lab.shop.kill(),
            Restart => self.lab.restart_shop(),
            Hang => signal(self.lab.shop.id(), Signal::STOP),
            Continue => signal(self.lab.shop.id(), Signal::CONT),
            Leave => self.leave(real, own),
            Front(mood) => self.front.be(*mood),
            Text(mood) => self.text.be(*mood),
            Wire(mood) => self.wire.be(*mood),
            Data(change) => self.data.change(change),
        }
    }

    /// Takes one target out of both configurations.
    fn leave(&self, real: &Server, own: &Embedded) {
        let config = real.folder().join("prometheus.yml");
        let text = std::fs::read_to_string(&config).unwrap();
        let target = format!("'{}'", self.leaving.address);
        assert!(text.contains(&target));
        std::fs::write(&config, text.replace(&target, "")).unwrap();
        signal(real.process.id(), Signal::HUP);
        let jobs = self.jobs();
        own.set_targets(targets(&jobs[..jobs.len() - 1])).unwrap();
    }

    /// Goes through the whole timetable.
    fn play(&mut self, real: &Server, own: &Embedded) {
        let mut steps: Vec<&(f64, Step)> = TIMETABLE.iter().collect();
        steps.sort_by(|one, other| one.0.total_cmp(&other.0));
        let began = Instant::now();
        for (at_s, step) in steps {
            sleep_until(began + Duration::from_secs_f64(*at_s));
            self.perform(step, real, own);
        }
        sleep_until(began + Duration::from_secs_f64(END_S));
    }
}

fn signal(process: u32, signal: Signal) {
    let id = i32::try_from(process).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
}

fn sleep_until(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
}

fn rules() -> PathBuf {
    repository().join("e2e/tests/it/shadow/rules.yml")
}

fn targets(jobs: &[(&str, String)]) -> Vec<TargetSpec> {
    jobs.iter()
        .map(|(job, address)| TargetSpec {
            job: (*job).to_owned(),
            instance: String::new(),
            url: format!("http://{address}/metrics"),
        })
        .collect()
}

fn embedded(jobs: &[(&str, String)], rules: &Path) -> Embedded {
    let text = std::fs::read_to_string(rules).unwrap();
    Embedded::start(EmbeddedConfig {
        targets: targets(jobs),
        rules: vec![RuleFile::parse(&text).unwrap()],
        ..EmbeddedConfig::default()
    })
    .unwrap()
}

/// Waits until a query has a result.
fn wait_for(runtime: &Runtime, source: &dyn Source, query: &str) {
    let what = format!("{query} on {}", source.describe());
    wait_until(&what, Duration::from_mins(1), || {
        let answer = runtime.block_on(source.instant(query, None));
        matches!(answer.map(|answer| answer.value), Ok(Value::Vector(points)) if !points.is_empty())
    });
}

#[test]
fn transitions_are_those_of_prometheus_while_targets_fail() {
    let program = needs!("shadow", "prometheus");
    let mut stage = Stage::build();
    let (jobs, rules) = (stage.jobs(), rules());
    let server = servers::prometheus(&PrometheusSetup {
        binary: &program,
        jobs: &jobs,
        rules: &[&rules],
        alertmanager: None,
    });
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let real = Prometheus::new(&PrometheusConfig::new(Connection::new(&server.url))).unwrap();
    let own = embedded(&jobs, &rules);
    for source in [&real as &dyn Source, &own] {
        wait_for(&runtime, source, "count(up == 1) == 6");
        wait_for(&runtime, source, "job:requests:rate{job=\"shop\"} > 10");
    }
    std::thread::sleep(WARM_UP);
    let start_ms = now_ms();
    stage.play(&server, &own);
    let range = Range {
        start_ms,
        end_ms: now_ms(),
        step_ms: STEP_MS,
    };
    // What was scraped and evaluated until then is visible after one more timeout.
    std::thread::sleep(Duration::from_secs(2));
    let mut problems = String::new();
    for query in OBSERVED {
        let pair = runtime.block_on(Pair::ask(query, range, &real, &own));
        match pair.changes() {
            Ok(changes) => {
                let farthest = farthest(&changes);
                eprintln!("{query}: {} changes, {farthest}", changes.len());
                problems += &judged(query, &changes);
            }
            Err(different) => problems += &different,
        }
    }
    assert!(problems.is_empty(), "{problems}");
    let real_ms = runtime.block_on(leave_taken(&real, range));
    let own_ms = runtime.block_on(leave_taken(&own, range));
    eprintln!("last scrape to absence and to the alert: real {real_ms:?}, own {own_ms:?}");
    for (real_ms, own_ms) in real_ms.into_iter().zip(own_ms) {
        // Prometheus ends a loop at any moment between two scrapes, sometimes right after one.
        assert!((real_ms - own_ms).abs() <= ALLOWED_APART_MS + 1_000);
    }
    runtime.block_on(async {
        same_health(&real, &own).await;
        own.shutdown().await;
    });
}

fn farthest(changes: &[Change]) -> String {
    changes
        .iter()
        .max_by_key(|change| change.apart_ms().abs())
        .map(|change| format!("farthest apart {} ms ({})", change.apart_ms(), change.what))
        .unwrap_or_default()
}

/// Returns what is wrong with the changes that both have seen.
fn judged(query: &str, changes: &[Change]) -> String {
    if changes.is_empty() {
        return format!("{query}: nothing has changed, so nothing was compared\n");
    }
    let mut problems = String::new();
    for change in changes {
        if change.apart_ms().abs() > ALLOWED_APART_MS {
            let _ = writeln!(
                problems,
                "{query}: {} ms apart: {}",
                change.apart_ms(),
                change.what
            );
        }
    }
    for pair in reversed(changes, ALLOWED_APART_MS) {
        let _ = writeln!(problems, "{query}: in another order: {pair}");
    }
    problems
}

/// Returns how long after the last scrape of the target that leaves its `up` is absent, and how long
/// after it the alert about that comes. When a server takes up a changed configuration is its own
/// affair, so moments themselves are not compared.
async fn leave_taken(source: &dyn Source, range: Range) -> [i64; 2] {
    let length = (range.end_ms - range.start_ms) / 1_000;
    let raw = format!("up{{job=\"{LEAVING}\"}}[{length}s]");
    let Value::Matrix(raw) = source
        .instant(&raw, Some(range.end_ms))
        .await
        .unwrap()
        .value
    else {
        panic!("a matrix")
    };
    let last_ms = raw[0].samples.last().unwrap().t_ms;
    let up = format!("up{{job=\"{LEAVING}\"}}");
    let up = source.range(&up, range).await.unwrap().value;
    let seen_ms = up[0].samples.last().unwrap().t_ms;
    let alert = source.range("ALERTS{alertname=\"Left\"}", range).await;
    let alert_ms = alert.unwrap().value[0].samples[0].t_ms;
    [seen_ms - last_ms, alert_ms - last_ms]
}

/// The rules that fail are the same ones.
async fn same_health(real: &Prometheus, own: &Embedded) {
    let mut failing = Vec::new();
    for source in [real as &dyn Source, own] {
        let rules = source.rules().await.unwrap().value;
        let bad = rules.into_iter().filter(|rule| rule.health != Health::Ok);
        let mut names: Vec<_> = bad.map(|rule| rule.name).collect();
        names.sort();
        failing.push(names);
    }
    assert_eq!(failing[0], ["FewSeries", "ReadsOneSeries"]);
    assert_eq!(failing[0], failing[1], "rules that fail: real, own");
}
