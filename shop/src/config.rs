//! What one process of the shop is to be: the flags, checked.
//!
//! Everything after this module can trust a [`ShopConfig`]; it reads no flag and no environment.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

pub mod guard;
pub mod orders;

pub use orders::OrdersConfig;

use guard::{AccountsConfig, LimitsConfig};

pub use crate::db::DatabaseServer;
use crate::{cache::RedisUrl, cli::ShopArgs, db, error::ShopError, http::url::BaseUrl};

/// One part of the shop. The order is the order of draining: callers before the called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The public API.
    Storefront,
    /// Orders, and who asks for payment.
    Orders,
    /// Takes or declines money.
    Payments,
    /// Products and their stock.
    Catalog,
    /// Accounts, sessions and who may do what.
    Users,
    /// Discounts and coupons.
    Promotions,
    /// The simulated third parties: payment providers, CRM, warehouses. They fail by themselves and
    /// tell nothing of themselves.
    Partners,
}

impl Role {
    /// Every role, callers first.
    pub const ALL: [Self; 7] = [
        Self::Storefront,
        Self::Orders,
        Self::Payments,
        Self::Catalog,
        Self::Users,
        Self::Promotions,
        Self::Partners,
    ];

    /// Returns the name in flags, and the value of the `service` label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Storefront => "storefront",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Catalog => "catalog",
            Self::Users => "users",
            Self::Promotions => "promotions",
            Self::Partners => "partners",
        }
    }

    /// Returns the roles this one calls.
    pub const fn peers(self) -> &'static [Self] {
        match self {
            Self::Storefront => &[Self::Orders, Self::Catalog, Self::Users, Self::Promotions],
            Self::Orders => &[
                Self::Payments,
                Self::Catalog,
                Self::Promotions,
                Self::Partners,
            ],
            Self::Payments => &[Self::Partners],
            Self::Catalog | Self::Users | Self::Promotions | Self::Partners => &[],
        }
    }

    /// Tells whether the role shows metrics, traces and log lines of its own.
    pub const fn tells(self) -> bool {
        !matches!(self, Self::Partners)
    }

    /// Returns the longest chain of calls that a call of this role can start, itself included.
    pub fn depth(self) -> u32 {
        let deepest = self.peers().iter().map(|peer| peer.depth()).max();
        1 + deepest.unwrap_or(0)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The roles of one process: `all`, or a list without repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSelection(pub Vec<Role>);

impl FromStr for RoleSelection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "all" {
            return Ok(Self(Role::ALL.to_vec()));
        }
        let mut roles = Vec::new();
        for name in text.split(',').map(str::trim) {
            let role = Role::ALL.into_iter().find(|role| role.name() == name);
            roles.push(role.ok_or_else(|| {
                format!(
                    "no role {name:?}; there are all, {}",
                    Role::ALL.map(Role::name).join(", ")
                )
            })?);
        }
        roles.sort_unstable();
        roles.dedup();
        Ok(Self(roles))
    }
}

/// Where the databases of the process live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataPlace {
    /// A folder of its own that is removed when the process ends.
    Temporary,
    /// A folder that stays.
    Folder(PathBuf),
    /// A server; each role has a schema (PostgreSQL) or a database (MariaDB, MySQL) of its own on it.
    Server(DatabaseServer),
}

impl DataPlace {
    /// Reads what `--database-url` says.
    pub fn from_url(text: &str) -> Result<Self, ShopError> {
        db::place(text)
    }

    fn of(args: &ShopArgs) -> Result<Self, ShopError> {
        match (&args.database_url, &args.data_dir) {
            (Some(_), Some(_)) => Err(ShopError::DatabaseUrl {
                reason: "--data-dir is given as well".to_owned(),
                remedy: "give one of them; DATABASE_URL and SHOP_DATA_DIR count as given",
            }),
            (Some(url), None) => Self::from_url(url.reveal()),
            (None, Some(folder)) => Ok(Self::Folder(folder.clone())),
            (None, None) => Ok(Self::Temporary),
        }
    }
}

/// One role and where it listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleListener {
    /// The role.
    pub role: Role,
    /// Its business address; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// What one process of the shop is to be.
#[derive(Debug, Clone)]
pub struct ShopConfig {
    /// The roles, callers first.
    pub roles: Vec<RoleListener>,
    /// Roles in other processes.
    pub elsewhere: Vec<(Role, BaseUrl)>,
    /// Address of `/metrics`, `/livez` and `/readyz`.
    pub metrics_listen: SocketAddr,
    /// Address of the fault control API.
    pub control_listen: SocketAddr,
    /// Where the databases live.
    pub data: DataPlace,
    /// Database connections of each role.
    pub db_connections: u32,
    /// Longest wait for a database connection.
    pub db_acquire_timeout: Duration,
    /// Longest wait for an answer of the database.
    pub db_answer_timeout: Duration,
    /// Longest wait for the answer of another role.
    pub call_timeout: Duration,
    /// Share of payments that are declined, 0 to 1, in place of each country's own.
    pub decline_share: Option<f64>,
    /// What the delays of the simulated third parties are multiplied by; 0 for none.
    pub partner_latency: f64,
    /// Seed of everything drawn by lot.
    pub seed: u64,
    /// Units of each product at the start, and after a restock.
    pub initial_stock: u32,
    /// How often low products are restocked; `None` never.
    pub restock_every: Option<Duration>,
    /// Longest time a shutdown waits for running requests.
    pub drain_limit: Duration,
    /// Redis for caches and limits; without it the process keeps its own.
    pub redis_url: Option<RedisUrl>,
    /// How accounts are kept.
    pub accounts: AccountsConfig,
    /// How fast clients may ask.
    pub limits: LimitsConfig,
    /// How the orders role goes about its work.
    pub orders: OrdersConfig,
}

impl ShopConfig {
    /// Returns every role on free loopback ports, with the defaults of the command line.
    pub fn on_free_ports() -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            roles: Role::ALL
                .map(|role| RoleListener { role, listen: free })
                .to_vec(),
            elsewhere: Vec::new(),
            metrics_listen: free,
            control_listen: free,
            data: DataPlace::Temporary,
            db_connections: 8,
            db_acquire_timeout: Duration::from_secs(2),
            // PostgreSQL gives a statement up by itself after ten seconds, and says more.
            db_answer_timeout: Duration::from_secs(12),
            call_timeout: Duration::from_secs(3),
            decline_share: None,
            partner_latency: 1.0,
            seed: 1,
            initial_stock: 500,
            restock_every: Some(Duration::from_secs(2)),
            drain_limit: Duration::from_secs(5),
            redis_url: None,
            accounts: AccountsConfig::default(),
            limits: LimitsConfig::default(),
            orders: OrdersConfig::default(),
        }
    }

    /// Returns where `role` is when it is not in this process.
    pub fn elsewhere(&self, role: Role) -> Option<&BaseUrl> {
        self.elsewhere
            .iter()
            .find(|(other, _)| *other == role)
            .map(|(_, url)| url)
    }

    /// Fails when a role calls one that is neither here nor given by URL.
    pub fn check_peers(&self) -> Result<(), ShopError> {
        let here = |peer| self.roles.iter().any(|listener| listener.role == peer);
        for role in self.roles.iter().map(|listener| listener.role) {
            for peer in role.peers() {
                if !here(*peer) && self.elsewhere(*peer).is_none() {
                    return Err(ShopError::PeerMissing {
                        role: role.name(),
                        peer: peer.name(),
                    });
                }
            }
        }
        Ok(())
    }
}

impl TryFrom<&ShopArgs> for ShopConfig {
    type Error = ShopError;

    fn try_from(args: &ShopArgs) -> Result<Self, ShopError> {
        let listen = |role| match role {
            Role::Storefront => args.storefront_listen,
            Role::Orders => args.orders_listen,
            Role::Payments => args.payments_listen,
            Role::Catalog => args.catalog_listen,
            Role::Users => args.users_listen,
            Role::Promotions => args.promotions_listen,
            Role::Partners => args.partners_listen,
        };
        let given = [
            (Role::Orders, &args.orders_url),
            (Role::Payments, &args.payments_url),
            (Role::Catalog, &args.catalog_url),
            (Role::Users, &args.users_url),
            (Role::Promotions, &args.promotions_url),
            (Role::Partners, &args.partners_url),
        ];
        let mut elsewhere = Vec::new();
        for (role, url) in given {
            if let Some(url) = url {
                elsewhere.push((role, BaseUrl::parse(url)?));
            }
        }
        let roles = args.role.0.iter().map(|role| RoleListener {
            role: *role,
            listen: listen(*role),
        });
        let config = Self {
            roles: roles.collect(),
            elsewhere,
            metrics_listen: args.metrics_listen,
            control_listen: args.control_listen,
            data: DataPlace::of(args)?,
            db_connections: args.db_connections,
            decline_share: args.decline_share,
            partner_latency: args.partner_latency,
            seed: args.seed,
            initial_stock: args.initial_stock,
            restock_every: (!args.restock_every.is_zero()).then_some(args.restock_every),
            drain_limit: args.process.drain_limit,
            redis_url: args.guard.redis_url.clone(),
            accounts: AccountsConfig::from(&args.guard),
            limits: LimitsConfig::from(&args.guard),
            orders: OrdersConfig::from(&args.orders),
            ..Self::on_free_ports()
        };
        config.check_peers()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, RoleSelection, ShopConfig};
    use crate::http::url::BaseUrl;

    #[test]
    fn roles_are_read_once_each_and_callers_first() {
        let roles: RoleSelection = "catalog, storefront,catalog".parse().unwrap();
        assert_eq!(roles.0, [Role::Storefront, Role::Catalog]);
        assert_eq!("all".parse::<RoleSelection>().unwrap().0, Role::ALL);
        let error = "stock".parse::<RoleSelection>().unwrap_err();
        assert!(
            error.contains("storefront, orders, payments, catalog, users"),
            "{error}"
        );
    }

    #[test]
    fn a_role_alone_needs_the_urls_of_those_it_calls() {
        let mut config = ShopConfig::on_free_ports();
        config
            .roles
            .retain(|listener| listener.role == Role::Orders);
        let error = config.check_peers().unwrap_err().to_string();
        assert!(error.contains("--payments-url"), "{error}");
        for peer in Role::Orders.peers() {
            config
                .elsewhere
                .push((*peer, BaseUrl::parse("http://127.0.0.1:1").unwrap()));
        }
        assert!(config.check_peers().is_ok());
    }
}
