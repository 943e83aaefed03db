//! The time chart: our own, on a grid of dots.
