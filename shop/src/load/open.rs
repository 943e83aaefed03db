//! The open loop: customers come when they come, whatever the shop answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fault::hooks::{Arrival, Traffic};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Load,
    arrivals::Arrivals,
    measure::Came,
    times::{End, Took},
    visit::Visit,
};

/// How often the rate is looked at while it ramps.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Load {
    /// Sends customers at the rate of the schedule until its end or `stop`.
    pub(super) async fn arrive(
        &self,
        began: Instant,
        stop: &CancellationToken,
        under_way: &TaskTracker,
    ) {
        let schedule = &self.config.schedule;
        let mut traffic = self.traffic.clone();
        let mut arrivals = Arrivals::new(self.config.plan.seed, self.config.spacing);
        let places = Arc::new(Semaphore::new(self.config.max_in_flight));
        let end = schedule.end();
        let mut n = 0;
        let mut at = 0.0;
        while at < end && !stop.is_cancelled() {
            let now = began.elapsed().as_secs_f64().min(end);
            traffic.set_base(schedule.mean(at, now));
            let rate = traffic.rate();
            self.measures.rate(rate);
            while let Some(due) = arrivals.until(at, now, rate) {
                at = due;
                let due = began + Duration::from_secs_f64(due);
                let visit = Visit::nth(&self.config.plan, n);
                self.admit(visit, due, &traffic, &places, under_way);
                n += 1;
            }
            at = now;
            let wait = Duration::from_secs_f64(arrivals.gap(rate).min(end - at).clamp(0.0, 1.0));
            tokio::select! {
                () = tokio::time::sleep(wait.min(LOOK_AGAIN)) => {}
                () = traffic.changed() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Sends one customer on the way, unless a fault drops it or too many are under way.
    fn admit(
        &self,
        visit: Visit,
        due: Instant,
        traffic: &Traffic,
        places: &Arc<Semaphore>,
        under_way: &TaskTracker,
    ) {
        let (method, route) = visit.journey.aim();
        if traffic.arrive(route, method) == Arrival::Dropped {
            self.measures.came(visit.journey, Came::Dropped);
            return;
        }
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            self.measures.came(visit.journey, Came::Shed);
            return;
        };
        self.measures.came(visit.journey, Came::Sent);
        let road = self.road.clone();
        under_way.spawn(async move {
            road.walk(&visit, due).await;
            drop(place);
        });
    }
}

impl super::Road {
    /// Walks through a visit and measures it, from when its customer was due.
    pub(super) async fn walk(&self, visit: &Visit, due: Instant) -> End {
        let _under_way = self.measures.under_way();
        let sent = Instant::now();
        let walked = self.walker.walk(visit).await;
        let took = Took {
            since_due: due.elapsed().saturating_sub(walked.thought),
            service: sent.elapsed().saturating_sub(walked.thought),
            thought: walked.thought,
        };
        self.measures.ended(visit.journey, walked.end, took);
        walked.end
    }
}
