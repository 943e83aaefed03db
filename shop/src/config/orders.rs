//! How the orders role goes about its work: leases, delays, and what it forgets when.

use std::time::Duration;

use clap::Args;

/// Flags of the orders and payments roles.
#[derive(Debug, Clone, Args)]
pub struct OrdersArgs {
    /// Carts that nobody touched for this long are emptied
    #[arg(long, env = "SHOP_CART_TTL", default_value = "30m", value_parser = humantime::parse_duration)]
    pub cart_ttl: Duration,
    /// Orders that are not paid within this time are cancelled, and their stock goes back
    #[arg(long, env = "SHOP_PAYMENT_WINDOW", default_value = "30m", value_parser = humantime::parse_duration)]
    pub payment_window: Duration,
    /// Orders are forgotten this long after they were delivered or cancelled; 0s never
    #[arg(long, env = "SHOP_ORDER_RETENTION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub order_retention: Duration,
    /// Time from the warehouse's word until an order is shipped
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    pub ship_after: Duration,
    /// Time from shipping until an order is delivered
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration)]
    pub deliver_after: Duration,
}

/// How the orders role goes about its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrdersConfig {
    /// Age of the last change at which a cart is emptied.
    pub cart_ttl: Duration,
    /// Longest time an order waits for its payment.
    pub payment_window: Duration,
    /// Age at which finished orders are forgotten; `None` never.
    pub retention: Option<Duration>,
    /// Time from the warehouse's word until an order is shipped.
    pub ship_after: Duration,
    /// Time from shipping until delivery.
    pub deliver_after: Duration,
    /// How long a request may hold an order before it counts as lost.
    pub lease: Duration,
    /// How often lost orders are looked for.
    pub reconcile_every: Duration,
    /// Failed tries after which a message of the outbox is moved aside.
    pub most_tries: u32,
}

impl Default for OrdersConfig {
    /// Returns the defaults of the command line.
    fn default() -> Self {
        Self {
            cart_ttl: Duration::from_mins(30),
            payment_window: Duration::from_mins(30),
            retention: None,
            ship_after: Duration::from_secs(1),
            deliver_after: Duration::from_secs(2),
            lease: Duration::from_secs(30),
            reconcile_every: Duration::from_secs(2),
            most_tries: 8,
        }
    }
}

impl From<&OrdersArgs> for OrdersConfig {
    fn from(args: &OrdersArgs) -> Self {
        Self {
            cart_ttl: args.cart_ttl,
            payment_window: args.payment_window,
            retention: (!args.order_retention.is_zero()).then_some(args.order_retention),
            ship_after: args.ship_after,
            deliver_after: args.deliver_after,
            ..Self::default()
        }
    }
}
