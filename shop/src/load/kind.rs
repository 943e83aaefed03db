//! Who comes: kinds of customers, the journeys each of them makes, and their weights.
//!
//! Pure and closed: kinds and journeys are label values.

use std::{fmt, str::FromStr};

use super::weights::{Turns, Weights};
use crate::draw::Draw;

/// What a customer comes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Journey {
    /// Looks at the list of products, searches, perhaps looks at one.
    Browse,
    /// Looks at one product.
    View,
    /// Looks, orders and pays.
    Buy,
    /// Looks, fills a cart and checks out, sometimes with a coupon.
    Checkout,
    /// Looks, orders and never pays.
    Abandon,
    /// Looks, fills a cart and leaves it.
    LeaveCart,
    /// Looks at orders, sales and customers.
    Administer,
    /// Tries passwords.
    Guess,
    /// Tries paths that no shop has.
    Scan,
}

impl Journey {
    /// Every journey, in the order of the weights.
    pub const ALL: [Self; 9] = [
        Self::Browse,
        Self::View,
        Self::Buy,
        Self::Checkout,
        Self::Abandon,
        Self::LeaveCart,
        Self::Administer,
        Self::Guess,
        Self::Scan,
    ];

    /// Returns the name in flags and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::View => "view",
            Self::Buy => "buy",
            Self::Checkout => "checkout",
            Self::Abandon => "abandon",
            Self::LeaveCart => "leave_cart",
            Self::Administer => "administer",
            Self::Guess => "guess",
            Self::Scan => "scan",
        }
    }

    /// Returns who makes this journey.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Browse | Self::View => Kind::Browsers,
            Self::Abandon | Self::LeaveCart => Kind::Abandoners,
            Self::Buy | Self::Checkout => Kind::Buyers,
            Self::Administer => Kind::Admins,
            Self::Guess | Self::Scan => Kind::Attackers,
        }
    }

    /// Returns method and route of the request the customer comes for: what `where` of a traffic
    /// fault is held against.
    pub const fn aim(self) -> (&'static str, &'static str) {
        match self {
            Self::Browse => ("GET", "/products"),
            Self::View => ("GET", "/products/:id"),
            Self::Buy => ("POST", "/payment/pay"),
            Self::Checkout => ("POST", "/checkout"),
            Self::Abandon => ("POST", "/order"),
            Self::LeaveCart => ("POST", "/cart/items"),
            Self::Administer => ("GET", "/admin/orders"),
            Self::Guess => ("POST", "/users/login"),
            Self::Scan => ("GET", "unknown"),
        }
    }

    /// Returns how many of [`WHOLE`] visits of its kind are this journey.
    const fn share(self) -> u32 {
        const BUY: u32 = 72;
        match self {
            Self::Browse => 50,
            Self::View => 40,
            Self::Buy => BUY,
            Self::Checkout => WHOLE - BUY,
            Self::Administer => WHOLE,
            Self::Abandon | Self::LeaveCart | Self::Guess | Self::Scan => WHOLE / 2,
        }
    }
}

/// What the shares of the journeys of one kind add up to.
const WHOLE: u32 = 90;

/// A kind of customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Look and leave.
    Browsers,
    /// Come close to buying and leave.
    Abandoners,
    /// Buy.
    Buyers,
    /// Run the shop.
    Admins,
    /// Want what is not theirs.
    Attackers,
}

impl Kind {
    /// Every kind, in the order of the weights.
    pub const ALL: [Self; 5] = [
        Self::Browsers,
        Self::Abandoners,
        Self::Buyers,
        Self::Admins,
        Self::Attackers,
    ];

    /// Returns the name in flags and summaries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browsers => "browsers",
            Self::Abandoners => "abandoners",
            Self::Buyers => "buyers",
            Self::Admins => "admins",
            Self::Attackers => "attackers",
        }
    }
}

/// Weights of the kinds of customers; written `browsers=45,abandoners=10,buyers=45`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(Weights<{ Kind::ALL.len() }>);

impl Kinds {
    /// Returns these kinds with one admin in a hundred customers, for a generator that has an
    /// admin's token.
    #[must_use]
    pub fn with_admins(self) -> Self {
        let mut weights = Kind::ALL.map(|kind| self.0.of(kind as usize));
        weights[Kind::Admins as usize] += (self.0.total() / 99).max(1) as u32;
        Self(Weights::new(weights))
    }
}

impl Default for Kinds {
    /// Returns a mix that pays 27 times a second at 60 journeys a second.
    fn default() -> Self {
        Self(Weights::new([45, 10, 45, 0, 0]))
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, Kind::ALL.map(Kind::name))
    }
}

impl FromStr for Kinds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Weights::parse(text, "kind of customer", Kind::ALL.map(Kind::name)).map(Self)
    }
}

/// Weights of the journeys; written `browse=25,view=20,buy=45,abandon=10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix(Weights<{ Journey::ALL.len() }>);

impl From<Kinds> for Mix {
    fn from(kinds: Kinds) -> Self {
        let weight = |journey: Journey| {
            let kind = kinds.0.of(journey.kind() as usize);
            kind.saturating_mul(journey.share())
        };
        Self(Weights::new(Journey::ALL.map(weight)))
    }
}

impl Default for Mix {
    fn default() -> Self {
        Kinds::default().into()
    }
}

impl Mix {
    /// Returns the journey that `draw` picks.
    pub fn pick(&self, draw: &mut Draw) -> Journey {
        Journey::ALL[self.0.pick(draw)]
    }

    /// Returns the journey that `draw` picks among those of one kind, which must have one.
    pub(super) fn pick_of(&self, kind: Kind, draw: &mut Draw) -> Journey {
        let weight = |journey: Journey| {
            if journey.kind() == kind {
                self.0.of(journey as usize)
            } else {
                0
            }
        };
        Journey::ALL[Weights::new(Journey::ALL.map(weight)).pick(draw)]
    }

    /// Deals out the kinds of a crowd.
    pub(super) fn crowd(&self) -> Crowd {
        let weight = |kind: Kind| {
            let own = Journey::ALL
                .into_iter()
                .filter(|journey| journey.kind() == kind);
            own.map(|journey| self.0.of(journey as usize))
                .fold(0, u32::saturating_add)
        };
        Crowd(Turns::new(Weights::new(Kind::ALL.map(weight))))
    }
}

/// The kinds of a crowd of customers, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Crowd(Turns<{ Kind::ALL.len() }>);

impl Crowd {
    /// Returns the kind of the next customer.
    pub(super) fn next(&mut self) -> Kind {
        Kind::ALL[self.0.next()]
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, Journey::ALL.map(Journey::name))
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Weights::parse(text, "journey", Journey::ALL.map(Journey::name)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Journey, Kind, Kinds, Mix};
    use crate::draw::Draw;

    #[test]
    fn a_mix_reads_what_it_writes_and_names_what_is_wrong() {
        let mix = Mix::default();
        assert_eq!(mix.to_string().parse::<Mix>().unwrap(), mix);
        let kinds = Kinds::default();
        assert_eq!(kinds.to_string().parse::<Kinds>().unwrap(), kinds);
        let error = "sell=1".parse::<Mix>().unwrap_err();
        assert!(error.contains("browse, view, buy"), "{error}");
        let error = "thieves=1".parse::<Kinds>().unwrap_err();
        assert!(error.contains("buyers, admins, attackers"), "{error}");
    }

    #[test]
    fn the_default_mix_pays_twenty_times_a_second_at_sixty_journeys() {
        let mix = Mix::default();
        let pays = |n: &u64| {
            let journey = mix.pick(&mut Draw::new(7, *n));
            matches!(journey, Journey::Buy | Journey::Checkout)
        };
        let bought = (0..60_000).filter(pays).count();
        assert!(bought > 25_000 && bought < 29_000, "{bought} of 60000");
    }

    #[test]
    fn the_default_mix_attacks_nobody_and_admins_come_with_a_token() {
        let of = |mix: Mix, kind| {
            let journeys = (0..20_000).map(|n| mix.pick(&mut Draw::new(3, n)).kind());
            journeys.filter(|drawn| *drawn == kind).count()
        };
        let default = Mix::default();
        assert_eq!(
            (of(default, Kind::Admins), of(default, Kind::Attackers)),
            (0, 0)
        );
        let admins = of(Kinds::default().with_admins().into(), Kind::Admins);
        assert!((100..300).contains(&admins), "{admins} of 20000");
    }

    #[test]
    fn the_shares_of_a_kind_are_whole_and_its_journeys_its_own() {
        let kinds: Kinds = "browsers=1,abandoners=1,buyers=1,admins=1,attackers=1"
            .parse()
            .unwrap();
        let mix = Mix::from(kinds);
        let mut crowd = mix.crowd();
        let first: Vec<Kind> = (0..5).map(|_| crowd.next()).collect();
        assert_eq!(first, Kind::ALL);
        for kind in Kind::ALL {
            for n in 0..100 {
                assert_eq!(mix.pick_of(kind, &mut Draw::new(1, n)).kind(), kind);
            }
        }
    }
}
