//! Clients that behave like an attacker: who is refused too often in five minutes.
//!
//! Wrong passwords are guesses, 404s are a scan, and other 4xx are abuse. Business is none of
//! these: a declined payment (402), a conflict (409) and a limit (429) do not count, and neither
//! does a token that ran out.
//!
//! A client is an account, else a visit that it names, else its address; so customers behind one
//! address are not taken for one. Visits cost nothing to invent, therefore an address is counted as
//! a whole too, with a higher bound; it is reported, but not slowed down for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use moka::future::{Cache, CacheBuilder};

use super::Client;

/// How long refusals are added up, from the first one.
const WINDOW: Duration = Duration::from_mins(5);
/// Most clients that are remembered; those who are rarely refused are forgotten first.
const MOST_CLIENTS: u64 = 10_000;
/// How many times more an address as a whole may be refused than one client.
const ADDRESS_FACTOR: u32 = 40;

/// What a client seems to be doing; a label value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspicion {
    CredentialStuffing,
    EndpointScanning,
    Abuse,
}

impl Suspicion {
    pub(crate) const ALL: [Self; 3] = [
        Self::CredentialStuffing,
        Self::EndpointScanning,
        Self::Abuse,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CredentialStuffing => "credential_stuffing",
            Self::EndpointScanning => "endpoint_scanning",
            Self::Abuse => "abuse",
        }
    }

    /// Returns what one answer speaks for; `login` tells that a password was checked.
    pub(crate) fn of(status: StatusCode, login: bool) -> Option<Self> {
        match status.as_u16() {
            401 if login => Some(Self::CredentialStuffing),
            404 => Some(Self::EndpointScanning),
            401 | 402 | 409 | 429 => None,
            400..500 => Some(Self::Abuse),
            _ => None,
        }
    }

    /// Returns how many refusals make a suspicion.
    const fn bound(self) -> u32 {
        match self {
            Self::CredentialStuffing => 5,
            Self::EndpointScanning => 10,
            Self::Abuse => 20,
        }
    }
}

/// The refusals of one client in one window.
#[derive(Debug, Default)]
struct Record {
    refusals: [AtomicU32; Suspicion::ALL.len()],
    is_suspect: AtomicBool,
}

/// Who was refused lately.
#[derive(Debug)]
pub(crate) struct Suspects {
    records: Cache<Client, Arc<Record>>,
    /// Nobody has been suspected yet, so nobody needs to be looked up.
    any: AtomicBool,
}

impl Default for Suspects {
    fn default() -> Self {
        let records = CacheBuilder::new(MOST_CLIENTS).time_to_live(WINDOW).build();
        Self {
            records,
            any: AtomicBool::new(false),
        }
    }
}

impl Suspects {
    /// Counts a refusal; returns whether it made a suspect of the client just now.
    pub(crate) async fn refused(&self, client: Client, why: Suspicion) -> bool {
        if !self.count(client, why, 1).await {
            return false;
        }
        if let Some(record) = self.records.get(&client).await {
            record.is_suspect.store(true, Ordering::Relaxed);
            self.any.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Counts a refusal for an address as a whole; returns whether that is too many just now.
    pub(crate) async fn refused_address(&self, address: Client, why: Suspicion) -> bool {
        self.count(address, why, ADDRESS_FACTOR).await
    }

    /// Tells whether the client is a suspect at the moment.
    pub(crate) async fn contains(&self, client: Client) -> bool {
        if !self.any.load(Ordering::Relaxed) {
            return false;
        }
        let record = self.records.get(&client).await;
        record.is_some_and(|record| record.is_suspect.load(Ordering::Relaxed))
    }

    async fn count(&self, client: Client, why: Suspicion, factor: u32) -> bool {
        let record = self
            .records
            .get_with(client, async { Arc::default() })
            .await;
        let before = record.refusals[why as usize].fetch_add(1, Ordering::Relaxed);
        before.saturating_add(1) == why.bound() * factor
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::{Client, Suspects, Suspicion};

    #[tokio::test]
    async fn each_kind_has_its_bound_and_is_reported_once() {
        for (why, bound) in Suspicion::ALL.into_iter().zip([5, 10, 20]) {
            let suspects = Suspects::default();
            let client = Client::User(1);
            let mut reported = Vec::new();
            for n in 1..=3 * bound {
                if suspects.refused(client, why).await {
                    reported.push(n);
                }
            }
            assert_eq!(reported, [bound]);
            assert!(suspects.contains(client).await);
            assert!(!suspects.contains(Client::User(2)).await);
        }
    }

    #[tokio::test]
    async fn an_address_bears_more_than_a_client_and_is_not_slowed_down() {
        let suspects = Suspects::default();
        let address = Client::of_ip([10, 0, 0, 1].into());
        let mut reported = 0;
        for _ in 0..200 {
            let why = Suspicion::CredentialStuffing;
            reported += u32::from(suspects.refused_address(address, why).await);
        }
        assert_eq!(reported, 1);
        assert!(!suspects.contains(address).await);
    }

    #[test]
    fn business_is_no_suspicion() {
        let of = |status, login| Suspicion::of(StatusCode::from_u16(status).unwrap(), login);
        for status in [200, 402, 409, 429, 500, 503] {
            assert_eq!(of(status, true), None, "{status}");
        }
        assert_eq!(of(401, false), None);
        assert_eq!(of(401, true), Some(Suspicion::CredentialStuffing));
        assert_eq!(of(404, false), Some(Suspicion::EndpointScanning));
        for status in [400, 403, 405, 413, 422] {
            assert_eq!(of(status, false), Some(Suspicion::Abuse), "{status}");
        }
    }
}
