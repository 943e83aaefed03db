//! What a customer does, and how often each kind of customer comes.
//!
//! Pure: the n-th journey is a hash of (seed, n), whatever happened before it.

use std::{fmt, str::FromStr};

use super::LoadConfig;
use crate::draw::Draw;

/// Customers that come back.
const CUSTOMERS: u64 = 10_000;
const PAY_BY: [&str; 3] = ["card", "wallet", "transfer"];

/// A kind of customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Journey {
    /// Looks at the list of products.
    Browse,
    /// Looks at one product.
    View,
    /// Looks, orders and pays.
    Buy,
    /// Looks, orders and never pays.
    Abandon,
}

impl Journey {
    /// Every kind, in the order of the weights.
    pub const ALL: [Self; 4] = [Self::Browse, Self::View, Self::Buy, Self::Abandon];

    /// Returns the name in flags and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::View => "view",
            Self::Buy => "buy",
            Self::Abandon => "abandon",
        }
    }

    /// Returns method and route of the request the customer comes for: what `where` of a traffic
    /// fault is held against.
    pub const fn aim(self) -> (&'static str, &'static str) {
        match self {
            Self::Browse => ("GET", "/products"),
            Self::View => ("GET", "/products/:id"),
            Self::Buy => ("POST", "/payment/pay"),
            Self::Abandon => ("POST", "/order"),
        }
    }
}

/// One customer's visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// What for.
    pub journey: Journey,
    /// Who.
    pub customer_id: u64,
    /// Which product is looked at or bought.
    pub product_id: u64,
    /// How many are bought.
    pub quantity: u64,
    /// How it is paid.
    pub method: &'static str,
}

impl Visit {
    /// Returns the `n`-th visit: a hash of the seed and `n`.
    pub fn nth(config: &LoadConfig, n: u64) -> Self {
        // Apart from the gaps between arrivals, which draw from the same seed.
        let mut draw = Draw::new(config.seed ^ 0x0076_6973_6974, n);
        let journey = config.mix.pick(&mut draw);
        // Some products are liked better than others.
        let liking = draw.unit() * draw.unit();
        Self {
            journey,
            customer_id: 1 + draw.below(CUSTOMERS),
            product_id: 1 + (liking * f64::from(config.products)) as u64,
            quantity: 1 + draw.below(2),
            method: PAY_BY[draw.below(PAY_BY.len() as u64) as usize],
        }
    }
}

/// Weights of the journeys; written `browse=25,view=20,buy=45,abandon=10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    weights: [u32; Journey::ALL.len()],
}

impl Default for Mix {
    /// Returns a mix that pays 27 times a second at 60 journeys a second.
    fn default() -> Self {
        Self {
            weights: [25, 20, 45, 10],
        }
    }
}

impl Mix {
    /// Returns the journey that `draw` picks.
    pub fn pick(&self, draw: &mut Draw) -> Journey {
        let total: u64 = self.weights.iter().map(|weight| u64::from(*weight)).sum();
        let mut left = draw.below(total);
        for (journey, weight) in Journey::ALL.into_iter().zip(self.weights) {
            if left < u64::from(weight) {
                return journey;
            }
            left -= u64::from(weight);
        }
        Journey::Browse
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (journey, weight)) in Journey::ALL.into_iter().zip(self.weights).enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{}={weight}", journey.name())?;
        }
        Ok(())
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut weights = [0; Journey::ALL.len()];
        for part in text.split(',').map(str::trim) {
            let (name, weight) = part
                .split_once('=')
                .ok_or_else(|| format!("{part:?}: write NAME=WEIGHT"))?;
            let known = Journey::ALL
                .into_iter()
                .position(|journey| journey.name() == name);
            let at = known.ok_or_else(|| {
                format!(
                    "no journey {name:?}; there are {}",
                    Journey::ALL.map(Journey::name).join(", ")
                )
            })?;
            weights[at] = weight
                .parse()
                .map_err(|_| format!("{weight:?}: a weight is a whole number"))?;
        }
        if weights.iter().all(|weight| *weight == 0) {
            return Err("at least one weight must be above 0".to_owned());
        }
        Ok(Self { weights })
    }
}

#[cfg(test)]
mod tests {
    use super::{Journey, Mix};
    use crate::draw::Draw;

    #[test]
    fn a_mix_reads_what_it_writes_and_names_what_is_wrong() {
        let mix = Mix::default();
        assert_eq!(mix.to_string().parse::<Mix>().unwrap(), mix);
        assert!(
            "sell=1"
                .parse::<Mix>()
                .unwrap_err()
                .contains("browse, view, buy, abandon")
        );
        assert!("buy".parse::<Mix>().unwrap_err().contains("NAME=WEIGHT"));
        assert!("buy=0".parse::<Mix>().is_err());
    }

    #[test]
    fn the_default_mix_pays_twenty_times_a_second_at_sixty_journeys() {
        let mix = Mix::default();
        let bought = (0..60_000)
            .filter(|n| mix.pick(&mut Draw::new(7, *n)) == Journey::Buy)
            .count();
        assert!(bought > 25_000 && bought < 29_000, "{bought} of 60000");
    }
}
