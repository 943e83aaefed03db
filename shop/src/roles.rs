//! The roles: what each one is made of, and how it is started.
//!
//! A role is a router, the routes it is counted by, perhaps a database, and perhaps work in the
//! background. Roles share no state; they talk over HTTP even inside one process.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{Router, http::Method};
use fault::Registry;

use crate::{
    cache::Caches,
    config::{Role, ShopConfig},
    db::{Db, DbOptions, Place, Schema},
    error::ShopError,
    http::{
        call::{Dependency, Peer},
        url::BaseUrl,
    },
    market::DependencyName,
    telemetry::{business::Business, http_metrics::RouteSpec, metrics::Metrics},
};

mod catalog;
mod edge;
mod forgetting;
mod orders;
mod partners;
mod payments;
mod promotions;
mod storefront;
mod users;

pub(crate) use edge::finish;
pub use storefront::{Access, PublicRoute, public_routes};
pub(crate) use users::{NewAdmin, create_admin};

/// Work that goes on beside the requests, until its role stops.
pub(crate) type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A role that is ready to be served.
pub(crate) struct Started {
    pub(crate) role: Role,
    pub(crate) router: Router,
    pub(crate) routes: Vec<RouteSpec>,
    pub(crate) db: Option<Arc<Db>>,
    pub(crate) background: Vec<Background>,
}

/// What a role is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a ShopConfig,
    pub(crate) metrics: &'a Metrics,
    pub(crate) faults: &'a Registry,
    pub(crate) place: &'a Place,
    /// Every role this process can reach, with the URL it answers at.
    pub(crate) reachable: &'a [(Role, BaseUrl)],
    pub(crate) client: &'a reqwest::Client,
    pub(crate) caches: &'a Caches,
}

impl Parts<'_> {
    pub(crate) fn business(&self) -> Business {
        self.metrics.business.clone()
    }

    /// Returns how `from` reaches `to`.
    pub(crate) fn peer(&self, from: Role, to: Role) -> Result<Peer, ShopError> {
        let found = self.reachable.iter().find(|(role, _)| *role == to);
        let missing = ShopError::PeerMissing {
            role: from.name(),
            peer: to.name(),
        };
        let (_, url) = found.ok_or(missing)?;
        Ok(Peer {
            caller: from,
            callee: to,
            url: url.clone(),
            client: self.client.clone(),
            // Who passes on waits longer than who is asked to, so that the inner reason comes out.
            timeout: self.config.call_timeout * to.depth(),
        })
    }

    /// Returns how `from` reaches something that may fail on its own; to be made once and shared.
    pub(crate) fn dependency(
        &self,
        from: Role,
        name: DependencyName,
    ) -> Result<Dependency, ShopError> {
        let peer = self.peer(from, name.callee())?;
        let counts = self.metrics.external.dependency(name);
        Ok(Dependency::new(name, peer, counts))
    }

    /// Opens and migrates the database of a role.
    pub(crate) async fn database(&self, role: Role, schema: Schema) -> Result<Arc<Db>, ShopError> {
        let options = DbOptions {
            role,
            place: self.place.clone(),
            connections: self.config.db_connections,
            acquire_timeout: self.config.db_acquire_timeout,
            answer_timeout: self.config.db_answer_timeout,
        };
        let stalls = self.faults.db_stalls(role.name());
        let db = Db::open(options, &self.metrics.db, stalls).await?;
        let migrated = db.migrate(schema).await;
        migrated.map_err(|source| ShopError::Database {
            service: role.name(),
            source,
        })?;
        Ok(Arc::new(db))
    }
}

/// Starts a role: its database is open, migrated and seeded when this returns.
pub(crate) async fn start(role: Role, parts: Parts<'_>) -> Result<Started, ShopError> {
    match role {
        Role::Storefront => storefront::start(parts),
        Role::Orders => orders::start(parts).await,
        Role::Payments => payments::start(parts).await,
        Role::Catalog => catalog::start(parts).await,
        Role::Promotions => promotions::start(parts).await,
        Role::Partners => Ok(partners::start(parts)),
        Role::Users => users::start(parts).await,
    }
}

/// Declares a route for counting; every route may also fail in these ways.
fn counted(method: Method, template: &'static str, statuses: &'static [u16]) -> RouteSpec {
    RouteSpec {
        method,
        template,
        statuses,
    }
}
