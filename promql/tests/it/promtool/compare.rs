//! Whether two answers are the same, and the comparison of many.

use std::ops::Range;
use std::time::Instant;

use promql::{Dialect, Engine, Labels, Options};

use super::ask::{Answer, Case, Promtool};
use super::generate::{Generator, SeriesLine};
use super::{load, ours};

/// Functions whose last digits depend on the order of additions, that cancel, or that Go computes
/// by other series than the C library: 1e-6 instead of 1e-9.
const LOOSE: [&str; 13] = [
    "stddev",
    "stdvar",
    "deriv",
    "predict_linear",
    "holt_winters",
    "double_exponential_smoothing",
    "sin(",
    "cos(",
    "tan(",
    "sinh(",
    "tanh(",
    "cosh(",
    "^",
];

/// Queries in one run of promtool.
const BATCH: usize = 600;
/// How often promtool is asked again about a query on which we differ. It loads series in random
/// order, so its sums and its choice between equal elements vary; an answer that it gives
/// sometimes is a right one.
const RETRIES: usize = 12;

/// Says whether two answers are the same but for rounding.
pub(super) fn agree(expr: &str, ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Answer::Error(_), Answer::Error(_)) => true,
        (Answer::Vector(ours), Answer::Vector(theirs)) => {
            same_elements(expr, ours, theirs) || (chooses(expr) && same_values(expr, ours, theirs))
        }
        _ => false,
    }
}

/// Says whether the last bit of an operand decides the whole result: the remainder or the sine of
/// what Go and the C library compute by different series. Only labels can be compared then.
fn is_chaotic(expr: &str) -> bool {
    let contains = |words: &[&str]| words.iter().any(|word| expr.contains(word));
    contains(&["%", "sin(", "cos(", "tan("])
        && contains(&["^", "exp(", "sinh(", "cosh(", "tan(", "tanh("])
}

/// Which of two equal elements is taken is nobody's promise, and the last digit of a logarithm is
/// not worth a label.
fn chooses(expr: &str) -> bool {
    ["topk", "bottomk", "count_values"]
        .iter()
        .any(|word| expr.contains(word))
}

fn same_elements(expr: &str, ours: &[(Labels, f64)], theirs: &[(Labels, f64)]) -> bool {
    let sorted = |vector: &[(Labels, f64)]| {
        let plain = |value: f64| if value.is_nan() { f64::NAN } else { value };
        let mut sorted: Vec<(Labels, f64)> = vector
            .iter()
            .map(|(labels, value)| (labels.clone(), plain(*value)))
            .collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1)));
        sorted
    };
    ours.len() == theirs.len()
        && sorted(ours)
            .iter()
            .zip(&sorted(theirs))
            .all(|((a, x), (b, y))| a == b && (is_chaotic(expr) || close(expr, *x, *y)))
}

fn same_values(expr: &str, ours: &[(Labels, f64)], theirs: &[(Labels, f64)]) -> bool {
    let values = |vector: &[(Labels, f64)]| {
        let mut values: Vec<f64> = vector.iter().map(|(_, value)| *value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (ours, theirs) = (values(ours), values(theirs));
    ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| close(expr, *a, *b))
}

fn close(expr: &str, a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let tolerance = if LOOSE.iter().any(|word| expr.contains(word)) {
        1e-6
    } else {
        1e-9
    };
    (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

/// What was compared so far.
#[derive(Default)]
struct Tally {
    asked: usize,
    errors: usize,
    empty: usize,
    /// Answers equal to the last bit.
    exact: usize,
    /// Answers that promtool gives only sometimes.
    wavering: usize,
    /// Queries over the sample limit of promtool, which is not ours.
    over_limit: usize,
    differences: Vec<String>,
}

/// Asks both about `queries` random queries and fails on any difference.
///
/// `OBS_TUI_DIFFERENTIAL` asks for more queries, with other seeds than those of every run.
pub(super) fn compare(promtool: &Promtool, experimental: &[&str], seeds: Range<u64>) {
    let begun = Instant::now();
    let seeds = match std::env::var("OBS_TUI_DIFFERENTIAL") {
        Ok(count) => {
            let count: usize = count.parse().unwrap();
            let first = 1_000_000 + seeds.start;
            first..first + count.div_ceil(BATCH) as u64
        }
        Err(_) => seeds,
    };
    let dialect = Dialect {
        profile: promtool.profile,
        experimental: !experimental.is_empty(),
    };
    let engine = Engine::new(Options {
        profile: promtool.profile,
        delayed_name_removal: experimental.contains(&"promql-delayed-name-removal"),
        ..Options::default()
    });
    let mut tally = Tally::default();
    for seed in seeds.clone() {
        compare_batch(promtool, experimental, &engine, dialect, seed, &mut tally);
    }
    let rate = |count: usize| 100.0 * count as f64 / tally.asked.max(1) as f64;
    println!(
        "{} queries (seeds {seeds:?}) against {} in {:.1} s: {:.1} % errors on both sides, {:.1} % \
         empty, {:.1} % equal to the last bit, {} waver in promtool, {} over its sample limit, {} \
         differ",
        tally.asked,
        promtool.version,
        begun.elapsed().as_secs_f64(),
        rate(tally.errors),
        rate(tally.empty),
        rate(tally.exact),
        tally.wavering,
        tally.over_limit,
        tally.differences.len(),
    );
    let shown: Vec<&str> = tally
        .differences
        .iter()
        .take(30)
        .map(String::as_str)
        .collect();
    if !promtool.is_exact {
        println!(
            "not one of the versions that are reproduced; differences:\n{}",
            shown.join("\n")
        );
        return;
    }
    assert!(
        tally.differences.is_empty(),
        "{} of {} differ:\n{}",
        tally.differences.len(),
        tally.asked,
        shown.join("\n")
    );
}

fn compare_batch(
    promtool: &Promtool,
    features: &[&str],
    engine: &Engine,
    dialect: Dialect,
    seed: u64,
    tally: &mut Tally,
) {
    let mut generator = Generator::new(seed, dialect);
    let lines = generator.series();
    let store = load(&lines);
    let cases = generator.cases(BATCH);
    let answers = promtool.ask(features, &lines, &cases);
    assert_eq!(answers.len(), cases.len(), "seed {seed}");
    let mut open: Vec<(&Case, Answer, Answer)> = Vec::new();
    for (case, theirs) in cases.iter().zip(answers) {
        let ours = ours(engine, dialect, &store, case);
        tally.asked += 1;
        if matches!(&theirs, Answer::Error(text) if text.contains("too many samples")) {
            tally.over_limit += 1;
            continue;
        }
        tally.count(&ours, &theirs);
        if !agree(&case.expr, &ours, &theirs) {
            open.push((case, ours, theirs));
        }
    }
    ask_again(promtool, features, &lines, &mut open, tally);
    tally
        .differences
        .extend(open.iter().map(|(case, ours, theirs)| {
            format!(
                "seed {seed}, {} at {} ms\n  ours:   {ours:?}\n  theirs: {theirs:?}",
                case.expr, case.t_ms
            )
        }));
}

/// Drops what promtool answers as we do in another run.
fn ask_again(
    promtool: &Promtool,
    features: &[&str],
    lines: &[SeriesLine],
    open: &mut Vec<(&Case, Answer, Answer)>,
    tally: &mut Tally,
) {
    for _ in 0..RETRIES {
        if open.is_empty() {
            return;
        }
        let mut cases: Vec<Case> = open.iter().map(|(case, ..)| (*case).clone()).collect();
        cases.push(Generator::last_case());
        let mut answers = promtool.ask(features, lines, &cases).into_iter();
        open.retain(|(case, ours, _)| {
            let settled = answers
                .next()
                .is_some_and(|theirs| agree(&case.expr, ours, &theirs));
            tally.wavering += usize::from(settled);
            !settled
        });
    }
}

impl Tally {
    fn count(&mut self, ours: &Answer, theirs: &Answer) {
        match (ours, theirs) {
            (Answer::Error(_), Answer::Error(_)) => self.errors += 1,
            (Answer::Vector(ours), Answer::Vector(theirs)) => {
                self.empty += usize::from(theirs.is_empty());
                let sorted = |vector: &[(Labels, f64)]| {
                    let mut bits: Vec<(Labels, u64)> = vector
                        .iter()
                        .map(|(labels, v)| {
                            let value = if v.is_nan() { f64::NAN } else { *v };
                            (labels.clone(), value.to_bits())
                        })
                        .collect();
                    bits.sort();
                    bits
                };
                self.exact += usize::from(sorted(ours) == sorted(theirs));
            }
            _ => {}
        }
    }
}
