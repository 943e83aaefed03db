//! Draws the model.
use super::model::Model;
use ratatui::Frame;

/// Draws the model on a frame.
pub fn draw(_model: &Model, frame: &mut Frame) {
    let _ = frame;
}
