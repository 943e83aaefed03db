use std::time::{Duration, Instant};

use proptest::{prelude::*, proptest};

use super::{Breaker, BreakerPolicy, Change, Ended, Leave};

const POLICY: BreakerPolicy = BreakerPolicy {
    window: Duration::from_secs(1),
    least_calls: 4,
    failure_ratio: 0.5,
    open_for: Duration::from_millis(500),
    probes: 2,
};

/// The breaker as the rules tell it, with every call remembered.
struct Model {
    state: &'static str,
    since_ms: u64,
    stretch: usize,
    /// Time and failure of the calls that ended in this stretch.
    ended: Vec<(u64, bool)>,
    under_way: usize,
}

impl Model {
    fn turn(&mut self, state: &'static str, now_ms: u64) {
        *self = Self {
            state,
            since_ms: now_ms,
            stretch: self.stretch + 1,
            ended: Vec::new(),
            under_way: 0,
        };
    }

    fn ask(&mut self, now_ms: u64) -> Option<usize> {
        if self.state == "open" && now_ms >= self.since_ms + 500 {
            self.turn("half_open", now_ms);
        }
        let allowed = match self.state {
            "closed" => true,
            "open" => false,
            _ => self.under_way + self.ended.len() < POLICY.probes as usize,
        };
        self.under_way += usize::from(allowed);
        allowed.then_some(self.stretch)
    }

    fn tell(&mut self, stretch: usize, ended: Ended, now_ms: u64) {
        if stretch != self.stretch {
            return;
        }
        self.under_way -= 1;
        if ended == Ended::Abandoned {
            return;
        }
        self.ended.push((now_ms, ended == Ended::Failed));
        let slot = |ms: u64| (ms - self.since_ms) / 100;
        let lately = self
            .ended
            .iter()
            .filter(|(at, _)| slot(*at) + 10 > slot(now_ms));
        let (calls, failed) = lately.fold((0, 0), |(calls, failed), (_, bad)| {
            (calls + 1, failed + u64::from(*bad))
        });
        match self.state {
            "closed" if ended == Ended::Failed && calls >= 4 && failed * 2 >= calls => {
                self.turn("open", now_ms);
            }
            "half_open" if ended == Ended::Failed => self.turn("open", now_ms),
            "half_open" if self.ended.len() == POLICY.probes as usize => {
                self.turn("closed", now_ms);
            }
            _ => {}
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Ask,
    /// Ends one of the calls under way.
    Tell(usize, Ended),
}

fn step() -> impl Strategy<Value = Step> {
    let ended = prop_oneof![
        3 => Just(Ended::Failed),
        3 => Just(Ended::Succeeded),
        1 => Just(Ended::Abandoned),
    ];
    prop_oneof![
        1 => (0..700_u64).prop_map(Step::Wait),
        4 => Just(Step::Ask),
        4 => (0..8_usize, ended).prop_map(|(which, ended)| Step::Tell(which, ended)),
    ]
}

proptest! {
    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 1..300)) {
        let began = Instant::now();
        let mut now_ms = 0;
        let mut breaker = Breaker::new(POLICY, began);
        let mut model = Model {
            state: "closed",
            since_ms: 0,
            stretch: 0,
            ended: Vec::new(),
            under_way: 0,
        };
        let mut open: Vec<(Leave, usize)> = Vec::new();
        for step in steps {
            let now = began + Duration::from_millis(now_ms);
            match step {
                Step::Wait(ms) => now_ms += ms,
                Step::Ask => {
                    let leave = breaker.ask(now).0;
                    let expected = model.ask(now_ms);
                    prop_assert_eq!(leave.is_some(), expected.is_some());
                    open.extend(leave.zip(expected));
                }
                Step::Tell(which, ended) if which < open.len() => {
                    let (leave, stretch) = open.swap_remove(which);
                    breaker.tell(leave, ended, now);
                    model.tell(stretch, ended, now_ms);
                }
                Step::Tell(..) => {}
            }
            prop_assert_eq!(breaker.is_open(), model.state != "closed");
        }
    }
}

#[test]
fn it_opens_probes_and_closes() {
    let began = Instant::now();
    let at = |ms| began + Duration::from_millis(ms);
    let mut breaker = Breaker::new(POLICY, began);
    let mut changes = Vec::new();
    for _ in 0..4 {
        let leave = breaker.ask(at(0)).0.unwrap();
        changes.extend(breaker.tell(leave, Ended::Failed, at(0)));
    }
    assert!(breaker.ask(at(499)).0.is_none());
    let (first, change) = breaker.ask(at(500));
    changes.extend(change);
    let second = breaker.ask(at(500)).0.unwrap();
    assert!(breaker.ask(at(500)).0.is_none(), "two probes are under way");
    changes.extend(breaker.tell(first.unwrap(), Ended::Succeeded, at(510)));
    changes.extend(breaker.tell(second, Ended::Succeeded, at(520)));
    assert_eq!(
        changes,
        [Change::Opened, Change::HalfOpened, Change::Closed]
    );
    assert!(breaker.ask(at(530)).0.is_some() && !breaker.is_open());
}
