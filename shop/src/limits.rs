//! How fast one client may ask: by address, by account, and by whom it tries to log in as.
//!
//! Token buckets, in Redis when there is one, so that every storefront counts together; in the
//! process otherwise, and while Redis is away: then each storefront grants the whole limit, which
//! is less strict and refuses nobody who would have been let in.
//!
//! Invariant: clients cannot make the process remember more than a fixed number of them.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use crate::cache::RedisLink;

mod local;
mod shared;
pub(crate) mod suspicion;

use local::Buckets;

/// Which limit refused; a label value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitType {
    Ip,
    User,
    Login,
}

impl LimitType {
    pub(crate) const ALL: [Self; 3] = [Self::Ip, Self::User, Self::Login];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::User => "user",
            Self::Login => "login",
        }
    }
}

/// What a limit is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// An address; of IPv6 the network of 64 bits, which is what one customer has.
    Ip(IpAddr),
    /// An account.
    User(i64),
    /// A visit without an account, by the hash of its id.
    Visit(u64),
    /// Logging in to one account from one address; the name by its hash.
    Login(IpAddr, u64),
}

impl Client {
    /// Returns the client of an address.
    pub(crate) fn of_ip(ip: IpAddr) -> Self {
        Self::Ip(network(ip))
    }

    /// Returns the client of an address and a visit that it names.
    pub(crate) fn of_visit(ip: IpAddr, session: &str) -> Self {
        Self::Visit(hash(&(network(ip), session)))
    }

    /// Returns the client that logs in as `username`.
    pub(crate) fn of_login(ip: IpAddr, username: &str) -> Self {
        Self::Login(network(ip), hash(&username.trim().to_lowercase()))
    }
}

/// The same in every process of one build: keys without a random seed.
fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        ip @ IpAddr::V4(_) => ip,
    }
}

/// How many requests a second, and how many at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    per_second: NonZeroU32,
}

impl Quota {
    /// How many seconds' worth may come at once.
    const BURST_SECONDS: u32 = 2;

    /// Returns a quota, or none for 0.
    pub const fn per_second(requests: u32) -> Option<Self> {
        match NonZeroU32::new(requests) {
            Some(per_second) => Some(Self { per_second }),
            None => None,
        }
    }

    fn burst(self) -> NonZeroU32 {
        self.per_second
            .saturating_mul(NonZeroU32::MIN.saturating_add(Self::BURST_SECONDS - 1))
    }

    /// Returns the time after which one more request is granted.
    fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second.get()
    }
}

/// One limit: a bucket for each client.
#[derive(Debug)]
pub(crate) struct Limit {
    name: &'static str,
    quota: Quota,
    local: Buckets,
    redis: Option<RedisLink>,
}

impl Limit {
    /// Makes a limit; `name` is part of the keys in Redis.
    pub(crate) fn new(name: &'static str, quota: Quota, redis: Option<&RedisLink>) -> Self {
        Self {
            name,
            quota,
            local: Buckets::new(quota),
            redis: redis.cloned(),
        }
    }

    /// Takes a request from the client's bucket, or fails with how long to wait for the next.
    pub(crate) async fn take(&self, client: Client) -> Result<(), Duration> {
        if let Some(redis) = &self.redis
            && let Ok(outcome) = shared::take(redis, self.name, self.quota, client).await
        {
            return outcome;
        }
        self.local.take(client)
    }
}

#[cfg(test)]
mod tests {
    use super::{Client, Limit, Quota};

    #[tokio::test]
    async fn a_burst_is_granted_and_then_one_at_a_time() {
        let quota = Quota::per_second(1).unwrap();
        let limit = Limit::new("test", quota, None);
        let one = Client::of_ip([127, 0, 0, 1].into());
        assert!(limit.take(one).await.is_ok() && limit.take(one).await.is_ok());
        let wait = limit.take(one).await.unwrap_err();
        assert!(
            wait.as_millis() > 500 && wait.as_millis() <= 1_000,
            "{wait:?}"
        );
        assert!(
            limit
                .take(Client::of_ip([127, 0, 0, 2].into()))
                .await
                .is_ok()
        );
        assert!(Quota::per_second(0).is_none());
    }

    #[test]
    fn a_customer_is_one_client_however_it_writes_itself() {
        let client = |ip: &str| Client::of_ip(ip.parse().unwrap());
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:1::1"));
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
        let ip = [10, 0, 0, 1].into();
        assert_eq!(Client::of_login(ip, " Ada"), Client::of_login(ip, "ada"));
        assert_ne!(Client::of_visit(ip, "a"), Client::of_visit(ip, "b"));
    }
}
