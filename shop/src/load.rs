//! The load generator: an open loop of seeded customer journeys against a storefront.
//!
//! Arrivals never wait for answers, so a slow shop cannot slow its own traffic down and hide it;
//! the number under way is bounded, and an arrival beyond the bound is shed and counted. Surge and
//! drop are faults on this process's own control router.
//!
//! Reading order: [`arrivals`] (when), [`journey`] (who and what), both pure; then `walk` (the
//! requests), `measure` (what is counted), and [`Load`].

pub mod arrivals;
pub mod journey;
mod measure;
mod walk;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use fault::{
    Registry,
    control::ControlConfig,
    hooks::{Arrival, Traffic},
    supervise::Ready,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cli::LoadArgs,
    error::ShopError,
    http::url::BaseUrl,
    process::{
        health::{Health, Stage},
        listeners::{Side, SideListeners},
        side::SideRuntime,
    },
    telemetry::{logs::LOAD_SERVICE, push::Push},
};
use arrivals::{Arrivals, Spacing};
pub use journey::{Journey, Mix, Visit};
use measure::Measures;
pub use measure::Summary;
use walk::Walker;

/// How often the rate is looked at while it ramps.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a load generator is to do.
#[derive(Debug, Clone)]
pub struct LoadConfig {
    /// The storefront.
    pub target: BaseUrl,
    /// Journeys started a second.
    pub rate: f64,
    /// How long; for ever without it.
    pub duration: Option<Duration>,
    /// Seed of arrivals and journeys.
    pub seed: u64,
    /// How often each journey comes.
    pub mix: Mix,
    /// How arrivals are spaced.
    pub spacing: Spacing,
    /// Journeys under way at once.
    pub max_in_flight: usize,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Products the shop is known to have: ids 1 to this.
    pub products: u32,
    /// Address of `/metrics`, `/livez` and `/readyz`.
    pub metrics_listen: SocketAddr,
    /// Address of the fault control API.
    pub control_listen: SocketAddr,
    /// Longest time a stop waits for journeys under way.
    pub drain_limit: Duration,
}

impl LoadConfig {
    /// Returns the defaults of the command line for `target`, on free loopback ports.
    pub fn for_target(target: BaseUrl) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            target,
            rate: 60.0,
            duration: None,
            seed: 1,
            mix: Mix::default(),
            spacing: Spacing::Poisson,
            max_in_flight: 1_000,
            timeout: Duration::from_secs(10),
            products: 24,
            metrics_listen: free,
            control_listen: free,
            drain_limit: Duration::from_secs(5),
        }
    }
}

impl TryFrom<&LoadArgs> for LoadConfig {
    type Error = ShopError;

    fn try_from(args: &LoadArgs) -> Result<Self, ShopError> {
        Ok(Self {
            target: BaseUrl::parse(&args.target)?,
            rate: args.rate,
            duration: args.duration,
            seed: args.seed,
            mix: args.journey,
            spacing: if args.even {
                Spacing::Even
            } else {
                Spacing::Poisson
            },
            max_in_flight: args.max_in_flight as usize,
            timeout: args.timeout,
            products: args.products,
            metrics_listen: args.metrics_listen,
            control_listen: args.control_listen,
            drain_limit: args.process.drain_limit,
        })
    }
}

/// A load generator whose listeners answer and whose arrivals have not begun.
#[derive(Debug)]
pub struct Load {
    config: LoadConfig,
    ready: Ready,
    faults: Registry,
    traffic: Traffic,
    measures: Arc<Measures>,
    walker: Arc<Walker>,
    side: Side,
}

impl Load {
    /// Binds and serves the listeners on `side`.
    pub async fn start(
        config: LoadConfig,
        control: ControlConfig,
        side: &SideRuntime,
    ) -> Result<Self, ShopError> {
        let listeners =
            SideListeners::bind(side, config.metrics_listen, config.control_listen, &control)
                .await?;
        let faults = Registry::new();
        let traffic = faults.traffic(LOAD_SERVICE, config.rate);
        let (measures, metrics) = Measures::register(&faults);
        let measures = Arc::new(measures);
        let walker = Walker::new(config.target.clone(), config.timeout, Arc::clone(&measures))?;
        let ready = Ready {
            pid: std::process::id(),
            services: Vec::new(),
            metrics_url: Some(listeners.metrics_url()),
            control_url: Some(listeners.control_url()),
        };
        let push = Push::from_env(&[LOAD_SERVICE])?;
        let health = Arc::new(Health::new(vec![LOAD_SERVICE]));
        health.set_stage(Stage::Running);
        let side = listeners.serve(side, health, faults.clone(), control);
        side.show(metrics, push);
        let walker = Arc::new(walker);
        Ok(Self {
            config,
            ready,
            faults,
            traffic,
            measures,
            walker,
            side,
        })
    }

    /// Returns where the generator listens.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Returns the registry of faults.
    pub fn faults(&self) -> &Registry {
        &self.faults
    }

    /// Sends traffic until `stop` or the end of the duration, then waits for what is under way.
    pub async fn run(self, stop: CancellationToken) -> Summary {
        let began = Instant::now();
        let under_way = TaskTracker::new();
        self.arrive(began, &stop, &under_way).await;
        under_way.close();
        if tokio::time::timeout(self.config.drain_limit, under_way.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                left = under_way.len() as i64,
                "journeys were left under way"
            );
        }
        let lasted = began.elapsed();
        self.side.end().await;
        self.measures.summary(lasted)
    }

    async fn arrive(&self, began: Instant, stop: &CancellationToken, under_way: &TaskTracker) {
        let mut traffic = self.traffic.clone();
        let mut arrivals = Arrivals::new(self.config.seed, self.config.spacing);
        let places = Arc::new(Semaphore::new(self.config.max_in_flight));
        let end = self
            .config
            .duration
            .map_or(f64::INFINITY, |duration| duration.as_secs_f64());
        let mut n = 0;
        let mut at = 0.0;
        while at < end && !stop.is_cancelled() {
            let now = began.elapsed().as_secs_f64().min(end);
            let rate = traffic.rate();
            self.measures.rate(rate);
            while let Some(due) = arrivals.until(at, now, rate) {
                at = due;
                let due = began + Duration::from_secs_f64(due);
                self.admit(Visit::nth(&self.config, n), due, &places, under_way);
                n += 1;
            }
            at = now;
            let wait = Duration::from_secs_f64(arrivals.gap(rate).min(end - at).max(0.0));
            tokio::select! {
                () = tokio::time::sleep(wait.min(LOOK_AGAIN)) => {}
                () = traffic.changed() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Sends one customer on the way, unless a fault drops it or too many are under way.
    fn admit(&self, visit: Visit, due: Instant, places: &Arc<Semaphore>, under_way: &TaskTracker) {
        let (method, route) = visit.journey.aim();
        if self.traffic.arrive(route, method) == Arrival::Dropped {
            self.measures.dropped(visit.journey);
            return;
        }
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            self.measures.shed(visit.journey);
            return;
        };
        self.measures.sent(visit.journey);
        let (walker, measures) = (Arc::clone(&self.walker), Arc::clone(&self.measures));
        under_way.spawn(async move {
            let _under_way = measures.under_way();
            let end = walker.walk(&visit).await;
            // From when the customer was due, not from when there was time to send it.
            measures.journey(visit.journey, end, due.elapsed());
            drop(place);
        });
    }
}
