//! Samples: counters with resets, gauges of all kinds, classic histograms good and odd.

use std::fmt::Write as _;

use super::{Generator, SAMPLES, SeriesLine};

/// What the values of a series are like.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    /// Eighths, so that sums are exact in any order.
    Gauge,
    /// Every few samples a NaN or an infinity.
    Special,
    Constant,
    /// So large that a few of them overflow.
    Huge,
    /// Above the subnormal numbers, whose logarithm Go gets wrong on some machines.
    Tiny,
    /// Seconds of dates from antiquity to the far future.
    Date,
}

impl Generator {
    pub(crate) fn series(&mut self) -> Vec<SeriesLine> {
        let mut lines = Vec::new();
        for (name, kind) in [
            ("c_total", Kind::Counter),
            ("d_total", Kind::Counter),
            ("g", Kind::Gauge),
            ("s", Kind::Special),
        ] {
            for a in ["x", "y", "z"] {
                for b in ["p", "q"] {
                    let labels = format!("{name}{{a=\"{a}\",b=\"{b}\"}}");
                    lines.push(self.line(labels, kind));
                }
            }
        }
        for a in ["x", "y"] {
            lines.push(self.line(format!("one{{a=\"{a}\",c=\"extra\"}}"), Kind::Gauge));
            lines.push(self.line(format!("huge{{a=\"{a}\"}}"), Kind::Huge));
            lines.push(self.line(format!("tiny{{a=\"{a}\"}}"), Kind::Tiny));
            lines.push(self.line(format!("date{{a=\"{a}\"}}"), Kind::Date));
            self.histogram(a, &mut lines);
        }
        // Labels that are missing, odd, or equal but for the name.
        for labels in [
            "g{b=\"p\"}",
            "bare",
            "bare2",
            "lines{a=\"x\\ny\"}",
            "lines{a=\"q.w\",b=\"[1]\"}",
            "const{a=\"x\"}",
            "const{a=\"10\"}",
            "const{a=\"9\"}",
            "odd_bucket{le=\"1\"}",
            "odd_bucket{le=\"1.0\"}",
            "odd_bucket{le=\"+Inf\"}",
            "odd_bucket{le=\"-1\"}",
            "odd_bucket{le=\"what\"}",
            "odd_bucket",
            "neg_bucket{le=\"-5\"}",
            "neg_bucket{le=\"-1\"}",
            "neg_bucket{le=\"Inf\"}",
            "lone_bucket{le=\"+Inf\"}",
        ] {
            let kind = match labels {
                l if l.starts_with("const") => Kind::Constant,
                _ => Kind::Gauge,
            };
            lines.push(self.line(labels.to_owned(), kind));
        }
        if self.is_new() {
            lines.push(self.line("{\"utf.8\",\"l.1\"=\"ü\"}".to_owned(), Kind::Gauge));
        }
        lines
    }

    fn line(&mut self, name: String, kind: Kind) -> SeriesLine {
        let mut values = String::new();
        let mut value = self.random.below(50) as f64 / 2.0;
        // A series may begin late, end early, or pause for longer than the lookback.
        let first = self.edge();
        let last = SAMPLES - self.edge();
        let pause = if self.random.one_in(12) {
            30..65
        } else {
            SAMPLES..SAMPLES
        };
        for index in 0..SAMPLES {
            let missing = index < first || index >= last || pause.contains(&index);
            if missing || self.random.one_in(9) {
                values.push_str("_ ");
            } else if self.random.one_in(25) {
                values.push_str("stale ");
            } else {
                value = self.value(kind, value);
                write_value(&mut values, value);
            }
        }
        SeriesLine { name, values }
    }

    fn edge(&mut self) -> usize {
        if self.random.one_in(8) {
            self.random.below(SAMPLES as u64 / 2) as usize
        } else {
            0
        }
    }

    fn value(&mut self, kind: Kind, before: f64) -> f64 {
        match kind {
            Kind::Counter if self.random.one_in(20) => self.random.below(4) as f64,
            Kind::Counter => before + self.random.below(100) as f64 / 4.0,
            Kind::Gauge => self.random.below(2000) as f64 / 8.0 - 100.0,
            Kind::Special => match self.random.below(12) {
                0 | 1 => f64::NAN,
                2 => f64::INFINITY,
                3 => f64::NEG_INFINITY,
                4 => -0.0,
                5 => 0.0,
                _ => self.random.below(200) as f64 - 100.0,
            },
            Kind::Constant => before,
            Kind::Huge => (1 + self.random.below(15)) as f64 * 2_f64.powi(1020),
            Kind::Tiny => (1 + self.random.below(15)) as f64 * 2_f64.powi(-1000),
            Kind::Date => self.random.below(1 << 38) as f64 - 2_f64.powi(36),
        }
    }

    fn histogram(&mut self, a: &str, lines: &mut Vec<SeriesLine>) {
        let bounds = ["0.1", "0.5", "1", "5", "+Inf"];
        let mut counts = [0_u64; 5];
        let first = lines.len();
        lines.extend(bounds.iter().map(|le| SeriesLine {
            name: format!("h_bucket{{a=\"{a}\",le=\"{le}\"}}"),
            values: String::new(),
        }));
        // Some histograms stand still for a while: no observation, no quantile.
        let busy = self.random.below(6);
        for _ in 0..SAMPLES {
            let gap = self.random.one_in(15);
            let mut sum = 0;
            for (count, line) in counts.iter_mut().zip(&mut lines[first..]) {
                *count += self.random.below(busy + 1);
                sum += *count;
                let _ = if gap {
                    write!(line.values, "_ ")
                } else {
                    write!(line.values, "{sum} ")
                };
            }
        }
    }
}

fn write_value(text: &mut String, value: f64) {
    let _ = match value {
        v if v.is_nan() => write!(text, "NaN "),
        v if v == f64::INFINITY => write!(text, "Inf "),
        v if v == f64::NEG_INFINITY => write!(text, "-Inf "),
        v if v != 0.0 && (v.abs() > 1e15 || v.abs() < 1e-5) => write!(text, "{v:e} "),
        v => write!(text, "{v} "),
    };
}
