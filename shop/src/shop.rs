//! One process of the shop: its roles started, served, and drained.
//!
//! Tests and the command line use the same [`Shop`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fault::{
    Registry,
    control::ControlConfig,
    supervise::{Ready, ServiceAddress},
};
use futures_util::future::try_join_all;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cache::Caches,
    config::{Role, ShopConfig},
    data::Folder,
    db::{Db, hold_stalls},
    error::ShopError,
    http::{
        call,
        serve::{Bound, Descriptors},
        url::BaseUrl,
    },
    process::{
        health::{Checks, Health, HealthCollector, Stage},
        listeners::{Side, SideListeners},
        probes,
        side::SideRuntime,
    },
    roles::{self, Parts, Started},
    telemetry::{
        db_metrics::PoolCollector, faults::FaultCollector, metrics::Metrics,
        process::ProcessCollector, push::Push,
    },
};

/// Longest wait for databases to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// A running shop.
#[derive(Debug)]
pub struct Shop {
    ready: Ready,
    faults: Registry,
    serving: Vec<Serving>,
    background: TaskTracker,
    stop_background: CancellationToken,
    side: Side,
    health: Arc<Health>,
    databases: Vec<Arc<Db>>,
    drain_limit: Duration,
    _folder: Folder,
}

/// A role's listener at work.
#[derive(Debug)]
struct Serving {
    role: Role,
    stop: CancellationToken,
    done: tokio::task::JoinHandle<()>,
}

impl Shop {
    /// Starts the roles on the current runtime, metrics and control on `side`.
    pub async fn start(
        config: ShopConfig,
        control: ControlConfig,
        side: &SideRuntime,
    ) -> Result<Self, ShopError> {
        config.check_peers()?;
        let process = ProcessCollector::new();
        let business = bind_roles(&config).await?;
        let listeners =
            SideListeners::bind(side, config.metrics_listen, config.control_listen, &control)
                .await?;
        let folder = Folder::make(&config.data)?;
        let faults = Registry::new();
        let roles: Vec<Role> = business.iter().map(|(role, _)| *role).collect();
        let telling = roles.iter().filter(|role| role.tells());
        let names: Vec<&'static str> = telling.map(|role| role.name()).collect();
        let push = Push::from_env(&names)?;
        let health = Arc::new(Health::new(names));
        let ready = Ready {
            pid: std::process::id(),
            services: addresses(&business),
            metrics_url: Some(listeners.metrics_url()),
            control_url: Some(listeners.control_url()),
        };
        // Probes are answered while the roles migrate and seed.
        let side = listeners.serve(side, Arc::clone(&health), faults.clone(), control);
        let mut metrics = Metrics::new(&roles);
        let world = World {
            metrics: &metrics,
            faults: &faults,
            folder: &folder,
            checks: health.checks(),
        };
        let started = start_roles(&config, &business, world).await?;
        let databases: Vec<Arc<Db>> = started
            .iter()
            .filter_map(|started| started.db.clone())
            .collect();
        metrics.collect(Box::new(process));
        metrics.collect(Box::new(PoolCollector(databases.clone())));
        metrics.collect(Box::new(FaultCollector(faults.clone())));
        metrics.collect(Box::new(HealthCollector(Arc::clone(&health))));
        for started in &started {
            let db = started.db.as_ref();
            probes::of_role(health.checks(), started.role, db, &config.elsewhere);
        }
        health.check().await;

        let mut shop = Self {
            ready,
            faults,
            serving: Vec::new(),
            background: TaskTracker::new(),
            stop_background: CancellationToken::new(),
            side,
            health,
            databases,
            drain_limit: config.drain_limit,
            _folder: folder,
        };
        shop.serve(business, started, &metrics);
        shop.in_background(Arc::clone(&shop.health).watch());
        shop.side.show(metrics.seal(), push);
        shop.health.set_stage(Stage::Running);
        Ok(shop)
    }

    /// Returns where the shop listens.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Returns the URL of a role of this process.
    pub fn url(&self, role: Role) -> Option<&str> {
        let own = self
            .ready
            .services
            .iter()
            .find(|at| at.service == role.name());
        own.map(|at| at.url.as_str())
    }

    /// Returns the registry of faults.
    pub fn faults(&self) -> &Registry {
        &self.faults
    }

    /// Drains the roles, callers first, and closes the databases; within about the drain limit.
    pub async fn shutdown(self) {
        self.health.set_stage(Stage::Stopping);
        // What a fault holds up would only use the limit up.
        self.faults.withdraw_all(None, "the process stops");
        let deadline = Instant::now() + self.drain_limit;
        for Serving { role, stop, done } in self.serving {
            stop.cancel();
            let left = deadline.saturating_duration_since(Instant::now());
            if tokio::time::timeout(left, done).await.is_err() {
                tracing::warn!(
                    service = role.name(),
                    "requests were cut off at the drain limit"
                );
            }
        }
        self.stop_background.cancel();
        self.background.close();
        let closing = async {
            self.background.wait().await;
            for db in &self.databases {
                db.close().await;
            }
        };
        if tokio::time::timeout(CLOSE_LIMIT, closing).await.is_err() {
            tracing::warn!("a database did not close in time");
        }
        self.side.end().await;
    }

    fn serve(&mut self, business: Vec<(Role, Bound)>, started: Vec<Started>, metrics: &Metrics) {
        for ((role, bound), started) in business.into_iter().zip(started) {
            let http = role
                .tells()
                .then(|| Arc::new(metrics.http.service(role.name(), &started.routes)));
            let router = roles::finish(&started, http, &self.faults);
            if let Some(db) = &started.db {
                let stalls = self.faults.db_stalls(role.name());
                self.in_background(hold_stalls(Arc::clone(db), stalls));
            }
            for work in started.background {
                self.in_background(work);
            }
            let stop = CancellationToken::new();
            let done = tokio::spawn(bound.serve(router, stop.clone(), self.drain_limit));
            self.serving.push(Serving { role, stop, done });
        }
    }

    fn in_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.stop_background.clone();
        self.background.spawn(async move {
            let _ = stopped.run_until_cancelled(work).await;
        });
    }
}

async fn bind_roles(config: &ShopConfig) -> Result<Vec<(Role, Bound)>, ShopError> {
    let mut bound = Vec::new();
    for listener in &config.roles {
        let role = listener.role;
        let flag = format!("{role}-listen");
        bound.push((
            role,
            Bound::bind(
                Descriptors::AllButReserve,
                listener.listen,
                role.name(),
                &flag,
            )
            .await?,
        ));
    }
    Ok(bound)
}

/// What every role of a process shares.
#[derive(Clone, Copy)]
struct World<'a> {
    metrics: &'a Metrics,
    faults: &'a Registry,
    folder: &'a Folder,
    checks: &'a Checks,
}

async fn start_roles(
    config: &ShopConfig,
    business: &[(Role, Bound)],
    world: World<'_>,
) -> Result<Vec<Started>, ShopError> {
    let mut reachable = config.elsewhere.clone();
    for (role, bound) in business {
        reachable.retain(|(other, _)| other != role);
        reachable.push((*role, BaseUrl::parse(&bound.url())?));
    }
    let client = call::client()?;
    let caches = Caches::new(config.redis_url.as_ref(), world.metrics.cache.clone())?;
    if let Some(link) = caches.redis() {
        // These two share what they keep with other processes of theirs.
        let shares = |role: &Role| matches!(role, Role::Storefront | Role::Catalog);
        for role in business.iter().map(|(role, _)| *role).filter(shares) {
            world.checks.add(probes::Redis {
                service: role.name(),
                link: link.clone(),
            });
        }
    }
    let parts = Parts {
        config,
        metrics: world.metrics,
        faults: world.faults,
        place: &world.folder.place(),
        reachable: &reachable,
        client: &client,
        caches: &caches,
    };
    try_join_all(business.iter().map(|(role, _)| roles::start(*role, parts))).await
}

fn addresses(business: &[(Role, Bound)]) -> Vec<ServiceAddress> {
    let address = |(role, bound): &(Role, Bound)| ServiceAddress {
        service: role.name().to_owned(),
        url: bound.url(),
    };
    business.iter().map(address).collect()
}
