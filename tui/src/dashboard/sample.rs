//! Canned states for tests, benches and pictures.
