//! The funnel: how far customers come on their way to an order.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::{market::Country, telemetry::catalogue};

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
    country: &'static str,
}

/// A stage of the funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The list of products was shown.
    BrowseCatalog,
    /// A product was shown.
    ViewProduct,
    /// Something was put into a cart.
    AddToCart,
    /// What was in a cart is paid.
    CheckoutComplete,
}

impl Stage {
    const NAMES: [&str; 4] = [
        "browse_catalog",
        "view_product",
        "add_to_cart",
        "checkout_complete",
    ];

    const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Funnel(Family<StageLabels, Counter>);

impl Funnel {
    pub(super) fn register(&self, registry: &mut Registry) {
        catalogue::FUNNEL_STAGE.register(registry, self.0.clone());
        for country in Country::ALL {
            for stage in Stage::NAMES {
                self.counter(stage, country);
            }
        }
    }

    pub(super) fn reached(&self, stage: Stage, country: Country) {
        self.counter(stage.name(), country).inc();
    }

    fn counter(&self, stage: &'static str, country: Country) -> Counter {
        let country = country.code();
        self.0.get_or_create_owned(&StageLabels { stage, country })
    }
}
