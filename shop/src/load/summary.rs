//! What a run of the generator came to, as text and as JSON.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::{
    kind::{Journey, Kind},
    times::End,
};

/// How long journeys took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// The median.
    pub p50: Duration,
    /// Nine of ten took at most this.
    pub p90: Duration,
    /// 95 of 100 took at most this.
    pub p95: Duration,
    /// 99 of 100 took at most this.
    pub p99: Duration,
    /// 999 of 1,000 took at most this.
    pub p999: Duration,
    /// The longest.
    pub max: Duration,
}

impl Percentiles {
    fn all(&self) -> [(&'static str, Duration); 6] {
        [
            ("p50", self.p50),
            ("p90", self.p90),
            ("p95", self.p95),
            ("p99", self.p99),
            ("p999", self.p999),
            ("max", self.max),
        ]
    }

    fn json(&self) -> Value {
        let all = self
            .all()
            .map(|(name, time)| (name.to_owned(), json!(ms(time))));
        Value::Object(Map::from_iter(all))
    }
}

/// What some journeys came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Customers sent on their way.
    pub sent: u64,
    /// Customers for whom there was no place.
    pub shed: u64,
    /// Customers a fault dropped.
    pub dropped: u64,
    /// Journeys that got what they came for.
    pub completed: u64,
    /// Journeys the shop refused.
    pub refused: u64,
    /// Journeys that failed.
    pub failed: u64,
    /// From when the customer was due, without its own pauses.
    pub corrected: Percentiles,
    /// From when it was sent, without its own pauses.
    pub service: Percentiles,
}

impl Tally {
    pub(super) fn count(&mut self, end: End) {
        match end {
            End::Completed => self.completed += 1,
            End::Refused => self.refused += 1,
            End::Failed => self.failed += 1,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.shed += other.shed;
        self.dropped += other.dropped;
        self.completed += other.completed;
        self.refused += other.refused;
        self.failed += other.failed;
    }

    /// Returns how many journeys ended.
    pub fn ended(&self) -> u64 {
        self.completed + self.refused + self.failed
    }

    /// Returns the share of journeys that failed or never ended; 0 when none was sent.
    pub fn failed_share(&self) -> f64 {
        let unfinished = self.sent.saturating_sub(self.ended());
        (self.failed + unfinished) as f64 / self.sent.max(1) as f64
    }

    fn json(&self) -> Value {
        json!({
            "sent": self.sent,
            "completed": self.completed,
            "refused": self.refused,
            "failed": self.failed,
            "shed": self.shed,
            "dropped": self.dropped,
            "corrected_ms": self.corrected.json(),
            "service_ms": self.service.json(),
        })
    }
}

/// Requests by what came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Answers below 400.
    pub ok: u64,
    /// Answers of 4xx.
    pub client_errors: u64,
    /// Answers of 5xx.
    pub server_errors: u64,
    /// No answer in time, or none at all.
    pub unanswered: u64,
}

impl Requests {
    /// Returns how many there were.
    pub fn total(&self) -> u64 {
        self.ok + self.client_errors + self.server_errors + self.unanswered
    }
}

/// What a run of the generator came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How long it ran, with what was under way at the end.
    pub lasted: Duration,
    /// Whether customers came back only after their last visit (closed loop).
    pub closed: bool,
    /// Everything together.
    pub total: Tally,
    /// By kind of customer, those that came.
    pub kinds: Vec<(Kind, Tally)>,
    /// By journey, those that were made.
    pub journeys: Vec<(Journey, Tally)>,
    /// By what came back.
    pub requests: Requests,
}

impl Summary {
    /// Returns one JSON document: times in milliseconds.
    pub fn json(&self) -> Value {
        let kinds = self.kinds.iter().map(|(kind, tally)| (kind.name(), tally));
        let journeys = self
            .journeys
            .iter()
            .map(|(journey, tally)| (journey.name(), tally));
        let mut document = json!({
            "loop": if self.closed { "closed" } else { "open" },
            "lasted_seconds": self.lasted.as_secs_f64(),
            "requests": {
                "total": self.requests.total(),
                "ok": self.requests.ok,
                "client_errors": self.requests.client_errors,
                "server_errors": self.requests.server_errors,
                "unanswered": self.requests.unanswered,
            },
            "total": self.total.json(),
        });
        document["kinds"] = by_name(kinds);
        document["journeys"] = by_name(journeys);
        document
    }

    /// Returns the totals, a line for each part of their sentence, and a table with a line for each
    /// journey.
    pub fn table(&self) -> String {
        let mut text = self.to_string().replace("; ", "\n") + "\n\n";
        let [journey, sent, completed, refused, failed] =
            ["journey", "sent", "completed", "refused", "failed"];
        let _ = write!(
            text,
            "{journey:<12}{sent:>9}{completed:>10}{refused:>9}{failed:>8}"
        );
        for times in ["since due", "service"] {
            let _ = write!(
                text,
                "   {:<39}",
                format!("{times} p50, p95, p99, max in ms")
            );
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        let named = self
            .journeys
            .iter()
            .map(|(journey, tally)| (journey.name(), tally));
        for (name, tally) in named.chain([("total", &self.total)]) {
            line(&mut text, name, tally);
        }
        text
    }
}

fn by_name<'a>(tallies: impl Iterator<Item = (&'static str, &'a Tally)>) -> Value {
    let named = tallies.map(|(name, tally)| (name.to_owned(), tally.json()));
    Value::Object(named.collect())
}

fn line(text: &mut String, name: &str, tally: &Tally) {
    let Tally {
        sent,
        completed,
        refused,
        failed,
        ..
    } = tally;
    let times = |p: &Percentiles| {
        let [p50, p95, p99, max] = [p.p50, p.p95, p.p99, p.max].map(ms);
        format!("{p50:>9.1}{p95:>10.1}{p99:>10.1}{max:>10.1}")
    };
    let _ = writeln!(
        text,
        "{name:<12}{sent:>9}{completed:>10}{refused:>9}{failed:>8}{}   {}",
        times(&tally.corrected),
        times(&tally.service),
    );
}

/// Whole microseconds in milliseconds, so that they are written without a tail of digits.
fn ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            sent,
            shed,
            dropped,
            completed,
            refused,
            failed,
            corrected,
            ..
        } = &self.total;
        let lasted = self.lasted.as_secs_f64();
        write!(
            f,
            "{sent} journeys in {lasted:.1} s: {completed} completed, {refused} refused, \
             {failed} failed, {} unfinished; {shed} shed, {dropped} dropped",
            sent.saturating_sub(self.total.ended()),
        )?;
        for (name, time) in corrected.all() {
            write!(
                f,
                "{}{name} {:.1} ms",
                if name == "p50" { "; " } else { ", " },
                ms(time)
            )?;
        }
        let requests = self.requests;
        write!(
            f,
            "; {} requests: {} ok, {} 4xx, {} 5xx, {} unanswered",
            requests.total(),
            requests.ok,
            requests.client_errors,
            requests.server_errors,
            requests.unanswered,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Journey, Kind, Percentiles, Requests, Summary, Tally};

    fn summary() -> Summary {
        let tally = Tally {
            sent: 10,
            completed: 7,
            refused: 1,
            failed: 1,
            corrected: Percentiles {
                p50: Duration::from_micros(4_200),
                max: Duration::from_secs(2),
                ..Percentiles::default()
            },
            ..Tally::default()
        };
        Summary {
            lasted: Duration::from_secs(5),
            closed: false,
            total: tally,
            kinds: vec![(Kind::Browsers, tally)],
            journeys: vec![(Journey::View, tally)],
            requests: Requests {
                ok: 8,
                client_errors: 1,
                ..Requests::default()
            },
        }
    }

    #[test]
    fn the_sentence_and_the_table_say_the_same() {
        let sentence = summary().to_string();
        for expect in [
            "7 completed, 1 refused, 1 failed, 1 unfinished; 0 shed",
            "; p50 4.2 ms, p90",
            "; 9 requests: 8 ok, 1 4xx",
        ] {
            assert!(sentence.contains(expect), "{sentence}");
        }
        let text = summary().table();
        assert!(
            text.starts_with("10 journeys in 5.0 s: 7 completed"),
            "{text}"
        );
        let view = text.lines().find(|line| line.starts_with("view")).unwrap();
        assert!(view.contains("4.2") && view.contains("2000.0"), "{view}");
        assert_eq!(text.lines().count(), 8, "{text}");
    }

    #[test]
    fn the_document_has_every_kind_and_journey_that_came() {
        let document = summary().json();
        assert_eq!(document["loop"], "open");
        assert_eq!(document["kinds"]["browsers"]["failed"], 1);
        assert_eq!(document["journeys"]["view"]["corrected_ms"]["p50"], 4.2);
        assert_eq!(document["requests"]["total"], 9);
        assert_eq!(document["total"]["service_ms"]["p999"], 0.0);
    }
}
