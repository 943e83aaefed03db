//! Waiting and failing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tower::Service;

use super::{Injected, reply};
use crate::decide::{self, Verdict};
use crate::kinds::Fault;
use crate::registry::{Live, Registry};

/// What is going to happen to one request, with the faults that make it happen.
pub(super) struct Plan {
    waits: Vec<(Arc<Live>, Duration)>,
    failure: Option<Arc<Live>>,
}

impl Plan {
    /// Decides about a request; nothing when it passes. Counts what is evaluated and injected.
    pub(super) fn of(registry: &Registry, request: &decide::Request<'_>) -> Option<Self> {
        let (table, now) = registry.current();
        if table.spares(request.route) {
            return None;
        }
        let armed = table.faults.iter().map(|live| &live.armed);
        let verdict = decide::decide(armed, request, now, |by| table.faults[by].evaluate());
        let (waits, failure) = match verdict {
            Verdict::Pass => return None,
            Verdict::Delay(waits) => (waits, None),
            Verdict::Fail { after, by, .. } => (after, Some(Arc::clone(&table.faults[by]))),
        };
        let waits = waits
            .into_iter()
            .map(|wait| (Arc::clone(&table.faults[wait.by]), wait.time));
        let plan = Self {
            waits: waits.collect(),
            failure,
        };
        plan.faults().for_each(|live| live.inject());
        Some(plan)
    }

    fn faults(&self) -> impl Iterator<Item = &Arc<Live>> {
        self.waits.iter().map(|(live, _)| live).chain(&self.failure)
    }

    /// Waits, then fails the request or hands it on. A fault that ends stops acting at once.
    pub(super) async fn carry_out<S, Req, Res>(
        self,
        mut service: S,
        request: Request<Req>,
    ) -> Result<Response<Res>, S::Error>
    where
        S: Service<Request<Req>, Response = Response<Res>>,
        Res: From<Bytes>,
    {
        for (live, time) in &self.waits {
            tokio::select! {
                biased;
                () = live.wake.cancelled() => {}
                () = tokio::time::sleep(*time) => {}
            }
        }
        let failure = self.failure.as_ref().filter(|live| !live.has_ended());
        let mut response = match failure.map(|live| &live.armed.body.fault) {
            Some(Fault::Error(error)) => reply::error(error),
            _ => service.call(request).await?,
        };
        let acted = self.waits.iter().map(|(live, _)| live).chain(failure);
        let acted = acted.map(|live| live.armed.id.clone()).collect();
        response.extensions_mut().insert(Injected(acted));
        Ok(response)
    }
}
