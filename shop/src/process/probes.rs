//! What every role's health is checked by: its database, Redis, and roles in other processes.

use std::sync::Arc;

use tokio::net::TcpStream;

use super::health::{Checked, Checks, HealthCheck};
use crate::{cache::RedisLink, config::Role, db::Db, http::url::BaseUrl};

/// Adds the checks of a role.
pub(crate) fn of_role(
    checks: &Checks,
    role: Role,
    db: Option<&Arc<Db>>,
    elsewhere: &[(Role, BaseUrl)],
) {
    if let Some(db) = db {
        checks.add(Database {
            role,
            db: Arc::clone(db),
        });
    }
    for (peer, url) in elsewhere {
        if role.peers().contains(peer) {
            checks.add(Connects {
                service: role.name(),
                dependency: peer.name(),
                authority: url.authority(),
            });
        }
    }
}

struct Database {
    role: Role,
    db: Arc<Db>,
}

impl HealthCheck for Database {
    fn service(&self) -> &'static str {
        self.role.name()
    }

    fn dependency(&self) -> &'static str {
        "database"
    }

    fn is_critical(&self) -> bool {
        true
    }

    fn check(&self) -> Checked<'_> {
        Box::pin(async { self.db.ping().await.map_err(|error| error.to_string()) })
    }
}

/// Redis, for a service that keeps things there; without it each process keeps its own.
pub(crate) struct Redis {
    pub(crate) service: &'static str,
    pub(crate) link: RedisLink,
}

impl HealthCheck for Redis {
    fn service(&self) -> &'static str {
        self.service
    }

    fn dependency(&self) -> &'static str {
        "redis"
    }

    fn check(&self) -> Checked<'_> {
        Box::pin(async {
            let answered = self.link.ping().await;
            answered.map_err(|_| "does not answer".to_owned())
        })
    }
}

/// Something that accepts connections.
pub(crate) struct Connects {
    pub(crate) service: &'static str,
    pub(crate) dependency: &'static str,
    /// Host and port.
    pub(crate) authority: String,
}

impl HealthCheck for Connects {
    fn service(&self) -> &'static str {
        self.service
    }

    fn dependency(&self) -> &'static str {
        self.dependency
    }

    fn check(&self) -> Checked<'_> {
        Box::pin(async {
            let connected = TcpStream::connect(&self.authority).await;
            connected.map(drop).map_err(|error| error.to_string())
        })
    }
}
