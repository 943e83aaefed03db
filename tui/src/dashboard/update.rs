//! The only function that changes the model.

use super::act::act;
use super::intake;
use super::keys::{self, Mode};
use super::model::{Model, Overlay};
use super::msg::{Effect, Msg, NoticeLevel};
use super::panel::{Panel, Request};
use super::tables::EventKind;
use super::text::clean;
use signals::source::Range;

/// How long a flash stays in the footer, in milliseconds.
pub(crate) const FLASH_MS: i64 = 5_000;

/// Changes the model as a message says and returns what is to be done.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = match msg {
        Msg::Tick { now_ms } => {
            tick(model, now_ms);
            Vec::new()
        }
        Msg::Key(event) => match keys::action(model.mode(), &event) {
            Some(action) => {
                model.dirty = true;
                act(model, action)
            }
            None => Vec::new(),
        },
        other => {
            take_in(model, other);
            Vec::new()
        }
    };
    effects.extend(questions(model));
    effects
}

fn take_in(model: &mut Model, msg: Msg) {
    match msg {
        Msg::Tick { .. } | Msg::Key(_) => {}
        Msg::Resize { columns, rows } => {
            model.size = (columns, rows);
            model.dirty = true;
        }
        Msg::Series {
            panel,
            request,
            result,
        } => intake::series(model, panel, request, result),
        Msg::Rules(result) => intake::rules(model, result),
        Msg::Faults { target, result } => intake::faults(model, &clean(&target), result),
        Msg::Alertmanager(result) => intake::alertmanager(model, result),
        Msg::Playbooks(list) => {
            model.playbooks = list;
            model.dirty = true;
        }
        Msg::Services(list) => {
            model.services = list;
            model.service = 0;
            model.dirty = true;
        }
        Msg::Run(event) => intake::run(model, event),
        Msg::Notice { level, text } => {
            let kind = match level {
                NoticeLevel::Info => EventKind::Info,
                NoticeLevel::Warning => EventKind::Warning,
                NoticeLevel::Error => EventKind::Error,
            };
            model.events.push(model.now_ms, kind, clean(&text));
            model.dirty = true;
        }
    }
}

fn tick(model: &mut Model, now_ms: i64) {
    let second_changed = now_ms / 1_000 != model.now_ms / 1_000;
    model.now_ms = now_ms;
    if let Some((since_ms, _)) = model.flash
        && !(0..FLASH_MS).contains(&(now_ms - since_ms))
    {
        model.flash = None;
        model.dirty = true;
    }
    model.dirty |= second_changed && model.is_ticking();
}

/// Returns the questions that are due.
fn questions(model: &mut Model) -> Vec<Effect> {
    let now_ms = model.now_ms;
    let mut effects = Vec::new();
    for index in 0..model.panels.len() {
        effects.extend(ask_panel(model, index));
    }
    if model.alerts.fetch.take(now_ms) {
        effects.push(Effect::FetchRules);
    }
    if !model.config.fault_targets.is_empty() && model.faults.fetch.take(now_ms) {
        effects.push(Effect::FetchFaults);
    }
    if let Some((_, fetch)) = &mut model.alertmanager
        && fetch.take(now_ms)
    {
        effects.push(Effect::FetchAlertmanager);
    }
    effects
}

fn ask_panel(model: &mut Model, index: usize) -> Option<Effect> {
    if !model.wants_data(&model.panels[index]) || !model.panels[index].fetch.take(model.now_ms) {
        return None;
    }
    model.request_id += 1;
    let request = model.plan(&model.panels[index], model.request_id);
    let effect = Effect::QueryPanel {
        panel: index,
        request: request.id,
        expr: request.expr.clone(),
        range: request.range,
    };
    model.panels[index].request = Some(request);
    Some(effect)
}

impl Model {
    /// Returns which keys hold.
    pub fn mode(&self) -> Mode {
        match &self.overlay {
            None => Mode::Main,
            Some(Overlay::Confirm(_)) => Mode::Confirm,
            Some(_) => Mode::Popup,
        }
    }

    /// Returns the grid that the screen needs: the window and somewhat more, since a plot is a
    /// whole number of buckets wide.
    pub(crate) fn needed(&self) -> Range {
        let step_ms = self.step_ms();
        let floor = |t_ms: i64| t_ms.div_euclid(step_ms) * step_ms;
        let end_ms = floor(self.end_ms());
        let back_ms = self.viewport.window_ms + self.viewport.window_ms * 2 / 5;
        Range {
            start_ms: floor(end_ms - back_ms),
            end_ms,
            step_ms,
        }
    }

    /// Says whether a panel is to be asked for again: always when live, else until it covers
    /// what is on the screen.
    pub(crate) fn wants_data(&self, panel: &Panel) -> bool {
        self.viewport.held_ms.is_none() || !self.covers(panel)
    }

    /// Says whether a panel has what the screen needs.
    pub(crate) fn covers(&self, panel: &Panel) -> bool {
        let needed = self.needed();
        self.overlap(panel, needed)
            .is_some_and(|covered| covered.end_ms >= needed.end_ms)
    }

    // What of the same query on the same grid reaches back far enough to be continued.
    fn overlap(&self, panel: &Panel, needed: Range) -> Option<Range> {
        let (expr, covered) = panel.covered.as_ref()?;
        let same =
            covered.step_ms == needed.step_ms && *expr == panel.spec.expr_for(self.service_name());
        (same && covered.start_ms <= needed.start_ms && covered.end_ms >= needed.start_ms)
            .then_some(*covered)
    }

    fn plan(&self, panel: &Panel, id: u64) -> Request {
        let needed = self.needed();
        let expr = panel.spec.expr_for(self.service_name());
        let Some(covered) = self.overlap(panel, needed) else {
            return Request {
                id,
                range: needed,
                expr,
                replaces: true,
            };
        };
        // Two steps again: their samples may have come after the last answer was made.
        let start_ms = (covered.end_ms - 2 * needed.step_ms).max(needed.start_ms);
        Request {
            id,
            range: Range {
                start_ms: start_ms.min(needed.end_ms),
                ..needed
            },
            expr,
            replaces: false,
        }
    }
}
