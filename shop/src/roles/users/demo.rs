//! The accounts of the demo, whose passwords and tokens stand in its documentation.
//!
//! They exist while the shop is told that it is a demo, and are removed when it no longer is.

use super::{
    Users,
    store::{NewAccount, NewSession},
};
use crate::{db::DbError, http::problem::Problem, secret::Secret};

/// Name, password, role, token.
const ACCOUNTS: [(&str, &str, bool, &str); 3] = [
    ("demo", "demo123", false, "user-token-123"),
    ("admin", "admin123", true, "admin-token-456"),
    ("test", "test123", false, "test-token-789"),
];
/// Beyond every clock, so that the tokens neither run out nor are left unused.
const NEVER_MS: i64 = 1 << 52;

impl Users {
    /// Makes the accounts that are not there; a name that somebody has stays theirs, without a token.
    pub(super) async fn make_demo(&self) -> Result<(), Problem> {
        for (username, password, is_admin, token) in ACCOUNTS {
            let hash = self
                .passwords
                .hash(Secret::from(password.to_owned()))
                .await?;
            let new = NewAccount {
                username,
                password_hash: &hash,
                is_admin,
                name: "",
                country: "",
                is_demo: true,
            };
            let Some(user) = self.store.insert(&new).await? else {
                continue;
            };
            let token = Secret::from(token.to_owned());
            self.store
                .open(&NewSession {
                    user,
                    token: &token,
                    seen_ms: NEVER_MS,
                    expires_ms: NEVER_MS,
                })
                .await?;
        }
        Ok(())
    }

    /// Removes what an earlier run as a demo left.
    pub(super) async fn remove_demo(&self) -> Result<(), DbError> {
        let store = &self.store;
        store.db.execute(&store.run.close_demo, &[]).await?;
        store.db.execute(&store.run.remove_demo, &[]).await?;
        Ok(())
    }
}
