//! Buckets of charts: layout, cells, gaps.

use promql::value::{Sample, stale_nan};
use proptest::prelude::*;
use signals::buckets::Grid;

fn samples(pairs: &[(i64, f64)]) -> Vec<Sample> {
    let sample = |(t_ms, value): &(i64, f64)| Sample {
        t_ms: *t_ms,
        value: *value,
    };
    pairs.iter().map(sample).collect()
}

/// Writes cells as "min/max/last", gaps as "-".
fn drawn(grid: Grid, step_ms: i64, pairs: &[(i64, f64)]) -> String {
    let cells = grid.fill(&samples(pairs), step_ms);
    let words: Vec<String> = cells
        .iter()
        .map(|cell| match cell {
            Some(cell) => format!("{}/{}/{}", cell.min, cell.max, cell.last),
            None => "-".to_owned(),
        })
        .collect();
    words.join(" ")
}

#[test]
fn widths_are_nice_and_starts_are_absolute() {
    for (from, to, columns, at_least, expect) in [
        (0, 60_000, 60, 1, (1_000, 1_000, 60)),
        (1_234, 61_234, 40, 1, (0, 2_000, 31)),
        (0, 300_000, 80, 1, (0, 5_000, 61)),
        (0, 10_000, 100, 1_000, (0, 1_000, 11)),
        (
            0,
            30 * 86_400_000,
            10,
            1,
            (3 * 86_400_000, 3 * 86_400_000, 10),
        ),
        (5, 5, 10, 1, (5, 1, 1)),
        (9, 3, 10, 1, (3, 1, 1)),
    ] {
        let grid = Grid::new(from, to, columns, at_least);
        assert_eq!((grid.start_ms, grid.width_ms, grid.count), expect);
    }
}

#[test]
fn cells_and_gaps() {
    let grid = Grid {
        start_ms: 0,
        width_ms: 10,
        count: 6,
    };
    let (nan, stale) = (f64::NAN, stale_nan());
    for (step, pairs, expect) in [
        (
            5,
            vec![(0, 3.0), (5, 1.0), (9, 2.0), (10, 7.0)],
            "1/3/2 7/7/7 - - - -",
        ),
        (
            20,
            vec![(5, 1.0), (45, 2.0)],
            "1/1/1 1/1/1 1/1/1 1/1/1 2/2/2 2/2/2",
        ),
        (20, vec![(5, 1.0), (15, stale)], "1/1/1 - - - - -"),
        (10, vec![(5, nan), (15, 4.0)], "- 4/4/4 4/4/4 4/4/4 - -"),
        (10, vec![(-12, 6.0)], "6/6/6 - - - - -"),
        (10, vec![], "- - - - - -"),
    ] {
        assert_eq!(drawn(grid, step, &pairs), expect, "{pairs:?}");
    }
}

proptest! {
    #[test]
    fn a_layout_always_fits(from in -1_000_000_000_000i64..2_000_000_000_000, span in 0i64..10_000_000_000, columns in 1usize..400, at_least in 1i64..100_000) {
        let to = from + span;
        let grid = Grid::new(from, to, columns, at_least);
        prop_assert!(grid.count >= 1 && grid.count <= columns);
        prop_assert_eq!(grid.start_ms.rem_euclid(grid.width_ms), 0);
        prop_assert!(grid.width_ms >= at_least);
        prop_assert_eq!(grid.index(to), Some(grid.count - 1));
        prop_assert!(grid.start_ms <= from + grid.width_ms, "at most one bucket is cut");
        let later = Grid::new(from + grid.width_ms, to + grid.width_ms, columns, at_least);
        prop_assert_eq!(later.start_ms, grid.start_ms + grid.width_ms);
    }

    #[test]
    fn every_number_counts_once(values in proptest::collection::vec(-1e6..1e6f64, 1..200), width in 1i64..50) {
        let list: Vec<Sample> = values.iter().enumerate()
            .map(|(i, v)| Sample { t_ms: i as i64 * 7, value: *v }).collect();
        let grid = Grid { start_ms: 0, width_ms: width, count: (values.len() * 7).div_ceil(width as usize) };
        let cells = grid.fill(&list, 7);
        let max = cells.iter().flatten().map(|c| c.max).fold(f64::NEG_INFINITY, f64::max);
        let min = cells.iter().flatten().map(|c| c.min).fold(f64::INFINITY, f64::min);
        prop_assert_eq!(max, values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        prop_assert_eq!(min, values.iter().copied().fold(f64::INFINITY, f64::min));
        for cell in cells.iter().flatten() {
            prop_assert!(cell.min <= cell.last && cell.last <= cell.max);
        }
        for sample in &list {
            let cell = cells[grid.index(sample.t_ms).unwrap()].unwrap();
            prop_assert!(cell.min <= sample.value && sample.value <= cell.max);
        }
    }
}
