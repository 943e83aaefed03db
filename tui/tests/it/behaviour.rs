//! What messages do: questions and their pace, keys, runs, faults, and time that jumps.

use crate::support::{frame, text};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use signals::SourceError;
use tui::dashboard::{
    Config, Effect, FaultView, Focus, Model, Msg, Overlay, Question, RunEvent, RunStatus, Theme,
    sample, update,
};

fn press(model: &mut Model, code: KeyCode) -> Vec<Effect> {
    update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn ctrl(model: &mut Model, c: char) -> Vec<Effect> {
    let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    update(model, Msg::Key(key))
}

fn healthy() -> Model {
    sample::state("healthy", (120, 35), &Theme::default())
}

fn queries(effects: &[Effect]) -> Vec<(usize, u64, i64, i64)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::QueryPanel {
                panel,
                request,
                range,
                ..
            } => Some((*panel, *request, range.start_ms, range.end_ms)),
            _ => None,
        })
        .collect()
}

#[test]
fn the_first_tick_asks_everything_once() {
    let mut model = Model::new(sample::config(&Theme::default()), sample::NOW_MS, (120, 35));
    let effects = update(
        &mut model,
        Msg::Tick {
            now_ms: sample::NOW_MS,
        },
    );
    assert_eq!(queries(&effects).len(), 3);
    for wanted in [
        Effect::FetchRules,
        Effect::FetchFaults,
        Effect::FetchAlertmanager,
    ] {
        assert!(effects.contains(&wanted));
    }
    let effects = update(
        &mut model,
        Msg::Tick {
            now_ms: sample::NOW_MS + 5_000,
        },
    );
    assert_eq!(effects, [], "answers are awaited");
}

#[test]
fn live_questions_go_on_where_the_last_answer_ended() {
    let mut model = healthy();
    let effects = update(
        &mut model,
        Msg::Tick {
            now_ms: sample::NOW_MS + 1_000,
        },
    );
    for (_, _, start_ms, end_ms) in queries(&effects) {
        assert_eq!(end_ms, sample::NOW_MS + 1_000);
        assert!(end_ms - start_ms <= 3_000, "only the new end is asked for");
    }
    let effects = press(&mut model, KeyCode::Char('-'));
    for (_, _, start_ms, end_ms) in queries(&effects) {
        assert!(
            end_ms - start_ms >= 900_000,
            "a longer window is asked for in full"
        );
    }
    assert_eq!(queries(&effects).len(), 3);
}

#[test]
fn an_answer_to_an_old_question_is_dropped() {
    let mut model = Model::new(sample::config(&Theme::default()), sample::NOW_MS, (120, 35));
    let first = queries(&update(
        &mut model,
        Msg::Tick {
            now_ms: sample::NOW_MS,
        },
    ));
    press(&mut model, KeyCode::Char('-'));
    let (panel, request, ..) = first[0];
    let error = SourceError::Timeout {
        url: "x".to_owned(),
        timeout_ms: 1,
    };
    update(
        &mut model,
        Msg::Series {
            panel,
            request,
            result: Err(error),
        },
    );
    assert!(!text(&frame(&model)).contains("did not answer"));
}

#[test]
fn keys_during_an_outage_do_not_hasten_retries() {
    let mut model = sample::state("stale", (120, 35), &Theme::default());
    let wake = model.wake_ms();
    for code in ['+', '-', '-', '+', ' ', ' ', 'T', 'A'] {
        let effects = press(&mut model, KeyCode::Char(code));
        assert_eq!(queries(&effects), [], "{code}");
    }
    assert!(model.wake_ms() <= wake + 1_000);
    assert_eq!(model.panels[0].spec.key, "qps");
}

#[test]
fn the_dashboard_outlives_its_source() {
    let mut model = sample::state("lost", (120, 35), &Theme::default());
    // Ten minutes of nothing, asking again and again, never faster than every half second.
    let mut asked = 0;
    for _ in 0..1_200 {
        let now_ms = model.now_ms + 500;
        for effect in update(&mut model, Msg::Tick { now_ms }) {
            if let Effect::QueryPanel { panel, request, .. } = effect {
                asked += 1;
                let error = SourceError::Timeout {
                    url: "x".to_owned(),
                    timeout_ms: 1,
                };
                update(
                    &mut model,
                    Msg::Series {
                        panel,
                        request,
                        result: Err(error),
                    },
                );
            }
        }
    }
    assert!((150..=400).contains(&asked), "{asked}");
    sample::settle(&mut model, sample::Story::default());
    model.now_ms += 11_000;
    let now_ms = model.now_ms;
    sample::advance(&mut model, sample::Story::default(), now_ms + 2_000);
    let drawn = text(&frame(&model));
    assert!(drawn.contains("answers again"), "{drawn}");
    assert!(!drawn.contains("stale"));
}

#[test]
fn pausing_holds_the_axis_and_asks_no_more() {
    let mut model = healthy();
    press(&mut model, KeyCode::Char(' '));
    sample::settle(&mut model, sample::Story::default());
    model.take_dirty();
    let before = frame(&model);
    let mut draws = 0;
    for second in 1..=60 {
        let now_ms = sample::NOW_MS + second * 1_000;
        let effects = update(&mut model, Msg::Tick { now_ms });
        assert_eq!(queries(&effects), []);
        draws += i32::from(model.take_dirty());
    }
    assert_eq!(draws, 0, "nothing changes, so nothing is drawn");
    let after = frame(&model);
    assert_eq!(before[(40, 5)], after[(40, 5)]);
    press(&mut model, KeyCode::Char('0'));
    assert_eq!(model.viewport.held_ms, None);
}

#[test]
fn the_next_tick_always_lies_ahead() {
    for name in sample::NAMES {
        for targets in [Vec::new(), vec!["shop".to_owned()]] {
            let mut model = sample::state(name, (120, 35), &Theme::default());
            model.config.fault_targets = targets;
            for second in 1..200 {
                let now_ms = sample::NOW_MS + second * 700;
                update(&mut model, Msg::Tick { now_ms });
                assert!(model.wake_ms() > now_ms, "{name}");
            }
        }
    }
}

#[test]
fn panning_goes_back_and_ends_live() {
    let mut model = healthy();
    press(&mut model, KeyCode::Char(','));
    assert_eq!(model.viewport.held_ms, Some(sample::NOW_MS - 150_000));
    press(&mut model, KeyCode::Char('.'));
    assert_eq!(model.viewport.held_ms, None);
}

#[test]
fn the_clock_may_jump() {
    for jump_ms in [-3_600_000, 8 * 3_600_000, -sample::NOW_MS] {
        let mut model = healthy();
        let now_ms = sample::NOW_MS + jump_ms;
        let effects = update(&mut model, Msg::Tick { now_ms });
        assert!(!queries(&effects).is_empty(), "{jump_ms}");
        frame(&model);
        assert!(model.wake_ms() <= now_ms + 60_000);
    }
}

#[test]
fn services_are_gone_through_from_the_edge() {
    let mut model = healthy();
    let effects = press(&mut model, KeyCode::Char('e'));
    let Effect::QueryPanel { expr, .. } = &effects[0] else {
        panic!("{effects:?}");
    };
    assert!(expr.contains(r#"service="orders""#), "{expr}");
    for _ in 0..3 {
        press(&mut model, KeyCode::Char('e'));
    }
    assert_eq!(model.service_name(), "storefront");
}

#[test]
fn a_service_name_cannot_leave_its_quotes() {
    let spec = &Config::default().panels[0];
    let expr = spec.expr_for("a\"} or up{x=\"\\");
    assert!(expr.contains(r#"service="a\"} or up{x=\"\\""#), "{expr}");
}

#[test]
fn a_playbook_starts_after_a_yes() {
    let mut model = healthy();
    press(&mut model, KeyCode::Char('p'));
    for _ in 0..3 {
        press(&mut model, KeyCode::Down);
    }
    press(&mut model, KeyCode::Enter);
    assert!(matches!(
        model.overlay,
        Some(Overlay::Confirm(Question::Start(_)))
    ));
    let drawn = text(&frame(&model));
    assert!(drawn.contains("error 503 on payments"), "{drawn}");
    let effects = press(&mut model, KeyCode::Char('y'));
    let name = "payments-503".to_owned();
    assert!(effects.contains(&Effect::StartPlaybook { name }));
    assert!(text(&frame(&model)).contains("starting"));
    // A second one is refused while the first is on.
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.overlay, None);
    press(&mut model, KeyCode::Char('x'));
    let effects = press(&mut model, KeyCode::Enter);
    assert!(effects.contains(&Effect::AbortRun));
}

#[test]
fn no_is_no() {
    let mut model = healthy();
    press(&mut model, KeyCode::Enter);
    for code in [KeyCode::Char('n'), KeyCode::Char('x')] {
        press(&mut model, code);
    }
    assert_eq!(model.overlay, None);
    assert!(!model.run_is_on());
}

#[test]
fn faults_stop_from_everywhere() {
    for name in sample::NAMES {
        let mut model = sample::state(name, (120, 35), &Theme::default());
        let on = model.run_is_on();
        let effects = ctrl(&mut model, 'x');
        assert!(effects.contains(&Effect::StopAllFaults), "{name}");
        assert_eq!(effects.contains(&Effect::AbortRun), on, "{name}");
    }
}

#[test]
fn quitting_asks_while_something_is_broken() {
    let mut model = healthy();
    assert_eq!(press(&mut model, KeyCode::Char('q')), [Effect::Quit]);
    assert_eq!(ctrl(&mut healthy(), 'c'), [Effect::Quit]);
    for name in ["incident", "running"] {
        let broken = || sample::state(name, (120, 35), &Theme::default());
        let mut model = broken();
        assert_eq!(press(&mut model, KeyCode::Char('q')), []);
        assert_eq!(press(&mut model, KeyCode::Char('q')), [], "q again is no");
        assert_eq!(model.overlay, None);
        assert_eq!(ctrl(&mut model, 'c'), []);
        assert_eq!(
            ctrl(&mut model, 'c'),
            [Effect::Quit],
            "pressed twice it does not ask"
        );
        let mut model = broken();
        press(&mut model, KeyCode::Char('q'));
        assert_eq!(press(&mut model, KeyCode::Enter), [Effect::Quit]);
    }
}

#[test]
fn a_fault_can_be_withdrawn_alone() {
    let mut model = sample::state("incident", (120, 35), &Theme::default());
    model.focus = Focus::Faults;
    press(&mut model, KeyCode::Enter);
    let effects = press(&mut model, KeyCode::Enter);
    let (target, id) = ("shop".to_owned(), "break-payments".to_owned());
    assert!(effects.contains(&Effect::StopFault { target, id }));
}

#[test]
fn the_runbook_is_copied() {
    let mut model = sample::state("alert", (120, 35), &Theme::default());
    let effects = press(&mut model, KeyCode::Char('o'));
    let url = "https://example.org/runbooks/PaymentFailureRateHigh.md".to_owned();
    assert_eq!(effects, [Effect::CopyToClipboard(url)]);
}

#[test]
fn events_come_in_the_order_of_time() {
    let model = sample::state("verdict", (120, 60), &Theme::default());
    let times: Vec<i64> = model.events().map(|event| event.at_ms).collect();
    assert!(times.is_sorted(), "{times:?}");
    let texts: Vec<&str> = model.events().map(|event| event.text.as_str()).collect();
    let place = |what: &str| texts.iter().position(|text| text.contains(what)).unwrap();
    assert!(place("break-payments: error") < place("PaymentFailureRateHigh pending"));
    assert!(place("PaymentFailureRateHigh pending") < place("PaymentFailureRateHigh FIRING"));
    assert!(place("withdrawn") < place("PaymentFailureRateHigh resolved"));
}

#[test]
fn a_fault_that_comes_back_is_a_second_span() {
    let mut model = healthy();
    let mut say = |live: bool, second: i64| {
        let now_ms = sample::NOW_MS + second * 1_000;
        update(&mut model, Msg::Tick { now_ms });
        let view = FaultView {
            id: "f".to_owned(),
            age_ms: 500,
            ..FaultView::default()
        };
        let result = Ok(if live { vec![view] } else { Vec::new() });
        update(
            &mut model,
            Msg::Faults {
                target: "shop".to_owned(),
                result,
            },
        );
    };
    say(true, 1);
    say(true, 2);
    say(false, 3);
    say(true, 10);
    assert_eq!(model.span_count(), 2);
}

#[test]
fn a_verdict_waits_until_it_is_dismissed() {
    let mut model = sample::state("verdict", (120, 35), &Theme::default());
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.overlay, Some(Overlay::Verdict));
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.run, None);
}

#[test]
fn an_end_without_a_begin_is_ignored() {
    let mut model = healthy();
    let event = RunEvent::Ended {
        status: RunStatus::Failed,
        exit_code: 3,
        reason: String::new(),
        checks: Vec::new(),
        at_ms: 0,
    };
    update(&mut model, Msg::Run(event));
    assert_eq!(model.run, None);
}
