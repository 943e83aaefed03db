//! Counting accounts, logins, and what was checked to let someone in.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::catalogue;
use crate::config::Role;

const SUCCESS: &str = "success";
const FAILURE: &str = "failure";

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LoginLabel {
    status: &'static str,
}

/// The instruments of the users role.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserMetrics {
    active: Gauge,
    registrations: Counter,
    logins: Family<LoginLabel, Counter>,
    auth_attempts: Counter,
    auth_failures: Counter,
}

impl UserMetrics {
    pub(crate) fn register(registry: &mut Registry, roles: &[Role]) -> Self {
        let metrics = Self::default();
        if roles.contains(&Role::Users) {
            catalogue::ACTIVE_USERS.register(registry, metrics.active.clone());
            catalogue::USER_REGISTRATIONS.register(registry, metrics.registrations.clone());
            catalogue::USER_LOGINS.register(registry, metrics.logins.clone());
            catalogue::AUTH_ATTEMPTS.register(registry, metrics.auth_attempts.clone());
            catalogue::AUTH_FAILURES.register(registry, metrics.auth_failures.clone());
            for status in [SUCCESS, FAILURE] {
                metrics.login_counter(status);
            }
        }
        metrics
    }

    pub(crate) fn active(&self, users: i64) {
        self.active.set(users);
    }

    pub(crate) fn registered(&self) {
        self.registrations.inc();
    }

    /// Counts a login, which is also a password that was checked.
    pub(crate) fn login(&self, succeeded: bool) {
        let status = if succeeded { SUCCESS } else { FAILURE };
        self.login_counter(status).inc();
        self.checked(succeeded);
    }

    /// Counts a token that was checked.
    pub(crate) fn checked(&self, succeeded: bool) {
        self.auth_attempts.inc();
        if !succeeded {
            self.auth_failures.inc();
        }
    }

    fn login_counter(&self, status: &'static str) -> Counter {
        self.logins.get_or_create_owned(&LoginLabel { status })
    }
}
