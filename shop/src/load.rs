//! The load generator: seeded customer journeys against a storefront, in an open or a closed loop.
//!
//! In the open loop arrivals never wait for answers, so a slow shop cannot slow its own traffic down
//! and hide it; the number under way is bounded, and an arrival beyond the bound is shed and counted.
//! In the closed loop a crowd of customers comes back, each after its last visit. Surge and drop are
//! faults on this process's own control router and act on both.
//!
//! Reading order: `schedule` (how much), [`arrivals`] (when), `kind`, `visit` and `think` (who and
//! what), all pure; then `open` and `closed` (the loops), `walk` and `script` (the requests),
//! `measure`, `times` and `summary` (what is counted), `progress`, and [`Load`].

mod accounts;
pub mod args;
pub mod arrivals;
mod closed;
mod config;
mod kind;
mod measure;
mod open;
pub mod progress;
pub(crate) mod report;
pub mod schedule;
mod script;
pub mod summary;
mod think;
mod times;
mod visit;
mod walk;
mod weights;

use std::{sync::Arc, time::Instant};

use fault::{Registry, control::ControlConfig, hooks::Traffic, supervise::Ready};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    error::ShopError,
    process::{
        health::{Health, Stage},
        listeners::{Side, SideListeners},
        side::SideRuntime,
    },
    telemetry::{logs::LOAD_SERVICE, push::Push},
};
pub use config::LoadConfig;
pub use kind::{Journey, Kind, Kinds, Mix};
use measure::Measures;
use schedule::Demand;
pub use summary::{Summary, Tally};
pub use think::ThinkTime;
use times::Correction;
pub use visit::{Countries, Plan, Visit};
use walk::{Manner, Walker};

/// A load generator whose listeners answer and whose arrivals have not begun.
#[derive(Debug)]
pub struct Load {
    config: LoadConfig,
    ready: Ready,
    faults: Registry,
    traffic: Traffic,
    measures: Arc<Measures>,
    road: Arc<Road>,
    side: Side,
}

/// What a customer walks on.
#[derive(Debug)]
struct Road {
    walker: Walker,
    measures: Arc<Measures>,
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
        let traffic = faults.traffic(LOAD_SERVICE, config.schedule.level(0.0));
        let (measures, metrics) = Measures::register(&faults);
        let measures = Arc::new(measures);
        let manner = Manner {
            timeout: config.timeout,
            think: config.think,
            trace_share: config.trace_share,
            admin_token: config.admin_token.clone(),
            seed: config.plan.seed,
        };
        let walker = Walker::new(config.target.clone(), Arc::clone(&measures), manner)?;
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
        let road = Arc::new(Road {
            walker,
            measures: Arc::clone(&measures),
        });
        Ok(Self {
            config,
            ready,
            faults,
            traffic,
            measures,
            road,
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

    /// Sends traffic until `stop` or the end of the schedule, then waits for what is under way.
    pub async fn run(self, stop: CancellationToken) -> Summary {
        let began = Instant::now();
        tokio::select! {
            () = self.send(began, &stop) => {}
            () = progress::tell(self.config.progress, &self.measures, began) => {}
        }
        let lasted = began.elapsed();
        let closed = self.config.schedule.demand() == Demand::Users;
        let correction = self.correction();
        self.side.end().await;
        self.measures.summary(lasted, closed, correction)
    }

    async fn send(&self, began: Instant, stop: &CancellationToken) {
        let under_way = TaskTracker::new();
        match self.config.schedule.demand() {
            Demand::Rate => self.arrive(began, stop, &under_way).await,
            Demand::Users => self.crowd(began, stop, &under_way).await,
        }
        self.road.walker.hurry();
        under_way.close();
        let drained = tokio::time::timeout(self.config.drain_limit, under_way.wait()).await;
        if drained.is_err() {
            tracing::warn!(
                left = under_way.len() as i64,
                "journeys were left under way"
            );
        }
    }

    fn correction(&self) -> Correction {
        let schedule = &self.config.schedule;
        if schedule.demand() == Demand::Users && schedule.pace().is_none() {
            Correction::Missed {
                pause: self.config.think.mean(),
            }
        } else {
            Correction::Measured
        }
    }
}
