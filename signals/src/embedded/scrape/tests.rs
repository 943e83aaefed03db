//! Scrapes in virtual time: what is in the store after each.

use promql::value::is_stale;

use super::*;

/// A target and its store; a scrape comes every second.
struct Lab {
    store: Store,
    exemplars: Exemplars,
    target: TargetState,
    t_ms: i64,
}

impl Lab {
    fn new() -> Self {
        Self {
            store: Store::new(3_600_000),
            exemplars: Exemplars::default(),
            target: TargetState::new(&TargetSpec {
                job: "shop".to_owned(),
                instance: "one".to_owned(),
                url: "http://one/metrics".to_owned(),
            }),
            t_ms: 1_000_000,
        }
    }

    fn scrape(&mut self, body: Result<&str, &str>) -> &mut Self {
        self.t_ms += 1_000;
        let scraped = Scraped {
            body: body
                .map(|text| (Format::Text, text.to_owned()))
                .map_err(str::to_owned),
            parser: Parser::Strict,
            seconds: 0.25,
        };
        self.target.commit(
            &mut self.store,
            &mut self.exemplars,
            self.t_ms,
            &scraped.read(),
        );
        self
    }

    /// Checks the newest sample of series, "stale" for a marker; its time is that of the scrape.
    fn expect(&mut self, pairs: &[(&str, &str)]) -> &mut Self {
        for (name, value) in pairs {
            let found = self.newest(name).map(|(t_ms, value)| {
                assert_eq!(t_ms, self.t_ms, "{name}");
                value
            });
            assert_eq!(found.as_deref(), Some(*value), "{name} at {}", self.t_ms);
        }
        self
    }

    fn newest(&self, name: &str) -> Option<(i64, String)> {
        let labels =
            Labels::from_pairs([(METRIC_NAME, name), ("job", "shop"), ("instance", "one")]);
        let sample = self.store.last(&labels)?;
        let text = if is_stale(sample.value) {
            "stale".to_owned()
        } else {
            sample.value.to_string()
        };
        Some((sample.t_ms, text))
    }
}

const REPORTED: [(&str, &str); 4] = [
    ("up", "1"),
    ("scrape_duration_seconds", "0.25"),
    ("scrape_samples_scraped", "2"),
    ("scrape_samples_post_metric_relabeling", "2"),
];

#[test]
fn a_good_scrape_reports_about_itself() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a 1\nb 2\n"))
        .expect(&[("a", "1"), ("b", "2"), ("scrape_series_added", "2")])
        .expect(&REPORTED);
    lab.scrape(Ok("a 5\nb 2\n"))
        .expect(&[("a", "5"), ("scrape_series_added", "0")]);
}

#[test]
fn the_order_of_a_text_does_not_matter() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a 1\nb 2\nc 3\n"));
    lab.scrape(Ok("c 6\na 4\nd 7\nb 5\n"))
        .expect(&[("a", "4"), ("b", "5"), ("c", "6"), ("d", "7")])
        .expect(&[("scrape_series_added", "1")]);
    lab.scrape(Ok("d 9\nb 8\n"))
        .expect(&[("a", "stale"), ("b", "8"), ("c", "stale"), ("d", "9")]);
    lab.scrape(Ok("a 1\nd 3\nb 2\n"))
        .expect(&[("a", "1"), ("b", "2"), ("d", "3")])
        .expect(&[("scrape_series_added", "1")]);
}

#[test]
fn a_vanished_series_ends_once() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a 1\nb 2\n")).scrape(Ok("a 1\n"));
    lab.expect(&[("a", "1"), ("b", "stale"), ("up", "1")]);
    let ended = lab.t_ms;
    lab.scrape(Ok("a 1\n"));
    assert_eq!(lab.newest("b"), Some((ended, "stale".to_owned())));
    lab.scrape(Ok("a 1\nb 3\n"))
        .expect(&[("b", "3"), ("scrape_series_added", "1")]);
}

#[test]
fn a_failed_scrape_ends_everything_but_the_report() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a 1\nb 2\n")).scrape(Err("refused"));
    lab.expect(&[("a", "stale"), ("b", "stale"), ("up", "0")])
        .expect(&[
            ("scrape_samples_scraped", "0"),
            ("scrape_duration_seconds", "0.25"),
        ]);
    assert_eq!(lab.target.health, Health::Err("refused".to_owned()));
    // The series are known again afterwards, as in Prometheus.
    lab.scrape(Err("refused"));
    lab.scrape(Ok("a 1\nb 2\n"))
        .expect(&[("a", "1"), ("up", "1"), ("scrape_series_added", "0")]);
}

#[test]
fn half_an_exposition_is_none() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a 1\nb 1\n")).scrape(Ok("a 2\n<html>\n"));
    lab.expect(&[("b", "stale"), ("up", "0"), ("scrape_samples_scraped", "1")]);
    let Health::Err(reason) = &lab.target.health else {
        panic!("healthy")
    };
    assert_eq!(reason, "line 2, column 1: a metric name expected");
    // What stood before the mistake was seen: no sample, but no end either.
    let seen = Some((lab.t_ms - 1_000, "1".to_owned()));
    assert_eq!(lab.newest("a"), seen);
    lab.scrape(Ok("a 2\n<html>\n"));
    assert_eq!(lab.newest("a"), Some((lab.t_ms - 2_000, "1".to_owned())));
    lab.scrape(Err("refused")).expect(&[("a", "stale")]);
}

#[test]
fn scrapes_that_fail_do_not_grow_what_is_known() {
    let mut lab = Lab::new();
    for scrape in 0..30 {
        let names: Vec<String> = (0..100).map(|n| format!("a{scrape}_{n} 1\n")).collect();
        lab.scrape(Ok(&(names.concat() + "<html>\n")));
        assert!(lab.target.known.len() <= known::UNSEEN_LIMIT + 100);
    }
}

#[test]
fn a_target_may_speak_for_itself() {
    let mut lab = Lab::new();
    lab.scrape(Ok("up 7\n")).expect(&[("up", "7")]);
}

#[test]
fn samples_with_a_time_of_their_own_are_exempt() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a 1 900000\n"));
    assert_eq!(lab.newest("a"), Some((900_000, "1".to_owned())));
    lab.scrape(Err("refused"));
    assert_eq!(lab.newest("a"), Some((900_000, "1".to_owned())));
    lab.scrape(Ok("far 1 9000000\n"));
    assert_eq!(
        lab.newest("far"),
        None,
        "a time far in the future is left out"
    );
}

#[test]
fn an_exemplar_from_the_future_keeps_no_other_out() {
    let mut lab = Lab::new();
    for t_s in ["9000", "1001"] {
        let body =
            format!("# TYPE a counter\na_total 1 # {{trace_id=\"t{t_s}\"}} 1 {t_s}\n# EOF\n");
        lab.t_ms += 1_000;
        let scraped = Scraped {
            body: Ok((Format::OpenMetrics, body)),
            parser: Parser::Strict,
            seconds: 0.25,
        };
        let reading = scraped.read();
        lab.target
            .commit(&mut lab.store, &mut lab.exemplars, lab.t_ms, &reading);
    }
    let query = promql::Query::parse("a_total").unwrap();
    let range = crate::source::Range {
        start_ms: 0,
        end_ms: i64::MAX,
        step_ms: 1_000,
    };
    let kept = lab.exemplars.select(&query, range);
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].t_ms, 1_001_000);
}

#[test]
fn the_first_of_two_samples_counts() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a 1\na{} 2\na 3\n")).expect(&[
        ("a", "1"),
        ("up", "1"),
        ("scrape_samples_scraped", "3"),
    ]);
    lab.scrape(Ok("a{} 4\n")).expect(&[("a", "4")]);
}

#[test]
fn labels_that_clash_are_kept_under_another_name() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a{job=\"x\",exported_job=\"y\",instance=\"\"} 1\n"));
    let labels = Labels::from_pairs([
        (METRIC_NAME, "a"),
        ("job", "shop"),
        ("instance", "one"),
        ("exported_job", "y"),
        ("exported_exported_job", "x"),
    ]);
    assert!(lab.store.last(&labels).is_some());
}

#[test]
fn a_removed_target_ends_with_its_report() {
    let mut lab = Lab::new();
    lab.scrape(Ok("a 1\n"));
    let Lab {
        mut store,
        target,
        t_ms,
        ..
    } = lab;
    target.end(&mut store, t_ms);
    for name in ["a", "up", "scrape_duration_seconds"] {
        let labels =
            Labels::from_pairs([(METRIC_NAME, name), ("job", "shop"), ("instance", "one")]);
        let last = store.last(&labels).unwrap();
        assert!(is_stale(last.value) && last.t_ms == t_ms + 1, "{name}");
    }
}
