//! The column against a plain list.

use proptest::prelude::*;

use super::times::LATEST;
use super::*;
use crate::value::STALE_NAN_BITS;

/// What a column should hold.
#[derive(Debug, Default)]
struct Model(Vec<(i64, u64)>);

impl Model {
    fn at(&self, t_ms: i64) -> Option<(i64, u64)> {
        self.0.iter().rev().find(|sample| sample.0 <= t_ms).copied()
    }

    fn samples(&self, after_ms: i64, until_ms: i64, with_stale: bool) -> Vec<(i64, u64)> {
        let inside = |(t_ms, bits): &&(i64, u64)| {
            *t_ms > after_ms && *t_ms <= until_ms && (with_stale || *bits != STALE_NAN_BITS)
        };
        self.0.iter().filter(inside).copied().collect()
    }
}

fn pairs((times_ms, values): (&[i64], &[f64])) -> Vec<(i64, u64)> {
    assert_eq!(times_ms.len(), values.len());
    let bits = values.iter().map(|value| value.to_bits());
    times_ms.iter().copied().zip(bits).collect()
}

#[derive(Debug, Clone)]
enum Op {
    Push(u64, u64),
    DropBefore(f64),
    Read(f64, f64),
}

/// Values of one kind, so that every encoding is met, with a few of all kinds in between.
fn value_bits() -> impl Strategy<Value = Vec<u64>> {
    let nasty = prop::sample::select(vec![
        STALE_NAN_BITS,
        f64::NAN.to_bits(),
        0x7ff8_0000_0000_0001,
        0xfff8_dead_beef_0001,
        f64::INFINITY.to_bits(),
        f64::NEG_INFINITY.to_bits(),
        (-0.0_f64).to_bits(),
        0,
        1,
        f64::MIN_POSITIVE.to_bits() - 1,
        f64::MAX.to_bits(),
        f64::MIN.to_bits(),
        9_007_199_254_740_992_f64.to_bits(),
        (-9_007_199_254_740_992_f64).to_bits(),
        9_007_199_254_740_991_f64.to_bits(),
        9_007_199_254_740_994_f64.to_bits(),
        1e22_f64.to_bits(),
        1e-7_f64.to_bits(),
        (0.1_f64 + 0.2).to_bits(),
    ]);
    let kind = prop_oneof![
        Just(0_u8),
        Just(1),
        Just(2),
        Just(3),
        Just(4),
        Just(5),
        Just(6)
    ];
    (kind, 0_u8..40, any::<u64>()).prop_flat_map(move |(kind, share, seed)| {
        let main = match kind {
            0 => any::<u64>().boxed(),
            1 => (-500_i64..500).prop_map(|n| (n as f64).to_bits()).boxed(),
            2 => (-99_999_i64..99_999)
                .prop_map(|n| (n as f64 / 1000.0).to_bits())
                .boxed(),
            3 => any::<f64>().prop_map(f64::to_bits).boxed(),
            4 => (0_u64..5)
                .prop_map(move |n| seed.wrapping_mul(n + 1))
                .boxed(),
            5 => (0_i64..1 << 53).prop_map(|n| (n as f64).to_bits()).boxed(),
            _ => Just(seed).boxed(),
        };
        let weights = prop_oneof![
            u32::from(40 - share) * 10 => main,
            u32::from(share) => nasty.clone(),
        ];
        prop::collection::vec(weights, 700)
    })
}

fn step_ms() -> impl Strategy<Value = Vec<u64>> {
    let jitter = prop_oneof![Just(1_u64), Just(20), Just(100_000), Just(1 << 50)];
    (1_u64..100_000, jitter).prop_flat_map(|(interval, jitter)| {
        let step = prop_oneof![
            9 => Just(interval),
            9 => interval..interval + jitter,
            1 => Just(1_u64),
        ];
        prop::collection::vec(step, 700)
    })
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let acts = prop::collection::vec((0_u8..100, -0.1..1.2_f64, -0.1..1.2_f64), 700);
    (value_bits(), step_ms(), acts, 1_usize..700).prop_map(|(values, steps, acts, length)| {
        let mut ops = Vec::new();
        let samples = steps.into_iter().zip(values);
        for ((step, bits), (act, a, b)) in samples.zip(acts).take(length) {
            ops.push(Op::Push(step, bits));
            match act {
                0 => ops.push(Op::DropBefore(a)),
                1..=5 => ops.push(Op::Read(a, b)),
                _ => {}
            }
        }
        ops.extend((0..12).map(|n| Op::Read(f64::from(n) / 12.0, f64::from(n) / 6.0)));
        ops
    })
}

/// Returns a time between the first and last sample, or a little outside.
fn place(model: &Model, share: f64) -> i64 {
    let first = model.0.first().map_or(0, |sample| sample.0);
    let last = model.0.last().map_or(0, |sample| sample.0);
    first.saturating_add(((last.saturating_sub(first)) as f64 * share) as i64)
}

fn check_read(column: &Column, model: &Model, after_ms: i64, until_ms: i64) {
    let mut scratch = Scratch::default();
    for (after_ms, until_ms) in [
        (after_ms, until_ms),
        (until_ms, after_ms),
        (after_ms, i64::MAX),
        (i64::MIN, until_ms),
    ] {
        let with_stale = pairs(column.samples(after_ms, until_ms, &mut scratch));
        assert_eq!(with_stale, model.samples(after_ms, until_ms, true));
        let without = pairs(column.window(after_ms, until_ms, &mut scratch));
        assert_eq!(without, model.samples(after_ms, until_ms, false));
    }
    for t_ms in [after_ms, until_ms] {
        let at = column.at(t_ms).map(|s| (s.t_ms, s.value.to_bits()));
        assert_eq!(at, model.at(t_ms));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_column_is_a_list(ops in ops(), start_ms in -1_000_000_i64..1_000_000) {
        let (mut column, mut model) = (Column::default(), Model::default());
        // Another series of the same target, with which times are shared.
        let (mut twin, mut latest) = (Column::default(), LatestTimes::default());
        let mut now_ms = start_ms;
        for op in ops {
            match op {
                Op::Push(step_ms, bits) => {
                    now_ms = now_ms.saturating_add(step_ms as i64);
                    let value = f64::from_bits(bits);
                    twin.push(Sample { t_ms: now_ms, value: 0.0 }, &mut latest);
                    column.push(Sample { t_ms: now_ms, value }, &mut latest);
                    model.0.push((now_ms, bits));
                }
                Op::DropBefore(share) => {
                    let t_ms = place(&model, share);
                    let before = model.0.len();
                    model.0.retain(|sample| sample.0 >= t_ms);
                    assert_eq!(column.drop_before(t_ms), before - model.0.len());
                }
                Op::Read(a, b) => {
                    check_read(&column, &model, place(&model, a), place(&model, b));
                }
            }
            let last = column.last().map(|s| (s.t_ms, s.value.to_bits()));
            assert_eq!(last, model.0.last().copied());
        }
    }

    #[test]
    fn packed_numbers_come_back(numbers in prop::collection::vec(
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), -3_i64..3], 1..CHUNK,
    ), bits in 0_u32..64) {
        let numbers: Vec<i64> = numbers.iter().map(|n| n >> bits).collect();
        let mut out = Vec::new();
        packed::put(&mut out, &numbers);
        assert!(out.len() <= packed::size(&numbers));
        let mut read = vec![0; numbers.len()];
        packed::Reader::new(&out).numbers(&mut read);
        assert_eq!(read, numbers);
    }
}

#[test]
fn times_of_the_whole_range_come_back() {
    let extremes = [i64::MIN, -1, 0, 1, i64::MAX - 1, i64::MAX];
    let (mut column, mut latest) = (Column::default(), LatestTimes::default());
    for t_ms in extremes {
        column.push(Sample { t_ms, value: 1.5 }, &mut latest);
    }
    column.seal(&mut latest);
    let mut scratch = Scratch::default();
    let (times_ms, _) = column.samples(i64::MIN, i64::MAX, &mut scratch);
    assert_eq!(times_ms, &extremes[1..]);
    assert_eq!(
        column.at(i64::MIN).map(|sample| sample.t_ms),
        Some(i64::MIN)
    );
}

#[test]
fn slow_series_take_few_bytes() {
    let (mut column, mut latest) = (Column::default(), LatestTimes::default());
    for number in 0..1_000_i64 {
        let jitter_ms = number * 7 % 5;
        let sample = Sample {
            t_ms: number * 1_000 + jitter_ms,
            value: (number * 3 + number * 11 % 4) as f64,
        };
        column.push(sample, &mut latest);
    }
    let bytes = column.bytes() + size_of::<Column>();
    assert!(bytes <= 4_000, "{bytes} bytes for 1,000 samples");
}

#[test]
fn series_of_the_same_scrapes_share_their_times() {
    const SERIES: usize = 100;
    let mut targets: Vec<Vec<Column>> = Vec::new();
    targets.resize_with(LATEST, || {
        let mut columns = Vec::new();
        columns.resize_with(SERIES, Column::default);
        columns
    });
    let mut latest = LatestTimes::default();
    for number in 0..3 * CHUNK as i64 {
        for (phase_ms, columns) in (0..).zip(&mut targets) {
            // Hardly a scrape begins on time, so that these times are large when encoded.
            let t_ms = number * 1_000 + phase_ms * 10 + number * 7_919 % 797;
            for column in columns {
                column.push(Sample { t_ms, value: 1.0 }, &mut latest);
            }
        }
    }
    for columns in &targets {
        let sealed: usize = columns
            .iter()
            .flat_map(|c| &c.sealed)
            .map(Chunk::bytes)
            .sum();
        assert!(sealed < 2 * SERIES * 30, "{sealed} bytes");
    }
}
