//! What roles rely on, on every database that is to be had here.

use std::time::{Duration, Instant};

use fault::Registry as Faults;
use futures_util::future::join_all;
use prometheus_client::registry::Registry;

use super::{
    Db, DbError, DbOptions, Place, Schema, Statement,
    error::DbErrorKind,
    place,
    servers::{Kind, PASSWORD, Server},
};
use crate::{
    config::{DataPlace, Role},
    error::ShopError,
    telemetry::db_metrics::DbMetrics,
};

const SCHEMA: Schema = Schema(&[
    (
        "things",
        "CREATE TABLE things (id BIGINT PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE, \
         amount BIGINT, note TEXT)",
    ),
    ("by amount", "CREATE INDEX things_amount ON things (amount)"),
]);

/// A database of a test; a folder goes with it.
struct Own {
    name: &'static str,
    place: Place,
    _folder: tempfile::TempDir,
}

async fn databases() -> Vec<Own> {
    let mut all = Vec::new();
    let servers = [Server::postgres(), Server::mariadb()];
    for (name, server) in ["postgresql", "mariadb"].into_iter().zip(servers) {
        if let Some(server) = server {
            all.push(own(name, Some(server.database().await)));
        }
    }
    all.push(own("sqlite", None));
    all
}

fn own(name: &'static str, url: Option<String>) -> Own {
    let folder = tempfile::tempdir().unwrap();
    let place = match url.map(|url| place(&url).unwrap()) {
        Some(DataPlace::Server(server)) => Place::Server(server),
        _ => Place::Folder(folder.path().to_owned()),
    };
    Own {
        name,
        place,
        _folder: folder,
    }
}

fn options(place: &Place, role: Role) -> DbOptions {
    DbOptions {
        role,
        place: place.clone(),
        connections: 4,
        acquire_timeout: Duration::from_secs(5),
        answer_timeout: Duration::from_secs(30),
    }
}

async fn open(place: &Place, role: Role) -> Result<Db, ShopError> {
    open_with(options(place, role)).await
}

async fn open_with(options: DbOptions) -> Result<Db, ShopError> {
    let role = options.role;
    let metrics = DbMetrics::register(&mut Registry::default());
    let db = Db::open(options, &metrics, Faults::new().db_stalls(role.name())).await?;
    db.migrate(SCHEMA).await.unwrap();
    Ok(db)
}

fn insert(db: &Db) -> Statement {
    let sql = "INSERT INTO things (id, name, amount, note) VALUES (?, ?, ?, ?)";
    db.statement("insert", "things", sql)
}

async fn one(db: &Db, sql: &'static str) -> i64 {
    let select = db.statement("select", "things", sql);
    let row = db.fetch_optional(&select, &[]).await.unwrap();
    row.unwrap().int(0).unwrap()
}

#[tokio::test]
async fn a_transaction_that_is_given_up_while_it_begins_is_undone() {
    let Some(server) = Server::start(Kind::MariaDb) else {
        return;
    };
    let own = own("mariadb", Some(server.database().await));
    let other = open(&own.place, Role::Catalog).await.unwrap();
    let hasty = DbOptions {
        connections: 1,
        answer_timeout: Duration::from_millis(300),
        ..options(&own.place, Role::Catalog)
    };
    let db = open_with(hasty).await.unwrap();
    server.freeze();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(matches!(db.begin().await, Err(DbError::Silent)));
    server.thaw();
    // The one connection is that of the transaction. What is written on it now is written for good.
    let (insert, began) = (insert(&db), Instant::now());
    let thing = [1.into(), "a".into(), 1.into(), "".into()];
    while let Err(error) = db.execute(&insert, &thing).await {
        assert!(began.elapsed() < Duration::from_secs(20), "{error}");
    }
    assert_eq!(one(&other, "SELECT COUNT(*) FROM things").await, 1);
}

#[tokio::test]
async fn values_come_out_as_they_went_in() {
    for Own { name, place, .. } in &databases().await {
        let db = open(place, Role::Catalog).await.unwrap();
        assert_eq!(db.system, *name);
        let insert = insert(&db);
        let long = "ü".repeat(300);
        let all = [
            [
                1.into(),
                "it's ?".into(),
                i64::MAX.into(),
                long.clone().into(),
            ],
            [2.into(), "Ü".into(), i64::MIN.into(), None::<&str>.into()],
            [3.into(), "ü".into(), None::<i64>.into(), "".into()],
        ];
        for params in &all {
            assert_eq!(db.execute(&insert, params).await.unwrap(), 1, "{name}");
        }
        let read =
            "SELECT amount, note, name FROM things WHERE name <> '?' AND id >= ? ORDER BY id";
        let read = db.statement("select", "things", read);
        let rows = db.fetch_all(&read, &[1.into()]).await.unwrap();
        assert_eq!(rows[0].int(0).unwrap(), i64::MAX, "{name}");
        assert_eq!(rows[0].text(1).unwrap(), long, "{name}");
        assert_eq!(rows[1].int(0).unwrap(), i64::MIN, "{name}");
        assert_eq!(rows[1].optional_text(1).unwrap(), None, "{name}");
        assert_eq!(rows[2].optional_int(0).unwrap(), None, "{name}");
        assert!(
            rows[2].int(0).is_err() && rows[1].text(1).is_err(),
            "{name}"
        );
        assert_eq!(rows[2].text(1).unwrap(), "", "{name}");
        db.close().await;
    }
}

#[tokio::test]
async fn sums_and_counts_are_whole_numbers() {
    for Own { name, place, .. } in &databases().await {
        let db = open(place, Role::Orders).await.unwrap();
        assert_eq!(
            one(&db, "SELECT COALESCE(SUM(amount), 0) FROM things").await,
            0,
            "{name}"
        );
        for id in 1..=3_i64 {
            let text = id.to_string();
            let params = [
                id.into(),
                text.into(),
                (id * 1_000_000).into(),
                None::<&str>.into(),
            ];
            db.execute(&insert(&db), &params).await.unwrap();
        }
        for (sql, wanted) in [
            ("SELECT COALESCE(SUM(amount), 0) FROM things", 6_000_000),
            ("SELECT COALESCE(SUM(-amount), 0) FROM things", -6_000_000),
            ("SELECT count(*) FROM things", 3),
            (
                "SELECT COALESCE(SUM(CASE WHEN amount > 1000000 THEN 1 ELSE 0 END), 0) FROM things",
                2,
            ),
            ("SELECT MAX(amount) FROM things", 3_000_000),
        ] {
            assert_eq!(one(&db, sql).await, wanted, "{name}: {sql}");
        }
        db.close().await;
    }
}

#[tokio::test]
async fn a_duplicate_is_told_inside_a_transaction_and_outside() {
    for Own { name, place, .. } in &databases().await {
        let db = open(place, Role::Users).await.unwrap();
        let insert = insert(&db);
        let first = [1.into(), "a".into(), 1.into(), "".into()];
        let same_name = [2.into(), "a".into(), 1.into(), "".into()];
        let other_case = [3.into(), "A".into(), 1.into(), "".into()];
        db.execute(&insert, &first).await.unwrap();
        for params in [&first, &same_name] {
            let error = db.execute(&insert, params).await.unwrap_err();
            assert!(
                error.is_duplicate() && !error.is_unavailable(),
                "{name}: {error}"
            );
            let mut tx = db.begin().await.unwrap();
            let error = tx.execute(&insert, params).await.unwrap_err();
            assert!(error.is_duplicate(), "{name}: {error}");
        }
        // Texts compare by their bytes everywhere.
        db.execute(&insert, &other_case).await.unwrap();
        db.close().await;
    }
}

#[tokio::test]
async fn a_transaction_happens_whole_or_not_at_all() {
    for Own { name, place, .. } in &databases().await {
        let db = open(place, Role::Payments).await.unwrap();
        let insert = insert(&db);
        for (id, commit) in [(1_i64, false), (2, true)] {
            let mut tx = db.begin().await.unwrap();
            let text = id.to_string();
            let params = [id.into(), text.into(), 1.into(), "".into()];
            tx.execute(&insert, &params).await.unwrap();
            let count = db.statement("select", "things", "SELECT count(*) FROM things");
            let seen = tx.fetch_optional(&count, &[]).await.unwrap().unwrap();
            assert_eq!(seen.int(0).unwrap(), 1, "{name}");
            if commit {
                tx.commit().await.unwrap();
            }
        }
        assert_eq!(one(&db, "SELECT count(*) FROM things").await, 1, "{name}");
        db.close().await;
    }
}

#[tokio::test]
async fn an_update_counts_the_rows_it_matched() {
    for Own { name, place, .. } in &databases().await {
        let db = open(place, Role::Catalog).await.unwrap();
        let row = [1.into(), "a".into(), 5.into(), "".into()];
        db.execute(&insert(&db), &row).await.unwrap();
        let sql = "UPDATE things SET amount = ? WHERE id = ? AND amount >= ?";
        let update = db.statement("update", "things", sql);
        for (params, matched) in [
            ([5.into(), 1.into(), 5.into()], 1),
            ([5.into(), 1.into(), 6.into()], 0),
            ([0.into(), 1.into(), 5.into()], 1),
        ] {
            assert_eq!(
                db.execute(&update, &params).await.unwrap(),
                matched,
                "{name}"
            );
        }
        db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_start_at_once_migrate_once() {
    for Own { name, place, .. } in &databases().await {
        // Four processes would share no more than these do.
        let started = join_all((0..4).map(|_| open(place, Role::Orders))).await;
        for db in started {
            let db = db.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(one(&db, "SELECT count(*) FROM things").await, 0, "{name}");
            db.close().await;
        }
    }
}

#[tokio::test]
async fn roles_on_one_server_do_not_see_each_other() {
    for Own { name, place, .. } in &databases().await {
        let mut counts = Vec::new();
        for role in [Role::Orders, Role::Users] {
            let db = open(place, role).await.unwrap();
            let row = [1.into(), "a".into(), 5.into(), "".into()];
            db.execute(&insert(&db), &row).await.unwrap();
            counts.push(one(&db, "SELECT count(*) FROM things").await);
            db.close().await;
        }
        assert_eq!(counts, [1, 1], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_waits_for_another_gives_up_as_busy() {
    for Own { name, place, .. } in &databases().await {
        let db = open(place, Role::Catalog).await.unwrap();
        let row = [1.into(), "a".into(), 5.into(), "".into()];
        db.execute(&insert(&db), &row).await.unwrap();
        let update = "UPDATE things SET amount = 6 WHERE id = 1";
        let update = db.statement("update", "things", update);
        let mut tx = db.begin().await.unwrap();
        tx.execute(&update, &[]).await.unwrap();
        let asked = Instant::now();
        let error = db.execute(&update, &[]).await.unwrap_err();
        // On SQLite it waited for its turn, on the others for the row.
        let kind = match *name {
            "sqlite" => DbErrorKind::PoolTimeout,
            _ => DbErrorKind::Busy,
        };
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(
            error.is_unavailable() && asked.elapsed() < Duration::from_secs(10),
            "{name}"
        );
        tx.commit().await.unwrap();
        db.execute(&update, &[]).await.unwrap();
        db.close().await;
    }
}

/// Opens a database as somebody without rights, after what the administrator did.
async fn poor(server: &Server, sql: &str) -> Result<Db, ShopError> {
    for sql in sql.split(';') {
        server.admin(sql).await.unwrap();
    }
    let url = server.url("poor", PASSWORD, "shop_of_others");
    open(&own("poor", Some(url)).place, Role::Orders).await
}

#[tokio::test]
async fn an_account_without_rights_is_told_what_to_ask_for() {
    let mut said = Vec::new();
    if let Some(server) = Server::postgres() {
        let sql = "CREATE USER poor PASSWORD 'open-sesame-4711';CREATE DATABASE shop_of_others";
        let error = poor(server, sql).await.map(drop).unwrap_err().to_string();
        assert!(
            error.contains("GRANT CREATE ON DATABASE \"shop_of_others\""),
            "{error}"
        );
        said.push(error);
        let sql = "CREATE SCHEMA orders AUTHORIZATION poor";
        server.admin_in("shop_of_others", sql).await.unwrap();
        poor(server, "SELECT 1")
            .await
            .expect("the schema is enough");
    }
    if let Some(server) = Server::mariadb() {
        let sql = "CREATE USER poor@'%' IDENTIFIED BY 'open-sesame-4711'";
        let error = poor(server, sql).await.map(drop).unwrap_err().to_string();
        assert!(
            error.contains("GRANT ALL ON `shop_of_others\\_%`.*"),
            "{error}"
        );
        said.push(error);
        let sql = "GRANT ALL ON `shop_of_others\\_%`.* TO poor@'%'";
        poor(server, sql).await.expect("the rights are enough");
    }
    for (server, missing) in [(Server::postgres(), "nowhere"), (Server::mariadb(), "any")] {
        let Some(server) = server else { continue };
        let place = own("wrong", Some(server.url("shop", "wrong-secret", missing))).place;
        let error = open(&place, Role::Users)
            .await
            .map(drop)
            .unwrap_err()
            .to_string();
        assert!(error.contains("check user and password"), "{error}");
        said.push(error);
    }
    for error in said {
        assert!(
            !error.contains(PASSWORD) && !error.contains("wrong-secret"),
            "{error}"
        );
    }
}
