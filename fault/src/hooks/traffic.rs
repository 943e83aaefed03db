//! What a load generator's traffic suffers.

use std::sync::Arc;

use tokio::sync::watch;

use crate::decide::Request;
use crate::kinds::{Fault, Seam};
use crate::registry::Registry;

/// What becomes of one arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is sent.
    Send,
    /// It is not sent.
    Dropped,
}

/// A load generator's view of the traffic faults.
#[derive(Debug, Clone)]
pub struct Traffic {
    registry: Registry,
    service: Arc<str>,
    base: f64,
    changes: watch::Receiver<u64>,
}

impl Registry {
    /// Returns the traffic faults for a generator that sends `base` arrivals a second to `service`,
    /// and offers to carry them out.
    pub fn traffic(&self, service: &str, base: f64) -> Traffic {
        self.offer(Seam::Traffic, service);
        Traffic {
            registry: self.clone(),
            service: service.into(),
            base,
            changes: self.subscribe(),
        }
    }
}

impl Traffic {
    /// Returns the arrivals a second that are due now. Several surges apply one on the other.
    pub fn rate(&self) -> f64 {
        if self.registry.is_idle() {
            return self.base;
        }
        let (table, now) = self.registry.current();
        let mut rate = self.base;
        for live in &table.faults {
            let body = &live.armed.body;
            if let Fault::Surge(surge) = body.fault
                && body.scope.covers_service(&self.service)
            {
                rate = surge.rate(
                    rate,
                    body.level(now.saturating_sub(live.armed.since)).part(),
                );
            }
        }
        rate
    }

    /// Changes the arrivals a second that are due without a fault, for a generator that ramps.
    pub fn set_base(&mut self, base: f64) {
        self.base = base;
    }

    /// Waits until the faults change: the gap to the next arrival may be another one then.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // The registry lives as long as this handle does.
            std::future::pending::<()>().await;
        }
    }

    /// Decides about one arrival, and counts it.
    ///
    /// A surge counts as injected the arrivals that would not have come without it.
    pub fn arrive(&self, route: &str, method: &str) -> Arrival {
        if self.registry.is_idle() {
            return Arrival::Send;
        }
        let request = Request {
            service: &self.service,
            route,
            method,
            sticky: None,
        };
        let (table, now) = self.registry.current();
        let mut arrival = Arrival::Send;
        for live in &table.faults {
            let armed = &live.armed;
            if !armed.body.kind().is_traffic() || !armed.body.scope.matches(&request) {
                continue;
            }
            let draw = armed.draw(live.evaluate(), None);
            match armed.body.fault {
                Fault::Drop(_) if arrival == Arrival::Send && armed.hits(&draw, now) => {
                    live.inject();
                    arrival = Arrival::Dropped;
                }
                Fault::Surge(surge) => {
                    let level = armed.body.level(now.saturating_sub(armed.since)).part();
                    if draw.unit(0) < surplus(self.base, surge.rate(self.base, level)) {
                        live.inject();
                    }
                }
                _ => {}
            }
        }
        arrival
    }
}

/// Returns the part of the arrivals that a changed rate is answerable for: of ten times the traffic
/// nine tenths; of less traffic every arrival, since each comes later than it would have.
fn surplus(base: f64, rate: f64) -> f64 {
    match () {
        () if rate > base => 1.0 - base / rate,
        () if rate < base => 1.0,
        () => 0.0,
    }
}
