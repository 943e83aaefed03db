//! One customer's visit: who comes, from where, and for what.
//!
//! Pure: the n-th visit is a hash of (seed, n), whatever happened before it.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use super::{
    kind::{Journey, Kind, Mix},
    weights::Weights,
};
use crate::{draw::Draw, market::Country};

/// Customers that come back.
pub(super) const CUSTOMERS: u64 = 10_000;
const PAY_BY: [&str; 3] = ["card", "wallet", "transfer"];
/// Keeps the draws of visits apart from the gaps between arrivals, which draw from the same seed.
const SALT: u64 = 0x0076_6973_6974;

/// Share of the buyers who use an account. Small: checking a password is dear on purpose.
const WITH_ACCOUNT: f64 = 0.02;
/// Share of the checkouts that try a coupon.
const WITH_COUPON: f64 = 0.3;

/// Weights of the countries that customers come from; written `US=40,DE=60`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Countries(Weights<{ Country::ALL.len() }>);

impl Default for Countries {
    fn default() -> Self {
        Self(Weights::new([30, 15, 15, 12, 12, 8, 8]))
    }
}

impl fmt::Display for Countries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, Country::ALL.map(Country::code))
    }
}

impl FromStr for Countries {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Weights::parse(text, "country", Country::ALL.map(Country::code)).map(Self)
    }
}

/// What visits are drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// How often each journey comes.
    pub mix: Mix,
    /// Where customers come from.
    pub countries: Countries,
    /// Products the shop is known to have: ids 1 to this.
    pub products: u32,
}

/// One customer's visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Its number.
    pub n: u64,
    /// What for.
    pub journey: Journey,
    /// Who.
    pub customer_id: u64,
    /// From where: the place among the countries.
    pub(super) country: usize,
    /// Which product is looked at or bought.
    pub product_id: u64,
    /// How many are bought.
    pub quantity: u64,
    /// How it is paid.
    pub method: &'static str,
    /// Whether the customer logs in.
    pub has_account: bool,
    /// Whether the customer tries a coupon.
    pub has_coupon: bool,
    /// The lots of what happens on the way: pauses, pages, words.
    pub(super) lots: u64,
}

impl Visit {
    /// Returns the `n`-th visit: a hash of the seed and `n`.
    pub fn nth(plan: &Plan, n: u64) -> Self {
        let mut draw = Draw::new(plan.seed ^ SALT, n);
        let journey = plan.mix.pick(&mut draw);
        Self::of(plan, n, journey, &mut draw)
    }

    /// Returns visit `k` of customer `index` of a crowd, who stays of one kind.
    pub(super) fn of_customer(plan: &Plan, index: u32, k: u32, kind: Kind) -> Self {
        let n = u64::from(index) << 32 | u64::from(k);
        let mut draw = Draw::new(plan.seed ^ SALT, n);
        let journey = plan.mix.pick_of(kind, &mut draw);
        let mut visit = Self::of(plan, n, journey, &mut draw);
        let mut home = Draw::new(plan.seed ^ !SALT, u64::from(index));
        visit.customer_id = 1 + home.below(CUSTOMERS);
        visit.country = plan.countries.0.pick(&mut home);
        visit
    }

    fn of(plan: &Plan, n: u64, journey: Journey, draw: &mut Draw) -> Self {
        // Some products are liked better than others.
        let liking = draw.unit() * draw.unit();
        Self {
            n,
            journey,
            customer_id: 1 + draw.below(CUSTOMERS),
            product_id: 1 + (liking * f64::from(plan.products)) as u64,
            quantity: 1 + draw.below(2),
            method: PAY_BY[draw.below(PAY_BY.len() as u64) as usize],
            country: plan.countries.0.pick(draw),
            has_account: journey.kind() == Kind::Buyers && draw.unit() < WITH_ACCOUNT,
            has_coupon: journey == Journey::Checkout && draw.unit() < WITH_COUPON,
            lots: draw.next(),
        }
    }

    /// Returns the address the customer claims, of the block for benchmarks (RFC 2544): one for each
    /// customer, and a few for all attackers, so that a shop that believes it does not take everybody
    /// for one of them.
    pub(super) fn address(&self) -> Ipv4Addr {
        let [.., high, low] = (self.customer_id as u32).to_be_bytes();
        if self.journey.kind() == Kind::Attackers {
            Ipv4Addr::new(198, 19, 255, low % 4)
        } else {
            Ipv4Addr::new(198, 18, high, low)
        }
    }

    /// Returns the code of the country the customer comes from.
    pub fn country(&self) -> &'static str {
        Country::ALL[self.country].code()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Countries, Kind, Mix, Plan, Visit};

    fn plan(seed: u64) -> Plan {
        Plan {
            seed,
            mix: Mix::default(),
            countries: Countries::default(),
            products: 24,
        }
    }

    #[test]
    fn a_visit_is_a_hash_of_seed_and_number() {
        let visits = |seed| {
            (0..500)
                .map(|n| Visit::nth(&plan(seed), n))
                .collect::<Vec<_>>()
        };
        assert_eq!(visits(1), visits(1));
        assert_ne!(visits(1), visits(2));
        let backwards: Vec<_> = (0..500).rev().map(|n| Visit::nth(&plan(1), n)).collect();
        assert!(visits(1).iter().eq(backwards.iter().rev()));
    }

    #[test]
    fn countries_come_by_their_weights() {
        let mut seen = BTreeMap::new();
        for n in 0..20_000 {
            let visit = Visit::nth(&plan(4), n);
            *seen.entry(visit.country()).or_insert(0) += 1;
            assert!((1..=24).contains(&visit.product_id));
        }
        assert!((5_700..6_300).contains(&seen["US"]), "{seen:?}");
        assert!((1_450..1_750).contains(&seen["IN"]), "{seen:?}");
        let countries: Countries = "DE=1".parse().unwrap();
        let only = Plan {
            countries,
            ..plan(4)
        };
        assert!((0..100).all(|n| Visit::nth(&only, n).country() == "DE"));
        assert!(
            "XX=1"
                .parse::<Countries>()
                .unwrap_err()
                .contains("US, UK, DE")
        );
    }

    #[test]
    fn a_customer_of_a_crowd_stays_who_it_is() {
        let first = Visit::of_customer(&plan(9), 3, 0, Kind::Buyers);
        for k in 1..50 {
            let visit = Visit::of_customer(&plan(9), 3, k, Kind::Buyers);
            assert_eq!(visit.journey.kind(), Kind::Buyers);
            assert_eq!(visit.customer_id, first.customer_id);
            assert_eq!(visit.country, first.country);
        }
        let products = (0..50).map(|k| Visit::of_customer(&plan(9), 3, k, Kind::Buyers).product_id);
        assert!(products.collect::<std::collections::BTreeSet<_>>().len() > 5);
    }
}
