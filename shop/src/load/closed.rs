//! The closed loop: a crowd of customers, each of whom comes back a while after its last visit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use fault::hooks::{Arrival, Traffic};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Load, Road,
    kind::{Crowd, Kind},
    measure::Came,
    think::ThinkTime,
    times::End,
    visit::{Plan, Visit},
};
use crate::draw::Draw;

/// How often the size of the crowd is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Shortest pause after a visit that failed or was dropped: without it a shop that refuses
/// connections at once would be asked by each customer as fast as the machine can.
const COOL_OFF: Duration = Duration::from_millis(100);

/// Longest time between two visits of a customer, also at a pace of 0.
const LONGEST_BEAT: Duration = Duration::from_hours(24);

/// Who is there.
struct Members {
    kinds: Crowd,
    known: Vec<Place>,
}

/// A place in the crowd and who has it.
struct Place {
    kind: Kind,
    /// Visits that were made from it.
    visits: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

/// What a customer of the crowd needs.
#[derive(Clone)]
struct Customer {
    road: Arc<Road>,
    traffic: Traffic,
    plan: Plan,
    think: ThinkTime,
    pace: Option<f64>,
    wanted: watch::Receiver<usize>,
    stop: CancellationToken,
    index: u32,
    kind: Kind,
    visits: Arc<AtomicU32>,
}

impl Load {
    /// Keeps a crowd of the schedule's size until its end or `stop`.
    pub(super) async fn crowd(
        &self,
        began: Instant,
        stop: &CancellationToken,
        under_way: &TaskTracker,
    ) {
        let schedule = &self.config.schedule;
        let mut traffic = self.traffic.clone();
        let (size, wanted) = watch::channel(0);
        let over = stop.child_token();
        let _over = over.clone().drop_guard();
        let mut members = Members {
            kinds: self.config.plan.mix.crowd(),
            known: Vec::new(),
        };
        self.measures.rate(schedule.pace().unwrap_or(0.0));
        loop {
            let now = began.elapsed().as_secs_f64();
            if now >= schedule.end() || stop.is_cancelled() {
                return;
            }
            traffic.set_base(schedule.level(now));
            let most = self.config.max_in_flight;
            let users = (traffic.rate().round() as usize).min(most);
            self.measures.users(users);
            size.send_replace(users);
            members.fill(users, under_way, |index, kind, visits| Customer {
                road: Arc::clone(&self.road),
                traffic: traffic.clone(),
                plan: self.config.plan,
                think: self.config.think,
                pace: schedule.pace(),
                wanted: wanted.clone(),
                stop: over.clone(),
                index,
                kind,
                visits,
            });
            let left = Duration::try_from_secs_f64(schedule.end() - now).unwrap_or(LOOK_AGAIN);
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN.min(left)) => {}
                () = traffic.changed() => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

impl Members {
    /// Brings in whoever is wanted and not there; a place has at most one customer at a time.
    fn fill(
        &mut self,
        users: usize,
        under_way: &TaskTracker,
        customer: impl Fn(u32, Kind, Arc<AtomicU32>) -> Customer,
    ) {
        for at in 0..users {
            let come = |kind, visits: &Arc<AtomicU32>| {
                under_way.spawn(customer(at as u32, kind, Arc::clone(visits)).come_and_go())
            };
            match self.known.get_mut(at) {
                Some(place) if !place.task.is_finished() => {}
                Some(place) => place.task = come(place.kind, &place.visits),
                None => {
                    let (kind, visits) = (self.kinds.next(), Arc::default());
                    let task = come(kind, &visits);
                    self.known.push(Place { kind, visits, task });
                }
            }
        }
    }
}

impl Customer {
    /// Visits again and again until there are fewer customers than this one's place.
    async fn come_and_go(mut self) {
        // Whoever has the place anew goes on where the one before it left.
        let before = u64::from(self.visits.load(Ordering::Relaxed));
        let place = u64::from(self.index) | before << 32;
        let mut lots = Draw::new(self.plan.seed ^ 0x0074_6869_6e6b, place);
        // Not all at once: the first visit comes somewhere within the first pause.
        let first = self.think.pick(&mut lots).mul_f64(lots.unit());
        let first = self.beat().map_or(first, |beat| beat.mul_f64(lots.unit()));
        let mut due = Instant::now() + first;
        while self.wait_until(due).await {
            let k = self.visits.fetch_add(1, Ordering::Relaxed);
            let visit = Visit::of_customer(&self.plan, self.index, k, self.kind);
            let held_up = self.visit(&visit, due).await;
            let now = Instant::now();
            due = match self.beat() {
                Some(beat) => due + beat,
                None => now + self.think.pick(&mut lots),
            };
            if held_up {
                due = due.max(now + COOL_OFF);
            }
        }
    }

    /// Makes one visit; says whether nothing came of it.
    async fn visit(&self, visit: &Visit, due: Instant) -> bool {
        let (method, route) = visit.journey.aim();
        let measures = &self.road.measures;
        if self.traffic.arrive(route, method) == Arrival::Dropped {
            measures.came(visit.journey, Came::Dropped);
            return true;
        }
        measures.came(visit.journey, Came::Sent);
        // Without a pace nobody was due before it came.
        let due = if self.pace.is_some() {
            due
        } else {
            Instant::now()
        };
        self.road.walk(visit, due).await == End::Failed
    }

    /// Returns the time between two visits of one customer, when all together keep a pace.
    fn beat(&self) -> Option<Duration> {
        let users = (*self.wanted.borrow()).max(1) as f64;
        let beat = Duration::try_from_secs_f64(users / self.pace?);
        Some(beat.map_or(LONGEST_BEAT, |beat| beat.min(LONGEST_BEAT)))
    }

    /// Waits; says whether the customer is still wanted then.
    async fn wait_until(&mut self, due: Instant) -> bool {
        let place = self.index as usize;
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            _ = self.wanted.wait_for(|wanted| *wanted <= place) => false,
            () = tokio::time::sleep_until(due.into()) => true,
        }
    }
}
