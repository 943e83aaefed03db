//! A real terminal.
