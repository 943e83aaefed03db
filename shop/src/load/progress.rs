//! How a run goes while it goes: a line that is drawn anew on a terminal, or now and then in the log.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use super::measure::{Glance, Measures};

/// Where progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// One line on stderr, drawn anew every second.
    Line,
    /// A line of the log every ten seconds.
    Log,
    /// Nowhere.
    Silent,
}

impl Progress {
    /// Returns what suits a program that was started by a person or by another program.
    pub fn detect(is_child: bool) -> Self {
        if !is_child && io::stderr().is_terminal() {
            Self::Line
        } else {
            Self::Log
        }
    }

    fn every(self) -> Duration {
        match self {
            Self::Line => Duration::from_secs(1),
            Self::Log | Self::Silent => Duration::from_secs(10),
        }
    }
}

/// Tells how the run goes until the future is dropped.
pub(super) async fn tell(progress: Progress, measures: &Measures, began: Instant) {
    if progress == Progress::Silent {
        return std::future::pending().await;
    }
    let _line = Line(progress);
    let mut last = began;
    loop {
        tokio::time::sleep(progress.every()).await;
        let now = Instant::now();
        let glance = measures.glance();
        let rate = glance.sent as f64 / (now - last).as_secs_f64();
        last = now;
        match progress {
            Progress::Line => draw(&line(now - began, rate, &glance)),
            Progress::Log | Progress::Silent => log(now - began, rate, &glance),
        }
    }
}

/// Makes room for what is written next when the line has been drawn for the last time.
struct Line(Progress);

impl Drop for Line {
    fn drop(&mut self) {
        if self.0 == Progress::Line {
            write("\r\x1b[2K");
        }
    }
}

/// Draws over the line before; a terminal that is too narrow shows its beginning.
fn draw(line: &str) {
    write(&format!("\r\x1b[2K\x1b[?7l{line}\x1b[?7h\r"));
}

/// Nobody can be told when stderr is gone.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}

fn line(elapsed: Duration, rate: f64, glance: &Glance) -> String {
    let seconds = elapsed.as_secs();
    let [completed, refused, failed, shed, dropped] = glance.so_far;
    let mut parts = vec![
        format!("{:02}:{:02}", seconds / 60, seconds % 60),
        format!("{rate:.1}/s"),
    ];
    if glance.users > 0 {
        parts.push(format!("{} users", glance.users));
    }
    parts.push(format!("{} in flight", glance.under_way));
    parts.push(format!("ok {completed}"));
    parts.push(format!("refused {refused}"));
    parts.push(format!("failed {failed}"));
    for (name, count) in [("shed", shed), ("dropped", dropped)] {
        if count > 0 {
            parts.push(format!("{name} {count}"));
        }
    }
    if let Some([p50, p95]) = glance.times.map(|times| times.map(ms)) {
        parts.push(format!("p50 {p50:.1} ms"));
        parts.push(format!("p95 {p95:.1} ms"));
    }
    parts.join("  ")
}

fn log(elapsed: Duration, rate: f64, glance: &Glance) {
    let [completed, refused, failed, shed, dropped] = glance.so_far.map(u64::cast_signed);
    let [p50_ms, p95_ms] = glance
        .times
        .map_or([None; 2], |times| times.map(ms).map(Some));
    tracing::info!(
        elapsed_seconds = elapsed.as_secs_f64(),
        rate,
        users = glance.users,
        in_flight = glance.under_way,
        completed,
        refused,
        failed,
        shed,
        dropped,
        p50_ms,
        p95_ms,
        "load"
    );
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Glance, line};

    #[test]
    fn the_line_says_what_there_is_to_say() {
        let mut glance = Glance {
            sent: 60,
            under_way: 3,
            users: 0,
            so_far: [2_511, 98, 0, 0, 0],
            times: Some([4_100, 18_200].map(Duration::from_micros)),
        };
        let said = line(Duration::from_secs(62), 60.0, &glance);
        assert_eq!(
            said,
            "01:02  60.0/s  3 in flight  ok 2511  refused 98  failed 0  p50 4.1 ms  p95 18.2 ms"
        );
        (glance.users, glance.times, glance.so_far[3]) = (8, None, 5);
        let said = line(Duration::from_secs(1), 0.0, &glance);
        assert!(
            said.contains("8 users") && said.ends_with("failed 0  shed 5"),
            "{said}"
        );
    }
}
