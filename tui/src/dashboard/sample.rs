//! Canned states of the screen for tests, benches and pictures: a made-up shop whose payments
//! break, told through the same messages as a real one. Not part of the program.

mod shop;

use super::model::{Config, Focus, Model, Overlay};
use super::msg::{CheckView, Effect, Grade, Msg, RunEvent, RunStatus, StepState, StepView};
use super::panel::ThresholdSpec;
use super::theme::{Palette, Theme};
use super::update;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use shop::{faults, playbooks, rules, series};
use signals::{Answer, SourceError};

pub use shop::Story;

/// Sunday 2025-06-15, 14:07:31 UTC.
pub const NOW_MS: i64 = 1_749_996_451_000;

/// All canned states by name.
pub const NAMES: [&str; 14] = [
    "healthy", "incident", "loading", "empty", "stale", "lost", "running", "verdict", "failed",
    "help", "confirm", "quit", "alert", "paused",
];

/// Returns a canned state, the healthy one for an unknown name.
pub fn state(name: &str, size: (u16, u16), theme: &Theme) -> Model {
    let incident = Story {
        breaks_ms: Some(NOW_MS - 68_000),
        ..Story::default()
    };
    let mut model = match name {
        "incident" | "help" | "quit" | "alert" => broken(incident, size, theme),
        "loading" => Model::new(config(theme), NOW_MS, size),
        "empty" => empty(size, theme),
        "stale" => stale(size, theme),
        "lost" => lost(size, theme),
        "running" => running(incident, size, theme),
        "verdict" => judged(size, theme, true),
        "failed" => judged(size, theme, false),
        _ => healthy(size, theme),
    };
    match name {
        "help" => press(&mut model, '?'),
        "confirm" => {
            press(&mut model, 'p');
            enter(&mut model);
        }
        "quit" => press(&mut model, 'q'),
        "alert" => {
            model.focus = Focus::Alerts;
            enter(&mut model);
        }
        "paused" => {
            press(&mut model, ' ');
            press(&mut model, ',');
            settle(&mut model, Story::default());
        }
        "loading" => {
            update(&mut model, Msg::Tick { now_ms: NOW_MS });
        }
        _ => {}
    }
    model
}

/// Returns the configuration of the made-up shop.
pub fn config(theme: &Theme) -> Config {
    let mut config = Config {
        alertmanager: Some("http://127.0.0.1:9093".to_owned()),
        fault_targets: vec!["shop".to_owned()],
        services: ["storefront", "orders", "payments", "catalog"]
            .map(str::to_owned)
            .to_vec(),
        playbooks: playbooks(),
        theme: *theme,
        ..Config::default()
    };
    config.panels[1].threshold = ThresholdSpec::Rule("HighLatencyP95".to_owned());
    config
}

/// Answers every question of the model until it has none that is due.
pub fn settle(model: &mut Model, story: Story) {
    let now_ms = model.now_ms;
    let mut waiting = update(model, Msg::Tick { now_ms });
    while let Some(effect) = waiting.pop() {
        if let Some(msg) = answer(model, story, &effect) {
            waiting.extend(update(model, msg));
        }
    }
}

/// Lets time go by, answering every question on the way.
pub fn advance(model: &mut Model, story: Story, to_ms: i64) {
    while model.now_ms < to_ms {
        model.now_ms = (model.now_ms + 1_000).min(to_ms);
        settle(model, story);
    }
}

fn answer(model: &Model, story: Story, effect: &Effect) -> Option<Msg> {
    Some(match *effect {
        Effect::QueryPanel {
            panel,
            request,
            range,
            ..
        } => Msg::Series {
            panel,
            request,
            result: Ok(at(model.now_ms - 200, series(story, panel, range))),
        },
        Effect::FetchRules => Msg::Rules(Ok(at(model.now_ms - 200, rules(story, model.now_ms)))),
        Effect::FetchFaults => Msg::Faults {
            target: "shop".to_owned(),
            result: Ok(faults(story, model.now_ms)),
        },
        Effect::FetchAlertmanager => Msg::Alertmanager(Ok(())),
        _ => return None,
    })
}

fn at<T>(at_ms: i64, value: T) -> Answer<T> {
    Answer {
        value,
        at_ms,
        notes: Vec::new(),
    }
}

fn healthy(size: (u16, u16), theme: &Theme) -> Model {
    let story = Story::default();
    let mut model = Model::new(config(theme), NOW_MS - 3_000, size);
    advance(&mut model, story, NOW_MS);
    model
}

fn broken(story: Story, size: (u16, u16), theme: &Theme) -> Model {
    let mut model = Model::new(config(theme), NOW_MS - 80_000, size);
    advance(&mut model, story, NOW_MS);
    model
}

fn empty(size: (u16, u16), theme: &Theme) -> Model {
    let mut model = healthy(size, theme);
    let mut fresh = Model::new(model.config.clone(), NOW_MS, size);
    for effect in update(&mut fresh, Msg::Tick { now_ms: NOW_MS }) {
        let msg = match effect {
            Effect::QueryPanel { panel, request, .. } => Msg::Series {
                panel,
                request,
                result: Ok(at(NOW_MS, Vec::new())),
            },
            Effect::FetchRules => Msg::Rules(Ok(at(NOW_MS, Vec::new()))),
            _ => continue,
        };
        update(&mut fresh, msg);
    }
    std::mem::swap(&mut model, &mut fresh);
    model
}

fn refuse(model: &mut Model, waiting: Vec<Effect>) {
    let error = || SourceError::Unreachable {
        url: "http://prometheus:9090".to_owned(),
        cause: "connection refused".to_owned(),
    };
    for effect in waiting {
        let msg = match effect {
            Effect::QueryPanel { panel, request, .. } => Msg::Series {
                panel,
                request,
                result: Err(error()),
            },
            Effect::FetchRules => Msg::Rules(Err(error())),
            Effect::FetchFaults => Msg::Faults {
                target: "shop".to_owned(),
                result: Err("connection refused".to_owned()),
            },
            Effect::FetchAlertmanager => Msg::Alertmanager(Err("connection refused".to_owned())),
            _ => continue,
        };
        update(model, msg);
    }
}

fn fail_for(model: &mut Model, seconds: i64) {
    for _ in 0..seconds {
        let now_ms = model.now_ms + 1_000;
        let waiting = update(model, Msg::Tick { now_ms });
        refuse(model, waiting);
    }
}

fn stale(size: (u16, u16), theme: &Theme) -> Model {
    let mut model = Model::new(config(theme), NOW_MS - 24_000, size);
    "http://prometheus:9090".clone_into(&mut model.source.name);
    advance(&mut model, Story::default(), NOW_MS - 21_000);
    fail_for(&mut model, 21);
    model
}

fn lost(size: (u16, u16), theme: &Theme) -> Model {
    let mut model = Model::new(config(theme), NOW_MS - 6_000, size);
    "http://prometheus:9090".clone_into(&mut model.source.name);
    fail_for(&mut model, 6);
    model
}

fn running(story: Story, size: (u16, u16), theme: &Theme) -> Model {
    let mut model = Model::new(config(theme), NOW_MS - 80_000, size);
    start_run(&mut model, NOW_MS - 78_000);
    let at_ms = NOW_MS - 69_000;
    done(&mut model, 0, at_ms, "3 probes hold");
    done(&mut model, 1, NOW_MS - 68_000, "");
    advance(&mut model, story, NOW_MS);
    model
}

fn judged(size: (u16, u16), theme: &Theme, passes: bool) -> Model {
    let story = Story {
        breaks_ms: Some(NOW_MS - 130_000),
        mends_ms: Some(NOW_MS - 58_000),
        ..Story::default()
    };
    let mut model = Model::new(config(theme), NOW_MS - 142_000, size);
    start_run(&mut model, NOW_MS - 140_000);
    done(&mut model, 0, NOW_MS - 131_000, "3 probes hold");
    done(&mut model, 1, NOW_MS - 130_000, "");
    advance(&mut model, story, NOW_MS - 60_000);
    done(&mut model, 2, NOW_MS - 90_000, "after 40s");
    done(&mut model, 3, NOW_MS - 58_000, "");
    advance(&mut model, story, NOW_MS - 4_000);
    done(&mut model, 4, NOW_MS - 5_000, "read back");
    update(&mut model, Msg::Run(ended(passes)));
    advance(&mut model, story, NOW_MS);
    model
}

fn start_run(model: &mut Model, at_ms: i64) {
    let step = |name: &str, limit_s: Option<i64>| StepView {
        name: name.to_owned(),
        limit_ms: limit_s.map(|s| s * 1_000),
    };
    let event = RunEvent::Started {
        playbook: "payments-503".to_owned(),
        title: "Payments return 503".to_owned(),
        steps: vec![
            step("steady state", Some(20)),
            step("break payments", None),
            step("wait for PaymentFailureRateHigh", Some(90)),
            step("faults end", Some(90)),
            step("recovery", Some(60)),
        ],
        deadline_ms: Some(300_000),
        at_ms,
    };
    update(model, Msg::Run(event));
    running_step(model, 0, at_ms);
}

fn running_step(model: &mut Model, index: usize, at_ms: i64) {
    let state = StepState::Running;
    update(
        model,
        Msg::Run(RunEvent::Step {
            index,
            state,
            at_ms,
        }),
    );
}

fn done(model: &mut Model, index: usize, at_ms: i64, word: &str) {
    let state = StepState::Done(word.to_owned());
    update(
        model,
        Msg::Run(RunEvent::Step {
            index,
            state,
            at_ms,
        }),
    );
    running_step(model, index + 1, at_ms);
}

fn ended(passes: bool) -> RunEvent {
    let check = |name: &str, grade, detail: &str| CheckView {
        name: name.to_owned(),
        grade,
        detail: detail.to_owned(),
    };
    let (grade, detail, reason, exit_code) = if passes {
        (
            Grade::Pass,
            "firing after 41s, within 60s",
            "the page came and went as it must",
            0,
        )
    } else {
        (
            Grade::Fail,
            "firing after 41s, not within 30s",
            "PaymentFailureRateHigh fired too late",
            3,
        )
    };
    RunEvent::Ended {
        status: RunStatus::Completed,
        exit_code,
        reason: reason.to_owned(),
        checks: vec![
            check("steady state before", Grade::Pass, "3 probes"),
            check("PaymentFailureRateHigh fires", grade, detail),
            check(
                "PaymentFailureRateHigh resolves",
                Grade::Pass,
                "after 32s, within 2m",
            ),
            check("TargetDown stays silent", Grade::Pass, ""),
            check("the fault had an effect", Grade::Pass, "612 of 1204 hit"),
            check("recovery", Grade::Pass, "read back from 1 target"),
        ],
        at_ms: NOW_MS - 4_000,
    }
}

/// Presses a character key.
pub fn press(model: &mut Model, c: char) {
    let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
    update(model, Msg::Key(key));
}

/// Presses Enter.
pub fn enter(model: &mut Model) {
    let key = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
    update(model, Msg::Key(key));
}

/// Returns the theme that a word asks for: `dark`, `light`, `16`, `mono`, `ascii`.
pub fn theme(word: &str) -> Theme {
    match word {
        "light" => Theme::new(Palette::Light, false),
        "16" => Theme::new(Palette::Ansi16, false),
        "mono" => Theme::new(Palette::Mono, false),
        "ascii" => Theme::new(Palette::Mono, true),
        _ => Theme::new(Palette::Dark, false),
    }
}

/// Says whether a popup lies on top.
pub fn has_popup(model: &Model) -> bool {
    matches!(model.overlay, Some(Overlay::Help | Overlay::Alert(_)))
}
