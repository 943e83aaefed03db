//! The tables of the users role, and every statement on them.

use crate::db::{Db, Schema, Statement};

pub(super) const SCHEMA: Schema = Schema(&[
    (
        "users",
        "CREATE TABLE users (
            id BIGINT PRIMARY KEY,
            username VARCHAR(40) NOT NULL,
            folded VARCHAR(40) NOT NULL UNIQUE,
            password_hash VARCHAR(200) NOT NULL,
            role VARCHAR(16) NOT NULL,
            name VARCHAR(80) NOT NULL,
            country VARCHAR(2) NOT NULL,
            active BIGINT NOT NULL,
            demo BIGINT NOT NULL,
            failures BIGINT NOT NULL,
            locked_until_ms BIGINT NOT NULL,
            created_ms BIGINT NOT NULL,
            last_login_ms BIGINT NOT NULL,
            last_active_day BIGINT NOT NULL
        )",
    ),
    (
        "sessions",
        "CREATE TABLE sessions (
            id BIGINT PRIMARY KEY,
            token_hash VARCHAR(64) NOT NULL UNIQUE,
            user_id BIGINT NOT NULL,
            created_ms BIGINT NOT NULL,
            seen_ms BIGINT NOT NULL,
            expires_ms BIGINT NOT NULL
        )",
    ),
    (
        "sessions of a user",
        "CREATE INDEX sessions_user ON sessions (user_id)",
    ),
    (
        "sessions by their end",
        "CREATE INDEX sessions_expires ON sessions (expires_ms)",
    ),
    (
        "sessions by their use",
        "CREATE INDEX sessions_seen ON sessions (seen_ms)",
    ),
    (
        "activity",
        "CREATE TABLE activity (
            day_no BIGINT PRIMARY KEY,
            registrations BIGINT NOT NULL,
            logins BIGINT NOT NULL,
            failures BIGINT NOT NULL,
            active_users BIGINT NOT NULL
        )",
    ),
]);

macro_rules! statements {
    ($($name:ident: $operation:literal $table:literal $sql:expr;)*) => {
        /// Every statement of the role.
        #[derive(Debug)]
        pub(super) struct Statements {
            $(pub(super) $name: Statement,)*
        }

        impl Statements {
            pub(super) fn new(db: &Db) -> Self {
                Self { $($name: db.statement($operation, $table, $sql),)* }
            }
        }
    };
}

// The columns of an account stand in the order in which `Account::read` reads them.
statements! {
    by_name: "select" "users"
        "SELECT id, username, password_hash, role, name, country, active, failures, \
         locked_until_ms, created_ms, last_login_ms FROM users WHERE folded = ?";
    by_id: "select" "users"
        "SELECT id, username, password_hash, role, name, country, active, failures, \
         locked_until_ms, created_ms, last_login_ms FROM users WHERE id = ?";
    page: "select" "users"
        "SELECT id, username, password_hash, role, name, country, active, failures, \
         locked_until_ms, created_ms, last_login_ms FROM users WHERE folded LIKE ? ESCAPE '!' \
         ORDER BY id LIMIT ? OFFSET ?";
    count: "select" "users" "SELECT COUNT(*) FROM users WHERE folded LIKE ? ESCAPE '!'";
    count_admins: "select" "users"
        "SELECT COUNT(*) FROM users WHERE role = 'admin' AND active = 1 AND id <> ?";
    insert: "insert" "users"
        "INSERT INTO users (id, username, folded, password_hash, role, name, country, active, demo, \
         failures, locked_until_ms, created_ms, last_login_ms, last_active_day) \
         VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 0, 0, ?, 0, 0)";
    profile: "update" "users" "UPDATE users SET name = ?, country = ? WHERE id = ?";
    password: "update" "users"
        "UPDATE users SET password_hash = ?, failures = 0, locked_until_ms = 0 WHERE id = ?";
    standing: "update" "users"
        "UPDATE users SET role = ?, active = ?, failures = 0, locked_until_ms = 0 WHERE id = ?";
    fail: "update" "users" "UPDATE users SET failures = failures + 1 WHERE id = ?";
    lock: "update" "users"
        "UPDATE users SET failures = 0, locked_until_ms = ? WHERE id = ? AND failures >= ?";
    welcome: "update" "users" "UPDATE users SET failures = 0, last_login_ms = ? WHERE id = ?";
    first_of_day: "update" "users"
        "UPDATE users SET last_active_day = ? WHERE id = ? AND last_active_day < ?";
    adopt: "update" "users" "UPDATE users SET demo = 0 WHERE id = ?";
    remove_demo: "delete" "users" "DELETE FROM users WHERE demo = 1";

    open: "insert" "sessions"
        "INSERT INTO sessions (id, token_hash, user_id, created_ms, seen_ms, expires_ms) \
         VALUES (?, ?, ?, ?, ?, ?)";
    session: "select" "sessions"
        "SELECT s.id, s.user_id, s.seen_ms, s.expires_ms, u.username, u.role, u.country, u.active \
         FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ?";
    seen: "update" "sessions" "UPDATE sessions SET seen_ms = ? WHERE id = ?";
    sessions_of: "select" "sessions"
        "SELECT id, created_ms, seen_ms, expires_ms FROM sessions \
         WHERE user_id = ? AND expires_ms > ? AND seen_ms > ? ORDER BY id DESC LIMIT 100";
    close: "delete" "sessions" "DELETE FROM sessions WHERE id = ? AND user_id = ?";
    close_others: "delete" "sessions" "DELETE FROM sessions WHERE user_id = ? AND id <> ?";
    close_demo: "delete" "sessions"
        "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE demo = 1)";
    purge: "delete" "sessions" "DELETE FROM sessions WHERE expires_ms <= ? OR seen_ms <= ?";
    active_users: "select" "sessions"
        "SELECT COUNT(DISTINCT user_id) FROM sessions \
         WHERE expires_ms > ? AND seen_ms > ? AND seen_ms <= ?";

    new_day: "insert" "activity"
        "INSERT INTO activity (day_no, registrations, logins, failures, active_users) \
         VALUES (?, 0, 0, 0, 0)";
    registration: "update" "activity"
        "UPDATE activity SET registrations = registrations + 1 WHERE day_no = ?";
    login: "update" "activity" "UPDATE activity SET logins = logins + 1 WHERE day_no = ?";
    failure: "update" "activity" "UPDATE activity SET failures = failures + 1 WHERE day_no = ?";
    active: "update" "activity"
        "UPDATE activity SET active_users = active_users + 1 WHERE day_no = ?";
    days: "select" "activity"
        "SELECT day_no, registrations, logins, failures, active_users FROM activity \
         WHERE day_no >= ? ORDER BY day_no";
}
