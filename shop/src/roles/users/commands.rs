//! What an operator does to accounts from the command line.

use axum::http::StatusCode;

use super::{
    Users,
    account::{ADMIN, password_fault, username_fault},
    store::NewAccount,
};
use crate::{error::ShopError, http::problem::Problem, roles::Parts, secret::Secret};

/// An admin that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewAdmin {
    pub(crate) username: String,
    pub(crate) password: Secret,
    /// Give an account that is there already this password, and the role.
    pub(crate) reset: bool,
}

/// Makes an admin; returns the account's id.
pub(crate) async fn create_admin(parts: Parts<'_>, new: NewAdmin) -> Result<i64, ShopError> {
    let refused = |reason: String| ShopError::Accounts(reason);
    if let Some(fault) = username_fault(&new.username) {
        return Err(refused(format!("the username {fault}")));
    }
    if let Some(fault) = password_fault(&new.password, &new.username, true) {
        return Err(refused(format!("the password {fault}")));
    }
    let users = Users::open(parts).await?;
    let made = users.make_admin(new).await;
    users.store.db.close().await;
    made.map_err(|problem| refused(problem.to_string()))
}

impl Users {
    async fn make_admin(&self, new: NewAdmin) -> Result<i64, Problem> {
        let found = self.store.by_name(&new.username).await?;
        if found.is_some() && !new.reset {
            let message = "is taken; give another, or --reset to give the account this password";
            return Err(Problem::field(StatusCode::CONFLICT, "username", message));
        }
        let hash = self.passwords.hash(new.password).await?;
        let Some(account) = found else {
            let new = NewAccount {
                username: &new.username,
                password_hash: &hash,
                is_admin: true,
                name: "",
                country: "",
                is_demo: false,
            };
            let made = self.store.insert(&new).await?;
            return made.ok_or_else(|| Problem::new(StatusCode::CONFLICT, "the name was taken"));
        };
        let run = &self.store.run;
        let mut tx = self.store.db.begin().await?;
        let id = account.id.into();
        tx.execute(&run.password, &[hash.expose().into(), id])
            .await?;
        let params = [ADMIN.into(), 1.into(), account.id.into()];
        tx.execute(&run.standing, &params).await?;
        tx.execute(&run.adopt, &[account.id.into()]).await?;
        let every = [account.id.into(), 0.into()];
        tx.execute(&run.close_others, &every).await?;
        tx.commit().await?;
        Ok(account.id)
    }
}
