//! The whole state of the dashboard.

use super::msg::PlaybookView;
use super::panel::{Panel, PanelSpec};
use super::schedule::Fetch;
use super::tables::{Alerts, Event, EventLog, Faults, RunState, SourceState};
use super::theme::Theme;
use jiff::tz::TimeZone;

/// The windows that zooming goes through, in milliseconds.
pub(crate) const WINDOWS_MS: [i64; 10] = [
    60_000, 120_000, 300_000, 900_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000,
    86_400_000,
];

/// What stays the same while the dashboard runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// How a person calls the source: `embedded` or an address.
    pub source: String,
    /// The Alertmanager's address, if there is one.
    pub alertmanager: Option<String>,
    /// Whether faults can be armed and playbooks run.
    pub fault_targets: Vec<String>,
    /// The panels from top to bottom.
    pub panels: Vec<PanelSpec>,
    /// The services the panels can show, the edge first.
    pub services: Vec<String>,
    /// The playbooks that can be started.
    pub playbooks: Vec<PlaybookView>,
    /// The window at the start, in milliseconds.
    pub window_ms: i64,
    /// How often live panels and rules are asked for, in milliseconds.
    pub refresh_ms: i64,
    /// The finest step worth asking for, in milliseconds.
    pub min_step_ms: i64,
    /// Colours and glyphs.
    pub theme: Theme,
    /// The zone of every time on the screen.
    pub zone: TimeZone,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: "embedded".to_owned(),
            alertmanager: None,
            fault_targets: Vec::new(),
            panels: PanelSpec::defaults(),
            services: vec!["storefront".to_owned()],
            playbooks: Vec::new(),
            window_ms: 300_000,
            refresh_ms: 1_000,
            min_step_ms: 1_000,
            theme: Theme::default(),
            zone: TimeZone::UTC,
        }
    }
}

/// The part of time on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewport {
    /// Its length in milliseconds.
    pub window_ms: i64,
    /// Its end when it stands still; `None` follows the clock.
    pub held_ms: Option<i64>,
}

/// The part of the screen that has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// The charts; the selection is a panel.
    #[default]
    Charts,
    /// The alerts.
    Alerts,
    /// The playbooks, or the steps of the run.
    Playbooks,
    /// The faults.
    Faults,
    /// The event log.
    Events,
}

impl Focus {
    /// All parts in the order of Tab.
    pub const ALL: [Self; 5] = [
        Self::Charts,
        Self::Alerts,
        Self::Playbooks,
        Self::Faults,
        Self::Events,
    ];

    pub(crate) fn index(self) -> usize {
        Self::ALL
            .iter()
            .position(|other| *other == self)
            .unwrap_or(0)
    }
}

/// A question that wants yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Start this playbook?
    Start(PlaybookView),
    /// Abort the run?
    Abort,
    /// Withdraw this fault?
    Withdraw {
        /// The target.
        target: String,
        /// The fault.
        id: String,
    },
    /// Quit although something is broken?
    Quit,
}

/// What lies on top of the dashboard.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// The keys.
    Help,
    /// A question.
    Confirm(Question),
    /// An alert in full.
    Alert(Box<super::tables::AlertRow>),
    /// The verdict of the run in full.
    Verdict,
}

/// What is drawn into the charts beside the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// Thresholds.
    pub thresholds: bool,
    /// Faults and alerts.
    pub annotations: bool,
}

/// The state of the dashboard.
#[derive(Debug, Clone)]
pub struct Model {
    /// What stays the same.
    pub config: Config,
    /// The time of the last tick, milliseconds since the epoch.
    pub now_ms: i64,
    /// Width and height of the terminal.
    pub size: (u16, u16),
    /// The part of time on the screen.
    pub viewport: Viewport,
    /// The panels from top to bottom.
    pub panels: Vec<Panel>,
    /// Which of the services is shown.
    pub service: usize,
    /// The services that can be shown.
    pub services: Vec<String>,
    /// The run on the screen.
    pub run: Option<RunState>,
    /// The playbooks that can be started.
    pub playbooks: Vec<PlaybookView>,
    /// What has the keyboard.
    pub focus: Focus,
    /// What lies on top.
    pub overlay: Option<Overlay>,
    /// Whether the selected panel has the screen for itself.
    pub fullscreen: bool,
    /// What is drawn into the charts beside the data.
    pub layers: Layers,
    pub(crate) selected: [usize; 5],
    pub(crate) scroll: usize,
    pub(crate) source: SourceState,
    pub(crate) alertmanager: Option<(SourceState, Fetch)>,
    pub(crate) alerts: Alerts,
    pub(crate) faults: Faults,
    pub(crate) events: EventLog,
    pub(crate) request_id: u64,
    pub(crate) flash: Option<(i64, String)>,
    pub(crate) dirty: bool,
}

impl Model {
    /// Builds the state before anything is known.
    pub fn new(config: Config, now_ms: i64, size: (u16, u16)) -> Self {
        let named = |name: &str| SourceState {
            name: super::text::clean(name),
            ..SourceState::default()
        };
        Self {
            now_ms,
            size,
            viewport: Viewport {
                window_ms: config.window_ms,
                held_ms: None,
            },
            panels: config.panels.iter().cloned().map(Panel::new).collect(),
            service: 0,
            services: config.services.clone(),
            run: None,
            playbooks: config.playbooks.clone(),
            focus: if size.0 >= 120 && size.1 >= 35 {
                Focus::Playbooks
            } else {
                Focus::Charts
            },
            overlay: None,
            fullscreen: false,
            layers: Layers {
                thresholds: true,
                annotations: true,
            },
            selected: [0; 5],
            scroll: 0,
            source: named(&config.source),
            alertmanager: config
                .alertmanager
                .as_deref()
                .map(|name| (named(name), Fetch::default())),
            alerts: Alerts::default(),
            faults: Faults::default(),
            events: EventLog::default(),
            request_id: 0,
            flash: None,
            dirty: true,
            config,
        }
    }

    /// Returns the end of the part of time on the screen.
    pub fn end_ms(&self) -> i64 {
        self.viewport.held_ms.unwrap_or(self.now_ms)
    }

    /// Returns the name of the service that is shown.
    pub fn service_name(&self) -> &str {
        self.services.get(self.service).map_or("", String::as_str)
    }

    /// Says whether something is broken on purpose, or about to be.
    pub fn is_something_broken(&self) -> bool {
        !self.faults.rows.is_empty() || self.run_is_on()
    }

    /// Says whether a run is going on.
    pub fn run_is_on(&self) -> bool {
        self.run.as_ref().is_some_and(RunState::is_on)
    }

    /// Returns the event log, oldest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.list.iter()
    }

    /// Returns how many events are kept.
    pub fn event_count(&self) -> usize {
        self.events.list.len()
    }

    /// Returns how many spans of faults and alerts are kept.
    pub fn span_count(&self) -> usize {
        self.faults.spans.len() + self.alerts.spans.len()
    }

    /// Takes the mark that the screen no longer shows the model.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// Returns the distance between the steps that panels ask for, in milliseconds.
    pub(crate) fn step_ms(&self) -> i64 {
        const STEPS_MS: [i64; 14] = [
            100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
            600_000, 1_800_000,
        ];
        let wanted = self.viewport.window_ms / 600;
        let step = STEPS_MS
            .iter()
            .rev()
            .find(|step| **step <= wanted)
            .unwrap_or(&STEPS_MS[0]);
        (*step).max(self.config.min_step_ms).max(1)
    }

    /// Says whether something on the screen changes as time goes by.
    pub(crate) fn is_ticking(&self) -> bool {
        self.viewport.held_ms.is_none()
            || self.is_something_broken()
            || !self.alerts.rows.is_empty()
            || self.flash.is_some()
            || self.source.error.is_some()
            || self.panels.iter().any(|panel| panel.error.is_some())
    }

    /// Returns when the model wants its next tick, milliseconds since the epoch.
    pub fn wake_ms(&self) -> i64 {
        let has_targets = !self.config.fault_targets.is_empty();
        let fetches = std::iter::once(self.alerts.fetch.wake_ms())
            .chain(has_targets.then(|| self.faults.fetch.wake_ms()))
            .chain(self.alertmanager.iter().map(|(_, fetch)| fetch.wake_ms()))
            .chain(
                self.panels
                    .iter()
                    .filter(|panel| self.wants_data(panel))
                    .map(|panel| panel.fetch.wake_ms()),
            )
            .min()
            .unwrap_or(i64::MAX);
        let second = if self.is_ticking() {
            (self.now_ms / 1_000 + 1) * 1_000
        } else {
            i64::MAX
        };
        fetches.min(second)
    }
}
