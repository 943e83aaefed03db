//! The time chart: our own, on a grid of dots.
//!
//! Time is absolute: bucket `k` covers `[k·w, (k+1)·w)` milliseconds since the epoch and the plot
//! moves by whole cells, so what has been drawn stays as it is and nothing shimmers. Per bucket the
//! least and the greatest value are kept and drawn as a bar, so no dip and no peak is lost. A
//! bucket without a sample stays blank, and no line crosses it.
//!
//! Invariant: no dot is painted in a bucket without a sample.
//!
//! Reading order: [`TimeScale`], [`ValueScale`], [`Plot`], [`value_axis`], [`ruler`]. The buckets are those of
//! `signals::buckets`.

mod axis;
mod dots;
mod plot;
mod ruler;
mod time_scale;
mod value_scale;

pub use axis::value_axis;
pub use plot::{Line, Plot, Shade};
pub use ruler::{Mark, ruler, time_axis};
pub use time_scale::TimeScale;
pub use value_scale::ValueScale;
