//! The accounts of returning customers: names and passwords by number, and who has registered.

use std::sync::atomic::{AtomicU64, Ordering};

use super::visit::CUSTOMERS;
use crate::draw::Draw;

/// Which customers this process has seen register, a bit each.
#[derive(Debug)]
pub(super) struct Accounts {
    seed: u64,
    registered: Box<[AtomicU64]>,
}

impl Accounts {
    pub(super) fn new(seed: u64) -> Self {
        let words = CUSTOMERS.div_ceil(64) + 1;
        Self {
            seed,
            registered: (0..words).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Returns a customer's name: the same in every run of a seed.
    pub(super) fn username(&self, customer_id: u64) -> String {
        format!("load-{}-{customer_id}", self.seed)
    }

    /// Returns a customer's password.
    pub(super) fn password(&self, customer_id: u64) -> String {
        format!("pass-{:016x}", Draw::new(!self.seed, customer_id).next())
    }

    /// Says whether the customer has no account yet as far as is known here.
    pub(super) fn is_new(&self, customer_id: u64) -> bool {
        let word = self.registered.get((customer_id / 64) as usize);
        word.is_some_and(|word| word.load(Ordering::Relaxed) & bit(customer_id) == 0)
    }

    /// Notes that the customer has an account.
    pub(super) fn registered(&self, customer_id: u64) {
        if let Some(word) = self.registered.get((customer_id / 64) as usize) {
            word.fetch_or(bit(customer_id), Ordering::Relaxed);
        }
    }
}

fn bit(customer_id: u64) -> u64 {
    1 << (customer_id % 64)
}

#[cfg(test)]
mod tests {
    use super::{Accounts, CUSTOMERS};

    #[test]
    fn a_customer_registers_once() {
        let accounts = Accounts::new(3);
        for id in [1, 64, CUSTOMERS] {
            assert!(accounts.is_new(id) && accounts.is_new(id));
            accounts.registered(id);
            assert!(!accounts.is_new(id));
        }
        assert_eq!(accounts.username(7), "load-3-7");
        assert_ne!(accounts.password(7), accounts.password(8));
    }
}
