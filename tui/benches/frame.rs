//! One frame with three charts, alerts, a fault and a run.

use divan::Bencher;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui::dashboard::{Theme, draw, sample};

fn main() {
    divan::main();
}

#[divan::bench(args = [(80, 24), (120, 35), (240, 60)])]
fn frame(bencher: Bencher<'_, '_>, (width, height): (u16, u16)) {
    let model = sample::state("running", (width, height), &Theme::default());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("no IO");
    // An empty buffer each time, so that the comparison with the last frame finds everything new.
    bencher.bench_local(move || {
        terminal.clear().expect("no IO");
        terminal.draw(|frame| draw(&model, frame)).expect("no IO");
        divan::black_box(Buffer::empty(Rect::default()));
    });
}
