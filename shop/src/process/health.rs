//! Whether a process may be sent requests: its stage, and what its services depend on.
//!
//! Dependencies are checked once a second, not when somebody asks, so that probing cannot load the
//! shop. A service whose critical dependency is unhealthy is not ready. Other roles are not critical:
//! a shop without payments still sells, and one broken role must not take all others out of service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use serde::Serialize;

use crate::telemetry::{catalogue, metrics::ServiceLabel};

const EVERY: Duration = Duration::from_secs(1);
/// An answer that takes longer is degraded.
const SLOW: Duration = Duration::from_secs(1);
/// No answer within this is unhealthy.
const LIMIT: Duration = Duration::from_secs(2);
/// Results older than this say that nobody checks any more.
const STALE: Duration = Duration::from_secs(6);

/// What a check comes to: nothing, or a reason.
pub(crate) type Checked<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// One thing a service depends on.
pub(crate) trait HealthCheck: Send + Sync {
    /// Returns the service that depends on it.
    fn service(&self) -> &'static str;

    /// Returns its name, the value of a label.
    fn dependency(&self) -> &'static str;

    /// Tells whether the service is of no use without it.
    fn is_critical(&self) -> bool {
        false
    }

    /// Asks it, without any effect that could be seen. It is given up after two seconds.
    fn check(&self) -> Checked<'_>;
}

/// What is checked; roles add theirs while they start.
#[derive(Clone, Default)]
pub(crate) struct Checks(Arc<Mutex<Vec<Arc<dyn HealthCheck>>>>);

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checks({})", self.all().len())
    }
}

impl Checks {
    pub(crate) fn add(&self, check: impl HealthCheck + 'static) {
        let mut checks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        checks.push(Arc::new(check));
    }

    fn all(&self) -> Vec<Arc<dyn HealthCheck>> {
        let checks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        checks.clone()
    }
}

/// How a dependency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Healthy,
    Degraded,
    Unhealthy,
}

/// The last result of one check.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outcome {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    pub(crate) status: Status,
    pub(crate) latency_ms: f64,
    pub(crate) critical: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    Starting,
    Running,
    Stopping,
}

/// What a readiness probe is answered.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    pub(crate) status: Status,
    pub(crate) stage: Stage,
    pub(crate) services: Vec<&'static str>,
    pub(crate) checks: Vec<Outcome>,
}

/// The health of a process.
#[derive(Debug)]
pub(crate) struct Health {
    services: Vec<&'static str>,
    checks: Checks,
    stage: AtomicU8,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    at: Option<Instant>,
    outcomes: Vec<Outcome>,
}

impl Health {
    /// Returns the health of a process that starts.
    pub(crate) fn new(services: Vec<&'static str>) -> Self {
        Self {
            services,
            checks: Checks::default(),
            stage: AtomicU8::new(Stage::Starting as u8),
            seen: Mutex::default(),
        }
    }

    pub(crate) fn checks(&self) -> &Checks {
        &self.checks
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Starting,
            1 => Stage::Running,
            _ => Stage::Stopping,
        }
    }

    pub(crate) fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    /// Checks everything once, at the same time.
    pub(crate) async fn check(&self) {
        let checks = self.checks.all();
        let outcomes = join_all(checks.iter().map(|check| run(&**check))).await;
        let mut seen = self.seen();
        for outcome in &outcomes {
            tell_change(&seen.outcomes, outcome);
        }
        *seen = Seen {
            at: Some(Instant::now()),
            outcomes,
        };
    }

    /// Checks every second, for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.check().await;
        }
    }

    /// Returns the state of affairs; asks nobody.
    pub(crate) fn readiness(&self) -> Readiness {
        let checks = self.outcomes();
        let worst = |status, check: &Outcome| match check.status {
            // Without what is not critical the shop is worse, not down.
            Status::Unhealthy if !check.critical => Status::Degraded.max(status),
            other => other.max(status),
        };
        let stage = self.stage();
        let mut status = checks.iter().fold(Status::Healthy, worst);
        if stage != Stage::Running {
            status = Status::Unhealthy;
        }
        Readiness {
            ready: status != Status::Unhealthy,
            status,
            stage,
            services: self.services.clone(),
            checks,
        }
    }

    /// Tells whether one service may be sent requests.
    fn is_ready(&self, service: &str, outcomes: &[Outcome]) -> bool {
        let mut own = outcomes.iter().filter(|outcome| outcome.service == service);
        let fine = own.all(|own| !own.critical || own.status != Status::Unhealthy);
        self.stage() == Stage::Running && fine
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let seen = self.seen();
        let mut outcomes = seen.outcomes.clone();
        // Whoever checks may hang with the rest of the business.
        if self.stage() == Stage::Running && seen.at.is_some_and(|at| at.elapsed() > STALE) {
            for outcome in &mut outcomes {
                outcome.status = Status::Unhealthy;
                outcome.reason = Some("was not checked for seconds".to_owned());
            }
        }
        outcomes
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run(check: &dyn HealthCheck) -> Outcome {
    let began = Instant::now();
    let answer = tokio::time::timeout(LIMIT, check.check()).await;
    let took = began.elapsed();
    let (status, reason) = match answer {
        Ok(Ok(())) if took <= SLOW => (Status::Healthy, None),
        Ok(Ok(())) => (Status::Degraded, Some("answers slowly".to_owned())),
        Ok(Err(reason)) => (Status::Unhealthy, Some(reason)),
        Err(_) => (Status::Unhealthy, Some("does not answer".to_owned())),
    };
    Outcome {
        service: check.service(),
        name: check.dependency(),
        status,
        latency_ms: (took.as_secs_f64() * 1e6).round() / 1e3,
        critical: check.is_critical(),
        reason,
    }
}

fn tell_change(before: &[Outcome], now: &Outcome) {
    let same = |other: &&Outcome| other.service == now.service && other.name == now.name;
    let old = before
        .iter()
        .find(same)
        .map_or(Status::Healthy, |old| old.status);
    if old == now.status {
        return;
    }
    let (service, dependency) = (now.service, now.name);
    if let Some(reason) = &now.reason {
        tracing::warn!(service, dependency, reason, "a dependency is not well");
    } else {
        tracing::info!(service, dependency, "a dependency is well again");
    }
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DependencyLabels {
    service: &'static str,
    dependency: &'static str,
}

/// Reads the health at the scrape.
#[derive(Debug)]
pub(crate) struct HealthCollector(pub(crate) Arc<Health>);

impl Collector for HealthCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let outcomes = self.0.outcomes();
        let mut family = catalogue::SERVICE_READY.describe(&mut encoder)?;
        for service in &self.0.services {
            let ready = i64::from(self.0.is_ready(service, &outcomes));
            let label = ServiceLabel { service };
            ConstGauge::new(ready).encode(family.encode_family(&label)?)?;
        }
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut family = catalogue::DEPENDENCY_UP.describe(&mut encoder)?;
        for outcome in &outcomes {
            let labels = DependencyLabels {
                service: outcome.service,
                dependency: outcome.name,
            };
            let up = i64::from(outcome.status != Status::Unhealthy);
            ConstGauge::new(up).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::{Checked, Health, HealthCheck, Stage, Status};

    struct Fake {
        name: &'static str,
        critical: bool,
        takes: Duration,
        answer: Result<(), &'static str>,
    }

    impl HealthCheck for Fake {
        fn service(&self) -> &'static str {
            "orders"
        }

        fn dependency(&self) -> &'static str {
            self.name
        }

        fn is_critical(&self) -> bool {
            self.critical
        }

        fn check(&self) -> Checked<'_> {
            Box::pin(async {
                tokio::time::sleep(self.takes).await;
                self.answer.map_err(str::to_owned)
            })
        }
    }

    async fn checked(fakes: Vec<Fake>) -> Arc<Health> {
        let health = Arc::new(Health::new(vec!["orders", "catalog"]));
        for fake in fakes {
            health.checks().add(fake);
        }
        health.set_stage(Stage::Running);
        health.check().await;
        health
    }

    fn fake(name: &'static str, critical: bool, answer: Result<(), &'static str>) -> Fake {
        Fake {
            name,
            critical,
            takes: Duration::ZERO,
            answer,
        }
    }

    #[tokio::test]
    async fn only_what_is_critical_takes_a_service_out() {
        let health = checked(vec![
            fake("database", true, Ok(())),
            fake("payments", false, Err("refused")),
        ])
        .await;
        let readiness = health.readiness();
        assert!(readiness.ready);
        assert_eq!(readiness.status, Status::Degraded);
        let health = checked(vec![fake("database", true, Err("gone"))]).await;
        assert!(!health.readiness().ready);
        let outcomes = health.outcomes();
        assert!(!health.is_ready("orders", &outcomes));
        assert!(health.is_ready("catalog", &outcomes));
    }

    #[tokio::test]
    async fn what_hangs_is_unhealthy_after_two_seconds() {
        let hanging = Fake {
            takes: Duration::from_mins(1),
            ..fake("database", true, Ok(()))
        };
        let health = checked(vec![hanging]).await;
        assert_eq!(health.readiness().checks[0].status, Status::Unhealthy);
    }

    #[tokio::test]
    async fn a_process_is_ready_only_while_it_runs() {
        let health = Health::new(vec!["orders"]);
        assert!(!health.readiness().ready);
        health.set_stage(Stage::Running);
        assert!(health.readiness().ready);
        health.set_stage(Stage::Stopping);
        assert!(!health.readiness().ready);
    }
}
