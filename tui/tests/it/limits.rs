//! Nothing, far too much, and texts that nobody should send.

use crate::support::{canned, frame, text};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use promql::labels::Labels;
use signals::Answer;
use signals::source::{Alert, AlertState, Health, Rule, RuleKind};
use std::time::{Duration, Instant};
use tui::dashboard::{Config, FaultView, Focus, Model, Msg, Theme, sample, update};

fn alerting(name: &str, count: usize, label: &str) -> Rule {
    let alerts = (0..count)
        .map(|index| Alert {
            labels: Labels::from_pairs([
                ("alertname", name),
                ("instance", &format!("{index}")),
                ("text", label),
            ]),
            annotations: vec![("summary".to_owned(), label.to_owned())],
            state: AlertState::Firing,
            active_at_ms: sample::NOW_MS - 60_000,
            value: 1.0,
        })
        .collect();
    Rule {
        group: "g".to_owned(),
        name: name.to_owned(),
        expr: "up == 0".to_owned(),
        labels: Labels::default(),
        annotations: Vec::new(),
        kind: RuleKind::Alerting {
            for_ms: 10_000,
            keep_firing_for_ms: 0,
            alerts,
        },
        health: Health::Ok,
        last_evaluation_ms: None,
        interval_ms: 1_000,
    }
}

fn with_alerts(count: usize, label: &str, size: (u16, u16)) -> Model {
    let mut model = sample::state("healthy", size, &Theme::default());
    let answer = Answer {
        value: vec![alerting("Storm", count, label)],
        at_ms: sample::NOW_MS,
        notes: Vec::new(),
    };
    update(&mut model, Msg::Rules(Ok(answer)));
    model
}

fn key(model: &mut Model, code: KeyCode) {
    update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

#[test]
fn any_number_of_alerts_can_be_walked_through() {
    for count in [0, 1, 1_000] {
        for size in [(120, 35), (80, 24), (60, 16), (40, 10)] {
            let mut model = with_alerts(count, "x", size);
            model.focus = Focus::Alerts;
            for code in [
                KeyCode::End,
                KeyCode::Enter,
                KeyCode::Esc,
                KeyCode::Home,
                KeyCode::Down,
            ] {
                key(&mut model, code);
                frame(&model);
            }
        }
    }
    let mut model = with_alerts(1_000, "x", (120, 35));
    model.focus = Focus::Alerts;
    key(&mut model, KeyCode::End);
    assert!(text(&frame(&model)).contains("instance=999"));
}

#[test]
fn enter_on_empty_lists_is_harmless() {
    for focus in Focus::ALL {
        let mut model = Model::new(
            Config {
                panels: Vec::new(),
                ..Config::default()
            },
            0,
            (120, 35),
        );
        model.focus = focus;
        for code in [
            KeyCode::Enter,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::End,
            KeyCode::Char('f'),
        ] {
            key(&mut model, code);
            frame(&model);
        }
    }
}

#[test]
fn an_endless_label_costs_nothing() {
    let mut model = with_alerts(50, &"x\u{1b}[2J".repeat(20_000), (120, 35));
    let start = Instant::now();
    let drawn = text(&frame(&model));
    // Unoptimised and on a busy machine; optimised it is well below a millisecond.
    assert!(
        start.elapsed() < Duration::from_millis(250),
        "{:?}",
        start.elapsed()
    );
    assert!(!drawn.contains('\u{1b}'));
    model.focus = Focus::Alerts;
    key(&mut model, KeyCode::Enter);
    frame(&model);
}

#[test]
fn text_from_servers_cannot_move_the_cursor() {
    let mut model = sample::state("healthy", (120, 35), &Theme::default());
    let evil = "a\u{1b}[31mb\u{7}\u{202e}c\r\n".to_owned();
    let view = FaultView {
        id: evil.clone(),
        kind: evil.clone(),
        what: evil.clone(),
        place: evil.clone(),
        ..FaultView::default()
    };
    let target = evil.clone();
    update(
        &mut model,
        Msg::Faults {
            target,
            result: Ok(vec![view]),
        },
    );
    let target = format!("other{evil}");
    update(
        &mut model,
        Msg::Faults {
            target,
            result: Err(evil),
        },
    );
    for cell in frame(&model).content() {
        assert!(!cell.symbol().chars().any(char::is_control));
    }
}

#[test]
fn a_day_of_messages_does_not_grow() {
    let mut model = sample::state("healthy", (120, 35), &Theme::default());
    let kinds = ["a", "b"];
    for round in 0..5_000 {
        let now_ms = sample::NOW_MS + round * 17_000;
        update(&mut model, Msg::Tick { now_ms });
        let view = FaultView {
            id: kinds[round as usize % 2].to_owned(),
            ..FaultView::default()
        };
        update(
            &mut model,
            Msg::Faults {
                target: "shop".to_owned(),
                result: Ok(vec![view]),
            },
        );
    }
    assert!(model.event_count() <= 512);
    assert!(model.span_count() <= 512);
}

#[test]
fn names_hold_in_the_smallest_frame() {
    assert!(canned("incident", (39, 9)).contains("need 40x10, have 39x9"));
}
