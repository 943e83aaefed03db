//! Reading and writing accounts and sessions.

use std::sync::Arc;

use super::{
    account::{Account, fold, role},
    schema::Statements,
};
use crate::{
    db::{Db, DbError},
    http::query::Page,
    ids::{Ids, now_ms},
    secret::Secret,
};

pub(super) const DAY_MS: i64 = 86_400_000;

/// The tables of the role.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) db: Arc<Db>,
    pub(super) run: Statements,
    ids: Ids,
}

/// An account that is to be made.
#[derive(Debug)]
pub(super) struct NewAccount<'a> {
    pub(super) username: &'a str,
    pub(super) password_hash: &'a Secret,
    pub(super) is_admin: bool,
    pub(super) name: &'a str,
    pub(super) country: &'a str,
    pub(super) is_demo: bool,
}

/// A session that is to be opened.
#[derive(Debug)]
pub(super) struct NewSession<'a> {
    pub(super) user: i64,
    pub(super) token: &'a Secret,
    pub(super) seen_ms: i64,
    pub(super) expires_ms: i64,
}

impl Store {
    pub(super) fn new(db: Arc<Db>) -> Self {
        let run = Statements::new(&db);
        let ids = Ids::default();
        Self { db, run, ids }
    }

    pub(super) async fn by_name(&self, username: &str) -> Result<Option<Account>, DbError> {
        let folded = fold(username);
        let params = [folded.as_str().into()];
        let row = self.db.fetch_optional(&self.run.by_name, &params).await?;
        Ok(row.as_ref().map(Account::read).transpose()?)
    }

    pub(super) async fn by_id(&self, id: i64) -> Result<Option<Account>, DbError> {
        let row = self
            .db
            .fetch_optional(&self.run.by_id, &[id.into()])
            .await?;
        Ok(row.as_ref().map(Account::read).transpose()?)
    }

    /// Makes an account; `None` when the name is taken.
    pub(super) async fn insert(&self, new: &NewAccount<'_>) -> Result<Option<i64>, DbError> {
        // A name that is taken is no failed statement, but for two who take it at the same moment.
        if self.by_name(new.username).await?.is_some() {
            return Ok(None);
        }
        let id = self.ids.next();
        let folded = fold(new.username);
        let params = [
            id.into(),
            new.username.into(),
            folded.as_str().into(),
            new.password_hash.expose().into(),
            role(new.is_admin).into(),
            new.name.into(),
            new.country.into(),
            i64::from(new.is_demo).into(),
            now_ms().into(),
        ];
        match self.db.execute(&self.run.insert, &params).await {
            Ok(_) => Ok(Some(id)),
            Err(error) => match self.by_name(new.username).await? {
                Some(_) => Ok(None),
                None => Err(error),
            },
        }
    }

    /// Opens a session; returns its id.
    pub(super) async fn open(&self, new: &NewSession<'_>) -> Result<i64, DbError> {
        let id = self.ids.next();
        let digest = new.token.digest();
        let params = [
            id.into(),
            digest.as_str().into(),
            new.user.into(),
            now_ms().into(),
            new.seen_ms.into(),
            new.expires_ms.into(),
        ];
        let mut tx = self.db.begin().await?;
        tx.execute(&self.run.open, &params).await?;
        let welcome = [now_ms().into(), new.user.into()];
        tx.execute(&self.run.welcome, &welcome).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns a part of the accounts whose name holds `search`, and how many there are.
    pub(super) async fn page(
        &self,
        search: &str,
        page: Page,
    ) -> Result<(Vec<Account>, i64), DbError> {
        let pattern = format!("%{}%", escaped(&fold(search)));
        let params = [
            pattern.as_str().into(),
            page.limit.into(),
            page.offset.into(),
        ];
        let rows = self.db.fetch_all(&self.run.page, &params).await?;
        let accounts = rows.iter().map(Account::read).collect::<Result<_, _>>()?;
        let total = self.number(&self.run.count, &params[..1]).await?;
        Ok((accounts, total))
    }

    /// Reads the one number that a statement answers.
    pub(super) async fn number(
        &self,
        statement: &crate::db::Statement,
        params: &[crate::db::Param<'_>],
    ) -> Result<i64, DbError> {
        let row = self.db.fetch_optional(statement, params).await?;
        Ok(row.map_or(Ok(0), |row| row.int(0))?)
    }
}

/// Takes its meaning from whatever means something in a pattern.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_search_is_for_what_it_says() {
        assert_eq!(escaped("100%_sure!"), "100!%!_sure!!");
    }
}
