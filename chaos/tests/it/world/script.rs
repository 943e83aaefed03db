//! How a world differs from one in which everything works.

/// What is different from a world in which everything works.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent columns of a table"
)]
pub(crate) struct Script {
    /// Seconds after the start at which somebody wants to stop.
    pub(crate) cancel_at_s: Vec<f64>,
    /// The target stops answering.
    pub(crate) target_dies_at_s: Option<f64>,
    /// The target is another process, without faults.
    pub(crate) target_restarts_at_s: Option<f64>,
    /// The source stops answering.
    pub(crate) source_dies_at_s: Option<f64>,
    /// The target accepts faults and does nothing.
    pub(crate) without_effect: bool,
    /// Error ratio without and with a fault; none is no data.
    pub(crate) errors: (Option<f64>, Option<f64>),
    /// Seconds of fault until the alert fires; none is never.
    pub(crate) fires_after_s: Option<f64>,
    /// Seconds after the fault until it is gone; none is never.
    pub(crate) resolves_after_s: Option<f64>,
    /// Another alert that fires between these seconds.
    pub(crate) other: Option<(&'static str, f64, f64)>,
    /// The names of the loaded alerting rules; none is a source without a rules API.
    pub(crate) rules: Option<Vec<&'static str>>,
    /// What the target offers.
    pub(crate) kinds: Vec<&'static str>,
    /// Somebody else's fault is active there.
    pub(crate) foreign: bool,
    /// The target ends the fault this many seconds after its start although it is renewed.
    pub(crate) lease_lost_after_s: Option<f64>,
    /// The target refuses to arm.
    pub(crate) refuses: bool,
    /// Withdrawals are acknowledged and not done.
    pub(crate) withdraws_in_vain: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            cancel_at_s: vec![],
            target_dies_at_s: None,
            target_restarts_at_s: None,
            source_dies_at_s: None,
            without_effect: false,
            errors: (Some(0.001), Some(0.5)),
            fires_after_s: Some(6.0),
            resolves_after_s: Some(5.0),
            other: None,
            rules: Some(vec!["Broken", "Other", "Watchdog"]),
            kinds: vec!["error", "latency"],
            foreign: false,
            lease_lost_after_s: None,
            refuses: false,
            withdraws_in_vain: false,
        }
    }
}
