//! The chart widget: what it may paint, what it must not lose, and that it holds still.

use promql::value::{Sample, stale_nan};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use tui::dashboard::chart::{Line, Plot, Shade, TimeScale, ValueScale};
use tui::dashboard::{Glyphs, Marker, Palette, Theme, Unit};

const END_MS: i64 = 1_749_996_451_000;

struct Scene {
    samples: Vec<Sample>,
    scale: TimeScale,
    theme: Theme,
    threshold: Option<f64>,
    shades: Vec<Shade>,
    rows: u16,
}

impl Scene {
    fn new(samples: Vec<Sample>, scale: TimeScale) -> Self {
        Self {
            samples,
            scale,
            theme: Theme::new(Palette::Mono, false),
            threshold: None,
            shades: Vec::new(),
            rows: 6,
        }
    }

    fn draw(&self) -> Buffer {
        let area = Rect::new(0, 0, self.scale.cells(), self.rows);
        let mut buffer = Buffer::empty(area);
        let values = self.samples.iter().map(|sample| sample.value);
        let values = ValueScale::new(values, Unit::Plain, 3);
        Plot {
            time: &self.scale,
            values: &values,
            lines: &[Line {
                samples: &self.samples,
                style: Style::new(),
            }],
            threshold: self.threshold.map(|value| (value, true)),
            shades: &self.shades,
            known_until_ms: END_MS,
            theme: &self.theme,
        }
        .render(area, &mut buffer);
        buffer
    }
}

fn is_data(symbol: &str) -> bool {
    let glyphs = Glyphs::UNICODE;
    let c = symbol.chars().next().unwrap_or(' ');
    ('\u{2801}'..='\u{28ff}').contains(&c) || glyphs.clamp.contains(&symbol)
}

/// Returns which dot columns of a braille buffer are painted.
fn painted(buffer: &Buffer) -> Vec<bool> {
    let mut columns = vec![false; usize::from(buffer.area.width) * 2];
    for x in 0..buffer.area.width {
        for y in 0..buffer.area.height {
            let symbol = buffer[(x, y)].symbol();
            let at = usize::from(x) * 2;
            let c = symbol.chars().next().unwrap_or(' ');
            if ('\u{2801}'..='\u{28ff}').contains(&c) {
                let bits = c as u32 - 0x2800;
                columns[at] |= bits & 0b0100_0111 != 0;
                columns[at + 1] |= bits & 0b1011_1000 != 0;
            }
        }
    }
    columns
}

fn samples_of(values: &[Option<f64>], step_ms: i64) -> Vec<Sample> {
    let end_ms = END_MS / step_ms * step_ms;
    let start_ms = end_ms - (values.len() as i64 - 1) * step_ms;
    let at = |index: usize| start_ms + index as i64 * step_ms;
    values
        .iter()
        .enumerate()
        .filter_map(|(index, value)| {
            Some(Sample {
                t_ms: at(index),
                value: (*value)?,
            })
        })
        .collect()
}

fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        4 => (-1e3..1e6_f64).prop_map(Some),
        1 => Just(None),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(stale_nan())),
        1 => Just(Some(f64::INFINITY)),
        1 => Just(Some(f64::NEG_INFINITY)),
        1 => Just(Some(f64::MAX)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_is_painted_without_a_sample(
        values in prop::collection::vec(value(), 0..400),
        cells in 1_u16..120,
        window_s in 1_i64..2_000,
        step_ms in prop::sample::select(vec![1_000_i64, 5_000, 15_000]),
    ) {
        let samples = samples_of(&values, step_ms);
        let scale = TimeScale::new(cells, 2, window_s * 1_000, END_MS, step_ms);
        let buffer = Scene::new(samples.clone(), scale).draw();
        let filled = scale.fill(&samples);
        for (dot, is_painted) in painted(&buffer).into_iter().enumerate() {
            let bucket = filled.iter().enumerate().find(|(index, _)| {
                let from = scale.bucket_dot(scale.first_bucket() + *index as i64);
                (from..from + scale.dots_per_bucket() as i64).contains(&(dot as i64))
            });
            let has_sample = bucket.is_some_and(|(_, cell)| cell.is_some());
            prop_assert!(has_sample || !is_painted, "dot {dot}");
        }
    }

    #[test]
    fn every_bucket_with_a_sample_is_painted(
        values in prop::collection::vec(prop_oneof![3 => (0.0..1e6_f64).prop_map(Some), 1 => Just(None)], 1..400),
        cells in 1_u16..120,
    ) {
        let samples = samples_of(&values, 1_000);
        let scale = TimeScale::new(cells, 2, 300_000, END_MS, 1_000);
        let columns = painted(&Scene::new(samples.clone(), scale).draw());
        for (index, cell) in scale.fill(&samples).into_iter().enumerate() {
            let from = scale.bucket_dot(scale.first_bucket() + index as i64);
            for dot in from..from + scale.dots_per_bucket() as i64 {
                if let Ok(dot) = usize::try_from(dot) {
                    prop_assert_eq!(columns[dot], cell.is_some());
                }
            }
        }
    }

    #[test]
    fn time_that_goes_by_shifts_the_picture_and_changes_nothing(
        values in prop::collection::vec((0.0..100.0_f64).prop_map(Some), 900),
        cells in 4_u16..100,
        later in 1_i64..60,
        dots in prop::sample::select(vec![2_u16, 1]),
    ) {
        let samples = samples_of(&values, 1_000);
        let early_end = END_MS - 60_000;
        let early = TimeScale::new(cells, dots, 300_000, early_end, 1_000);
        let late = TimeScale::new(cells, dots, 300_000, early_end + later * 1_000, 1_000);
        let marker = if dots == 2 { Marker::Braille } else { Marker::Ascii };
        let shift = early.cell(early_end) - late.cell(early_end);
        let draw = |scale| {
            let mut scene = Scene::new(samples.clone(), scale);
            scene.theme = scene.theme.with_marker(marker);
            scene.draw()
        };
        let (before, after) = (draw(early), draw(late));
        // The outermost columns join a neighbour that only one of the two pictures has.
        for x in shift.max(0) + 1..i64::from(cells) - 1 {
            for y in 0..6 {
                let then = &before[(x as u16, y)];
                let Ok(x_now) = u16::try_from(x - shift) else { continue };
                if x_now == 0 { continue; }
                prop_assert_eq!(then.symbol(), after[(x_now, y)].symbol(), "column {}", x);
            }
        }
    }

    #[test]
    fn any_scale_and_any_value_draw(
        values in prop::collection::vec(prop::num::f64::ANY.prop_map(Some), 0..60),
        cells in 0_u16..70,
        rows in 0_u16..12,
        window_ms in 0_i64..i64::from(u32::MAX),
        end_ms in -1_000_000_i64..i64::from(u32::MAX) * 1_000,
        marker in prop::sample::select(vec![Marker::Braille, Marker::Block, Marker::Ascii]),
    ) {
        let scale = TimeScale::new(cells, marker.dots().0 as u16, window_ms, end_ms, 1_000);
        let mut scene = Scene::new(samples_of(&values, 1_000), scale);
        scene.rows = rows;
        scene.theme = scene.theme.with_marker(marker);
        scene.threshold = Some(3.0);
        scene.shades = vec![Shade { start_ms: end_ms - 5_000, end_ms }];
        scene.draw();
        scale.ticks(&jiff::tz::TimeZone::UTC);
    }
}

#[test]
fn a_dip_of_one_sample_in_an_hour_stays_visible() {
    for dip in [1_000, 1_800, 3_000, 3_599] {
        let values: Vec<Option<f64>> = (0..3_600)
            .map(|second| Some(if second == dip { 0.0 } else { 100.0 }))
            .collect();
        let scale = TimeScale::new(60, 2, 3_600_000, END_MS, 1_000);
        let buffer = Scene::new(samples_of(&values, 1_000), scale).draw();
        let bottom: Vec<u16> = (0..60)
            .filter(|x| is_data(buffer[(*x, 5)].symbol()))
            .collect();
        assert_eq!(bottom.len(), 1, "dip at {dip}: {bottom:?}");
    }
}

#[test]
fn gaps_are_blank_with_a_dotted_base() {
    let values: Vec<Option<f64>> = (0..300)
        .map(|second| (!(100..160).contains(&second)).then_some(50.0))
        .collect();
    let scale = TimeScale::new(75, 2, 300_000, END_MS, 1_000);
    let buffer = Scene::new(samples_of(&values, 1_000), scale).draw();
    let hole = scale.cell(END_MS - 170_000) as u16;
    for y in 0..5 {
        assert_eq!(buffer[(hole, y)].symbol(), " ");
    }
    assert_eq!(buffer[(hole, 5)].symbol(), Glyphs::UNICODE.gap);
}

#[test]
fn the_data_lies_over_threshold_and_texture() {
    let values: Vec<Option<f64>> = (0..300).map(|_| Some(50.0)).collect();
    let scale = TimeScale::new(75, 2, 300_000, END_MS, 1_000);
    let mut scene = Scene::new(samples_of(&values, 1_000), scale);
    let plain = painted(&scene.draw());
    scene.threshold = Some(50.0);
    scene.shades = vec![Shade {
        start_ms: END_MS - 100_000,
        end_ms: END_MS,
    }];
    let buffer = scene.draw();
    assert_eq!(plain, painted(&buffer));
    assert!(buffer.content().iter().any(|cell| cell.symbol() == "░"));
}

#[test]
fn the_infinite_is_marked_at_the_edge() {
    let mut values: Vec<Option<f64>> = (0..300).map(|_| Some(50.0)).collect();
    values[200] = Some(f64::INFINITY);
    values[100] = Some(f64::NEG_INFINITY);
    let scale = TimeScale::new(75, 2, 300_000, END_MS, 1_000);
    let buffer = Scene::new(samples_of(&values, 1_000), scale).draw();
    let row = |y| -> Vec<u16> {
        (0..75)
            .filter(|x| Glyphs::UNICODE.clamp.contains(&buffer[(*x, y)].symbol()))
            .collect()
    };
    assert_eq!(row(0), [scale.cell(END_MS - 99_000) as u16]);
    assert_eq!(row(5), [scale.cell(END_MS - 199_000) as u16]);
}

#[test]
fn markers_fall_back() {
    let values: Vec<Option<f64>> = (0..300).map(|s| Some(f64::from(s % 60))).collect();
    for (marker, allowed) in [
        (Marker::Block, "▘▝▀▖▌▞▛▗▚▐▜▄▙▟█ ┈"),
        (Marker::Ascii, "'.: ┈"),
    ] {
        let across = marker.dots().0 as u16;
        let scale = TimeScale::new(75, across, 300_000, END_MS, 1_000);
        let mut scene = Scene::new(samples_of(&values, 1_000), scale);
        scene.theme = scene.theme.with_marker(marker);
        let buffer = scene.draw();
        for cell in buffer.content() {
            assert!(
                allowed.contains(cell.symbol()),
                "{marker:?} {:?}",
                cell.symbol()
            );
        }
    }
}
