//! The dashboard: a pure core and a terminal rim.
//!
//! The core is [`Model`], the closed list of [`Msg`] that change it, [`update`], which answers with
//! [`Effect`]s, and [`draw`]. It knows no clock, no network and no terminal: the time is a message,
//! and whoever runs the dashboard carries the effects out and reports back by message. The rim is
//! [`terminal`]: it owns the screen, and gives it back whatever happens.
//!
//! Invariant: the same messages give the same frame.
//!
//! Reading order: [`Msg`] and [`Effect`], [`Model`], [`keys`], `update`, [`chart`], `view`,
//! [`terminal`].

mod act;
pub mod chart;
mod condition;
pub mod format;
mod intake;
pub mod keys;
mod model;
mod msg;
mod panel;
#[doc(hidden)]
pub mod sample;
mod schedule;
mod tables;
pub mod terminal;
pub mod text;
mod theme;
mod update;
mod view;

pub use format::Unit;
pub use model::{Config, Focus, Layers, Model, Overlay, Question, Viewport};
pub use msg::{
    CheckView, Effect, FaultView, Grade, Msg, NoticeLevel, PlaybookView, RunEvent, RunStatus,
    StepState, StepView,
};
pub use panel::{Panel, PanelSpec, PanelState, ThresholdSpec, Worse};
pub use tables::{
    AlertRow, Event, EventKind, FaultRow, RunState, SourceState, Span, Step, Verdict,
};
pub use theme::{Glyphs, Marker, Palette, Theme};
pub use update::update;
pub use view::draw;
