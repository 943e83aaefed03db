//! Functions over windows against their definitions, written here a second time and plainly.
//!
//! Samples have uneven distances, resets, stale markers and odd values. Results must agree within
//! rounding; where a definition is a selection or a count, to the bit.

use promql::value::{Value, stale_nan};
use promql::{Engine, Labels, Query, Store};
use proptest::prelude::*;

/// One sample: seconds since the epoch, value.
type Sample = (f64, f64);

struct Window {
    samples: Vec<Sample>,
    start_s: f64,
    end_s: f64,
}

impl Window {
    fn values(&self) -> Vec<f64> {
        self.samples.iter().map(|(_, value)| *value).collect()
    }

    fn pairs(&self) -> impl Iterator<Item = (Sample, Sample)> + '_ {
        self.samples.windows(2).map(|pair| (pair[0], pair[1]))
    }
}

/// A function and what it is by definition.
struct Case {
    /// `W` stands for the range vector.
    expr: &'static str,
    define: fn(&Window) -> Option<f64>,
}

const CASES: [Case; 22] = [
    Case {
        expr: "count_over_time(W)",
        define: |w| some(w, |v| v.len() as f64),
    },
    Case {
        expr: "sum_over_time(W)",
        define: |w| some(w, |v| v.iter().sum()),
    },
    Case {
        expr: "avg_over_time(W)",
        define: |w| some(w, mean),
    },
    Case {
        expr: "min_over_time(W)",
        define: |w| some(w, |v| sorted(v)[0]),
    },
    Case {
        expr: "max_over_time(W)",
        define: |w| some(w, |v| sorted(v)[v.len() - 1]),
    },
    Case {
        expr: "last_over_time(W)",
        define: |w| some(w, |v| v[v.len() - 1]),
    },
    Case {
        expr: "present_over_time(W)",
        define: |w| some(w, |_| 1.0),
    },
    Case {
        expr: "stdvar_over_time(W)",
        define: |w| some(w, variance),
    },
    Case {
        expr: "stddev_over_time(W)",
        define: |w| some(w, |v| variance(v).sqrt()),
    },
    Case {
        expr: "quantile_over_time(0.3, W)",
        define: |w| some(w, |v| quantile(0.3, v)),
    },
    Case {
        expr: "quantile_over_time(1, W)",
        define: |w| some(w, |v| quantile(1.0, v)),
    },
    Case {
        expr: "mad_over_time(W)",
        define: |w| {
            some(w, |v| {
                let median = quantile(0.5, v);
                let distances: Vec<f64> = v.iter().map(|value| (value - median).abs()).collect();
                quantile(0.5, &distances)
            })
        },
    },
    Case {
        expr: "changes(W)",
        define: |w| some(w, |_| w.pairs().filter(|(a, b)| a.1 != b.1).count() as f64),
    },
    Case {
        expr: "resets(W)",
        define: |w| some(w, |_| w.pairs().filter(|(a, b)| b.1 < a.1).count() as f64),
    },
    Case {
        expr: "increase(W)",
        define: increase,
    },
    Case {
        expr: "rate(W)",
        define: |w| Some(increase(w)? / (w.end_s - w.start_s)),
    },
    Case {
        expr: "delta(W)",
        define: |w| {
            let change = w.samples.last()?.1 - w.samples.first()?.1;
            Some(change * extended(w, None)?)
        },
    },
    Case {
        expr: "irate(W)",
        define: |w| {
            let (a, b) = w.pairs().last()?;
            let change = if b.1 < a.1 { b.1 } else { b.1 - a.1 };
            Some(change / (b.0 - a.0))
        },
    },
    Case {
        expr: "idelta(W)",
        define: |w| w.pairs().last().map(|(a, b)| b.1 - a.1),
    },
    Case {
        expr: "deriv(W)",
        define: |w| line(w).map(|(slope, _)| slope),
    },
    Case {
        expr: "predict_linear(W, 60)",
        define: |w| line(w).map(|(slope, at_end)| at_end + slope * 60.0),
    },
    Case {
        expr: "double_exponential_smoothing(W, 0.3, 0.6)",
        define: smoothed,
    },
];

fn some(window: &Window, of: impl Fn(&[f64]) -> f64) -> Option<f64> {
    let values = window.values();
    (!values.is_empty()).then(|| of(&values))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / values.len() as f64
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// The value at the rank `q × (n − 1)`, between two ranks a share of both.
fn quantile(q: f64, values: &[f64]) -> f64 {
    let values = sorted(values);
    let rank = q * (values.len() - 1) as f64;
    let below = rank as usize;
    let above = (below + 1).min(values.len() - 1);
    let share = rank - below as f64;
    values[below] + (values[above] - values[below]) * share
}

/// What a counter gained: what it shows at last and all that it lost at resets, extended to the
/// edges, but not below zero.
fn increase(window: &Window) -> Option<f64> {
    let lost: f64 = window
        .pairs()
        .filter(|(a, b)| b.1 < a.1)
        .map(|(a, _)| a.1)
        .sum();
    let first = window.samples.first()?;
    let gained = window.samples.last()?.1 - first.1 + lost;
    Some(gained * extended(window, Some((first.1, gained)))?)
}

/// How much longer the samples are taken to reach, relative to the time between first and last. A
/// gap at an edge counts in full below 1.1 mean distances, else as half a distance. A counter, given
/// by its first value and its gain, cannot have begun below zero.
fn extended(window: &Window, counter: Option<(f64, f64)>) -> Option<f64> {
    if window.samples.len() < 2 {
        return None;
    }
    let first_s = window.samples.first()?.0;
    let last_s = window.samples.last()?.0;
    let length_s = last_s - first_s;
    let distance_s = length_s / (window.samples.len() - 1) as f64;
    let gap = |gap_s: f64| {
        if gap_s < distance_s * 1.1 {
            gap_s
        } else {
            distance_s / 2.0
        }
    };
    let mut before_s = gap(first_s - window.start_s);
    if let Some((first, gained)) = counter
        && gained > 0.0
        && first >= 0.0
    {
        before_s = before_s.min(length_s * first / gained);
    }
    let after_s = gap(window.end_s - last_s);
    Some((length_s + before_s + after_s) / length_s)
}

/// Slope of the least-squares line and its value at the end of the window.
fn line(window: &Window) -> Option<(f64, f64)> {
    if window.samples.len() < 2 {
        return None;
    }
    let times: Vec<f64> = window.samples.iter().map(|(t_s, _)| *t_s).collect();
    let values = window.values();
    let (time, value) = (mean(&times), mean(&values));
    let covariance: f64 = window
        .samples
        .iter()
        .map(|(t_s, v)| (t_s - time) * (v - value))
        .sum();
    let spread: f64 = times.iter().map(|t_s| (t_s - time).powi(2)).sum();
    let slope = covariance / spread;
    Some((slope, value + slope * (window.end_s - time)))
}

/// Holt's two recurrences: level from value and forecast, trend from the change of the level.
fn smoothed(window: &Window) -> Option<f64> {
    let values = window.values();
    let [first, second, ..] = values[..] else {
        return None;
    };
    let (mut level, mut trend) = (first, second - first);
    for value in &values[1..] {
        let next = 0.3 * value + 0.7 * (level + trend);
        trend = 0.6 * (next - level) + 0.4 * trend;
        level = next;
    }
    Some(level)
}

fn ask(store: &Store, expr: &str, range_s: i64, at_ms: i64) -> Option<f64> {
    let text = expr.replace('W', &format!("m_total[{range_s}s]"));
    let query = Query::parse_experimental(&text).unwrap();
    match Engine::default()
        .instant(store, &query, at_ms)
        .unwrap()
        .value
    {
        Value::Vector(points) => points.first().map(|point| point.sample.value),
        other => panic!("{text}: {other:?}"),
    }
}

fn close(got: Option<f64>, expected: Option<f64>, scale: f64) -> bool {
    match (got, expected) {
        (None, None) => true,
        (Some(got), Some(expected)) => (got - expected).abs() <= 1e-9 * scale.max(expected.abs()),
        _ => false,
    }
}

proptest! {
    #[test]
    fn functions_of_windows_are_what_their_definitions_say(
        steps in prop::collection::vec((1_i64..40_000, -1000_i32..1000, 0..12_u8), 1..60),
        counts in any::<bool>(),
        at_ms in 0_i64..1_200_000,
        range_s in 1_i64..600,
    ) {
        let labels = Labels::from_pairs([("__name__", "m_total")]);
        let mut store = Store::new(i64::MAX);
        let mut samples = Vec::new();
        let (mut t_ms, mut count) = (0, 0.0);
        for (gap_ms, value, what) in steps {
            t_ms += gap_ms;
            if what == 0 {
                store.append(&labels, t_ms, stale_nan()).unwrap();
                continue;
            }
            // Counters only grow, but for a reset now and then.
            count = if what == 1 { 0.0 } else { count + f64::from(value.abs()) / 8.0 };
            let value = if counts { count } else { f64::from(value) / 8.0 };
            samples.push((t_ms, value));
            store.append(&labels, t_ms, value).unwrap();
        }
        let start_ms = at_ms - range_s * 1000;
        let window = Window {
            samples: samples
                .iter()
                .filter(|(t_ms, _)| *t_ms > start_ms && *t_ms <= at_ms)
                .map(|(t_ms, value)| (*t_ms as f64 / 1000.0, *value))
                .collect(),
            start_s: start_ms as f64 / 1000.0,
            end_s: at_ms as f64 / 1000.0,
        };
        let largest = window.values().iter().fold(1.0, |most, v| v.abs().max(most));
        for case in &CASES {
            let expected = (case.define)(&window);
            let got = ask(&store, case.expr, range_s, at_ms);
            // A line through close samples reaches far; its error grows with it.
            let scale = match case.expr {
                "deriv(W)" | "predict_linear(W, 60)" => largest * 1e4,
                "stdvar_over_time(W)" => largest * largest,
                _ => largest,
            };
            prop_assert!(
                close(got, expected, scale),
                "{}: {got:?}, by definition {expected:?}, of {:?}",
                case.expr,
                window.samples
            );
        }
    }
}
