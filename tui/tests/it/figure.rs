//! The static plot of `obs-tui query`: as text in every circumstance it can meet.

use jiff::tz::TimeZone;
use promql::labels::Labels;
use promql::value::{Sample, Series};
use signals::source::Range;
use tui::dashboard::{Palette, Theme, Unit};
use tui::figure::{Figure, SERIES_LIMIT};

const START_MS: i64 = 1_750_000_000_000;
const STEP_MS: i64 = 2_000;
const STEPS: i64 = 130;

fn series(labels: &[(&str, &str)], value: impl Fn(f64) -> Option<f64>) -> Series {
    let samples = (0..=STEPS).filter_map(|step| {
        Some(Sample {
            t_ms: START_MS + step * STEP_MS,
            value: value(step as f64)?,
        })
    });
    Series {
        labels: Labels::from_pairs(labels.iter().copied()),
        samples: samples.collect(),
    }
}

/// Requests by status: a wave, a line that comes late, and one that breaks off.
fn requests() -> Vec<Series> {
    let of = |status, value: fn(f64) -> Option<f64>| {
        let labels = [("job", "shop"), ("method", "GET"), ("status", status)];
        series(&labels, value)
    };
    vec![
        of("200", |x| Some(60.0 + 20.0 * (x / 12.0).sin())),
        of("404", |x| (x > 40.0).then_some(x / 8.0)),
        of("503", |x| (!(60.0..100.0).contains(&x)).then_some(31.0)),
    ]
}

struct Scene<'a> {
    title: &'a str,
    series: Vec<Series>,
    unit: Unit,
    width: u16,
    theme: Theme,
}

impl Scene<'_> {
    fn text(&self) -> String {
        Figure {
            title: self.title,
            series: &self.series,
            range: Range {
                start_ms: START_MS,
                end_ms: START_MS + STEPS * STEP_MS,
                step_ms: STEP_MS,
            },
            unit: self.unit,
            width: self.width,
            rows: 12,
            theme: &self.theme,
            zone: &TimeZone::UTC,
        }
        .text()
    }
}

fn scene(series: Vec<Series>) -> Scene<'static> {
    Scene {
        title: "sum by (status) (rate(http_requests_total[10s]))",
        series,
        unit: Unit::PerSecond,
        width: 80,
        theme: Theme::new(Palette::Mono, false),
    }
}

#[test]
fn several_series() {
    insta::assert_snapshot!(scene(requests()).text());
}

#[test]
fn several_series_in_ascii() {
    let mut scene = scene(requests());
    scene.theme = Theme::new(Palette::Mono, true);
    scene.series[0].labels = Labels::from_pairs([("job", "shop"), ("status", "größer")]);
    let text = scene.text();
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_narrow_terminal() {
    let mut scene = scene(requests());
    scene.width = 40;
    insta::assert_snapshot!(scene.text());
}

#[test]
fn colours_on_a_terminal_only() {
    let mut scene = scene(requests());
    assert!(!scene.text().contains('\x1b'));
    scene.theme = Theme::new(Palette::Ansi16, false);
    insta::assert_snapshot!(scene.text().replace('\x1b', "␛"));
}

#[test]
fn one_series_far_from_zero() {
    let bytes = |x: f64| Some(104_857_600.0 + 4096.0 * x);
    let mut scene = scene(vec![series(
        &[
            ("__name__", "process_resident_memory_bytes"),
            ("job", "shop"),
        ],
        bytes,
    )]);
    scene.title = "process_resident_memory_bytes";
    scene.unit = Unit::Bytes;
    insta::assert_snapshot!(scene.text());
}

#[test]
fn values_that_are_no_numbers() {
    let strange = |x: f64| {
        Some(match x as i64 % 50 {
            0..10 => f64::NAN,
            10..20 => f64::INFINITY,
            20..30 => f64::NEG_INFINITY,
            _ => x,
        })
    };
    let nothing = |_| Some(f64::NAN);
    let mut scene = scene(vec![
        series(&[("id", "mixed")], strange),
        series(&[("id", "nan")], nothing),
    ]);
    scene.title = "a / b";
    scene.unit = Unit::Plain;
    insta::assert_snapshot!(scene.text());
}

#[test]
fn every_size_and_number_of_series_draws() {
    for count in [0, 1, 2, 7, 26, 40] {
        let many: Vec<Series> = (0..count)
            .map(|n| {
                let id = n.to_string();
                series(&[("id", id.as_str())], |x| Some(x * f64::from(n)))
            })
            .collect();
        for width in [0, 1, 7, 30, 79, 300] {
            let mut scene = scene(many.clone());
            scene.width = width;
            let text = scene.text();
            for line in text.lines() {
                let wide = line.chars().count();
                assert!(wide <= usize::from(width), "{wide} in {width}:\n{text}");
            }
            let shown = (count as usize).min(SERIES_LIMIT);
            assert_eq!(text.lines().count(), 2 + 12 + 2 + 1 + shown);
        }
    }
}
