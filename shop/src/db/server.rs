//! Where a database is, as the command line says it: a folder, or a server by URL.
//!
//! A URL may hold a password: it is shown nowhere, neither whole nor in part.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use reqwest::Url;

use super::{DbError, error::DbErrorKind, pool::OPEN_TIMEOUT};
use crate::{
    config::{DataPlace, Role},
    error::ShopError,
};

/// How a URL is to look.
const EXAMPLES: &str = "write it like sqlite:///var/lib/shop (a folder), postgres://user:password@host:5432/shop or \
     mariadb://user:password@host:3306/shop";
/// Longest wait for one connection while the shop starts.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a server that does not answer yet is left alone.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Which protocol a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Postgres,
    /// MariaDB as well.
    MySql,
}

/// A database on a server.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseServer {
    scheme: Scheme,
    url: Url,
}

impl fmt::Display for DatabaseServer {
    /// Writes host, port and database.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.url.scheme())?;
        if let Some(port) = self.url.port() {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}", self.database())
    }
}

impl fmt::Debug for DatabaseServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl DatabaseServer {
    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the name of the database in the URL.
    pub(super) fn database(&self) -> &str {
        self.url.path().trim_start_matches('/')
    }

    /// Makes the error of a server that will not have us.
    pub(super) fn refused(&self, role: Role, remedy: String, source: sqlx::Error) -> ShopError {
        ShopError::DatabaseRefused {
            service: role.name(),
            server: self.to_string(),
            remedy,
            source,
        }
    }

    /// The remedy when nothing better is known.
    #[expect(clippy::unused_self, reason = "said of this server")]
    pub(super) fn check_address(&self) -> String {
        "check that the server runs there, and what --database-url says".to_owned()
    }
}

/// Reads what `--database-url` says.
pub(crate) fn place(text: &str) -> Result<DataPlace, ShopError> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        return folder(path.strip_prefix("//").unwrap_or(path));
    }
    if text.starts_with(['/', '.']) {
        return folder(text);
    }
    let url = Url::parse(text).map_err(|error| refused(error.to_string()))?;
    let scheme = match url.scheme() {
        "postgres" | "postgresql" => Scheme::Postgres,
        "mysql" | "mariadb" => Scheme::MySql,
        other => return Err(refused(format!("there is no database {other:?}"))),
    };
    let server = DatabaseServer { scheme, url };
    if !server.url.has_host() || server.url.host_str() == Some("") {
        return Err(refused("the URL names no host".to_owned()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-$".contains(c);
    match server.database() {
        "" => Err(refused("the URL names no database".to_owned())),
        name if !name.chars().all(plain) => Err(refused(
            "the name of the database has other characters than letters, digits, _, - and $"
                .to_owned(),
        )),
        _ => Ok(DataPlace::Server(server)),
    }
}

fn folder(path: &str) -> Result<DataPlace, ShopError> {
    let reason = if path.is_empty() || path.contains(":memory:") {
        "SQLite needs a folder here; without the flag the databases are temporary".to_owned()
    } else if path.contains('?') {
        "SQLite takes no parameters here".to_owned()
    } else if Path::new(path).is_file() {
        format!("{path} is a file, and every role has a file of its own in a folder")
    } else {
        return Ok(DataPlace::Folder(PathBuf::from(path)));
    };
    Err(refused(reason))
}

fn refused(reason: String) -> ShopError {
    ShopError::DatabaseUrl {
        reason,
        remedy: EXAMPLES,
    }
}

/// Connects to a server that may be about to start, as in a set of containers that start at once.
pub(super) async fn patiently<T, F>(role: Role, connect: impl Fn() -> F) -> Result<T, sqlx::Error>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let began = Instant::now();
    let mut told = false;
    loop {
        let answer = tokio::time::timeout(CONNECT_LIMIT, connect()).await;
        let error = match answer.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(connection) => return Ok(connection),
            Err(error) => DbError::Query(error),
        };
        let later = matches!(error.kind(), DbErrorKind::Lost | DbErrorKind::PoolTimeout);
        if !later || began.elapsed() > OPEN_TIMEOUT {
            return Err(error.into_source());
        }
        if !told {
            tracing::warn!(service = role.name(), reason = %error, "waiting for the database");
            told = true;
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Quotes a name for SQL.
pub(super) fn quoted(name: &str, quote: char) -> String {
    let doubled = name.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{DataPlace, Scheme, place, quoted};

    #[test]
    fn urls_say_which_database_and_where() {
        for (text, folder) in [
            ("sqlite:///var/lib/shop", "/var/lib/shop"),
            ("sqlite://data", "data"),
            ("sqlite:data", "data"),
            ("./data", "./data"),
        ] {
            assert_eq!(
                place(text).unwrap(),
                DataPlace::Folder(PathBuf::from(folder))
            );
        }
        for (text, scheme) in [
            ("postgres://u:p@h:1/shop", Scheme::Postgres),
            ("postgresql://h/shop", Scheme::Postgres),
            ("mysql://u:p@h/shop", Scheme::MySql),
            ("mariadb://h/shop", Scheme::MySql),
        ] {
            let DataPlace::Server(server) = place(text).unwrap() else {
                panic!("{text} is a server");
            };
            assert_eq!((server.scheme(), server.database()), (scheme, "shop"));
        }
    }

    #[test]
    fn a_bad_url_is_refused_with_the_flag_and_a_remedy() {
        for (text, cause) in [
            ("", "relative URL"),
            ("shop", "relative URL"),
            ("oracle://h/shop", "no database \"oracle\""),
            ("postgres://h", "names no database"),
            ("postgres:///shop", "names no host"),
            ("mysql://u:hush@h:99999/shop", "port"),
            ("mysql://u:hush@h/a`b", "other characters"),
            ("sqlite://", "needs a folder"),
            ("sqlite::memory:", "needs a folder"),
            ("sqlite://x?mode=ro", "no parameters"),
        ] {
            let said = place(text).unwrap_err().to_string();
            assert!(
                said.contains("--database-url") && said.contains(cause),
                "{text}: {said}"
            );
            assert!(said.contains("postgres://user"), "{said}");
            assert!(!said.contains("hush"), "{said}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let place = place("postgres://shop:hush@db:5433/shop?password=hush").unwrap();
        assert_eq!(format!("{place:?}"), "Server(postgres://db:5433/shop)");
    }

    #[test]
    fn a_quote_in_a_name_is_doubled() {
        assert_eq!(quoted("a\"b", '"'), "\"a\"\"b\"");
    }
}
