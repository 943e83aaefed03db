//! Hashing passwords: slow on purpose, so never more than a few at once.
//!
//! Whoever finds the queue full is told to come again: a flood of logins must not take the cores
//! from everyone else. A name that nobody has costs as much as one that somebody has.

use std::{fmt::Write as _, sync::Arc};

use argon2::{
    Params, PasswordHasher, PasswordVerifier,
    password_hash::{phc::PasswordHash, try_generate_salt},
};
use axum::http::StatusCode;
use tokio::sync::Semaphore;

use self::hasher::Hasher;
use crate::{config::guard::PasswordCost, http::problem::Problem, secret::Secret};

mod hasher;

/// Passwords hashed at once.
const AT_ONCE: usize = 2;
/// Passwords that may wait.
const MOST_WAITING: usize = 64;

/// Hashes passwords and checks them.
#[derive(Debug, Clone)]
pub(super) struct Passwords {
    hasher: Arc<Hasher>,
    /// A hash that no password has, at the cost of a real one.
    decoy: Secret,
    at_once: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new(cost: PasswordCost) -> Result<Self, argon2::Error> {
        let (memory_kib, passes) = match cost {
            PasswordCost::Standard => (19 * 1_024, 2),
            PasswordCost::Low => (64, 1),
        };
        let params = Params::new(memory_kib, passes, 1, None)?;
        Ok(Self {
            hasher: Arc::new(Hasher::new(params)),
            decoy: decoy(memory_kib, passes),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            places: Arc::new(Semaphore::new(AT_ONCE + MOST_WAITING)),
        })
    }

    /// Hashes a new password.
    pub(super) async fn hash(&self, password: Secret) -> Result<Secret, Problem> {
        let hasher = Arc::clone(&self.hasher);
        let hash = move || hash(&hasher, &password);
        self.in_turn(hash).await?.ok_or_else(|| {
            tracing::error!("a password could not be hashed");
            Problem::internal()
        })
    }

    /// Checks a password against the hash of an account, or against none at the same cost.
    pub(super) async fn check(
        &self,
        password: Secret,
        hash: Option<Secret>,
    ) -> Result<bool, Problem> {
        let hasher = Arc::clone(&self.hasher);
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        self.in_turn(move || {
            let known = PasswordHash::new(hash.expose());
            known.is_ok_and(|known| {
                hasher
                    .verify_password(password.expose().as_bytes(), &known)
                    .is_ok()
            })
        })
        .await
    }

    /// Runs work on a thread of its own when its turn has come. The turn goes with the work: a caller
    /// who goes away does not make room for another while it still runs.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| busy())?;
        let turn = Arc::clone(&self.at_once).acquire_owned().await;
        let turn = turn.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            done
        });
        done.await.map_err(|error| {
            tracing::error!(reason = %error, "a password could not be checked");
            Problem::internal()
        })
    }
}

fn busy() -> Problem {
    tracing::warn!(reason = "queue_full", "a password was not checked");
    let detail = "too many people log in at the moment, try again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}

fn hash(hasher: &Hasher, password: &Secret) -> Option<Secret> {
    let salt = try_generate_salt().ok()?;
    let hash = hasher.hash_password_with_salt(password.expose().as_bytes(), &salt);
    Some(hash.ok()?.to_string().into())
}

/// Writes a hash with an output that was never computed.
fn decoy(memory_kib: u32, passes: u32) -> Secret {
    let mut hash = format!("$argon2id$v=19$m={memory_kib},t={passes},p=1$");
    let _ = write!(hash, "{}${}", "A".repeat(22), "A".repeat(43));
    hash.into()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{MOST_WAITING, PasswordCost, Passwords};
    use crate::secret::Secret;

    fn secret(text: &str) -> Secret {
        text.to_owned().into()
    }

    #[tokio::test]
    async fn only_the_right_password_fits_and_no_hash_is_like_another() {
        let passwords = Passwords::new(PasswordCost::Low).unwrap();
        let hash = passwords.hash(secret("right")).await.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert_ne!(hash, passwords.hash(secret("right")).await.unwrap());
        let check = async |text, hash| passwords.check(secret(text), hash).await.unwrap();
        assert!(check("right", Some(hash.clone())).await);
        assert!(!check("wrong", Some(hash)).await);
        assert!(!check("right", None).await);
        assert!(!check("right", Some(secret("no hash"))).await);
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_costs_as_much() {
        let passwords = Passwords::new(PasswordCost::Standard).unwrap();
        let hash = passwords.hash(secret("right")).await.unwrap();
        let timed = async |hash: Option<Secret>| {
            let mut best = u128::MAX;
            for _ in 0..3 {
                let began = Instant::now();
                assert!(
                    !passwords
                        .check(secret("wrong"), hash.clone())
                        .await
                        .unwrap()
                );
                best = best.min(began.elapsed().as_micros());
            }
            best
        };
        let (known, unknown) = (timed(Some(hash)).await, timed(None).await);
        assert!(
            unknown * 3 > known && known * 3 > unknown,
            "{known} {unknown}"
        );
    }

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_sent_away() {
        let passwords = Passwords::new(PasswordCost::Low).unwrap();
        let taken = passwords
            .places
            .acquire_many(MOST_WAITING as u32 + 2)
            .await
            .unwrap();
        let refused = passwords.hash(secret("right")).await.unwrap_err();
        assert_eq!(refused.status, 503);
        drop(taken);
        assert!(passwords.hash(secret("right")).await.is_ok());
    }
}
