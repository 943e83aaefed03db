//! Customers by what they bought and when.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::telemetry::catalogue;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SegmentLabel {
    segment: &'static str,
}

/// A kind of customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Bought once, lately.
    New,
    /// Bought more than once, and lately.
    Returning,
    /// Bought much, or often.
    Vip,
    /// Bought nothing for a month.
    AtRisk,
    /// Bought nothing for three months.
    Churned,
}

impl Segment {
    const ALL: [Self; 5] = [
        Self::New,
        Self::Returning,
        Self::Vip,
        Self::AtRisk,
        Self::Churned,
    ];

    /// Returns the value of the `segment` label, and of that member of the baggage.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Returning => "returning",
            Self::Vip => "vip",
            Self::AtRisk => "at_risk",
            Self::Churned => "churned",
        }
    }
}

impl Segment {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|segment| segment.name() == name)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Segments(Family<SegmentLabel, Gauge>);

impl Segments {
    pub(super) fn register(&self, registry: &mut Registry) {
        catalogue::CUSTOMER_SEGMENTS.register(registry, self.0.clone());
        for segment in Segment::ALL {
            self.show(segment, 0);
        }
    }

    pub(super) fn show(&self, segment: Segment, customers: i64) {
        let segment = segment.name();
        self.0
            .get_or_create_owned(&SegmentLabel { segment })
            .set(customers);
    }
}
