//! Accounts through the public API: registering, logging in, sessions, admins.

use std::{process::Command, time::Duration};

use serde_json::json;
use shop::config::{DataPlace, Role};

use crate::{
    caller::{ADMIN, Caller, USER, config, demo},
    databases::databases,
    lab::{Lab, Program, eventually},
};

#[tokio::test]
async fn someone_registers_logs_in_and_out() {
    let lab = Lab::start(config()).await;
    let ada = Caller::member(&lab, "Ada").await;
    let me = ada.get("/users/me").await;
    assert_eq!(me.status, 200, "{}", me.body);
    assert_eq!(
        (&me.body["username"], &me.body["country"]),
        (&json!("Ada"), &json!("DE"))
    );
    assert_eq!(me.body["role"], "customer");
    assert!(!me.body.to_string().contains("argon2"), "{}", me.body);
    assert_eq!(me.header("cache-control"), "no-store");

    let changed = ada
        .put("/users/me", json!({ "name": "Ada L.", "country": "UK" }))
        .await;
    assert_eq!(
        (changed.status, &changed.body["name"]),
        (200, &json!("Ada L."))
    );

    assert_eq!(ada.post("/users/logout", json!({})).await.status, 200);
    let after = ada.get("/users/me").await;
    assert_eq!(
        (after.status, &after.body["reason"]),
        (401, &json!("not_authenticated"))
    );

    let scrape = lab.scrape().await;
    assert_eq!(scrape.sum("user_registrations_total", &[]), 1.0);
    assert_eq!(
        scrape.sum("user_logins_total", &["status=\"success\""]),
        1.0
    );
    assert!(scrape.has("user_logins_total", &["status=\"failure\""]));
    assert!(scrape.sum("auth_attempts_total", &[]) >= 2.0);
    lab.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_named_all_at_once() {
    let lab = Lab::start(config()).await;
    let nobody = Caller::nobody(&lab);
    let bad = json!({ "username": "a b", "password": "short", "country": "XX", "name": 7 });
    let refused = nobody.post("/users/register", bad).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let mut fields = refused.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["country", "name", "password", "username"]);
    assert!(
        !refused.body.to_string().contains("short"),
        "a password is not repeated"
    );

    Caller::member(&lab, "grace").await;
    let again = json!({ "username": "GRACE", "password": "lovely weather" });
    let taken = nobody.post("/users/register", again).await;
    assert_eq!((taken.status, taken.fields()), (409, vec!["username"]));
    lab.stop().await;
}

#[tokio::test]
async fn two_who_want_one_name_at_once_get_one_account() {
    let lab = Lab::start(config()).await;
    let nobody = Caller::nobody(&lab);
    let wish = json!({ "username": "twin", "password": "lovely weather" });
    let wishes = (0..8).map(|_| nobody.post("/users/register", wish.clone()));
    let mut statuses: Vec<u16> = futures_util::future::join_all(wishes)
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    lab.stop().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_alike() {
    let lab = Lab::start(config()).await;
    Caller::member(&lab, "alan").await;
    let nobody = Caller::nobody(&lab);
    let mut answers = Vec::new();
    for name in ["alan", "nobody-at-all"] {
        let login = json!({ "username": name, "password": "wrong password" });
        let refused = nobody.post("/users/login", login).await;
        assert_eq!(refused.status, 401);
        answers.push(refused.body);
    }
    assert_eq!(answers[0], answers[1]);
    let scrape = lab.scrape().await;
    assert_eq!(
        scrape.sum("user_logins_total", &["status=\"failure\""]),
        2.0
    );
    assert_eq!(scrape.sum("auth_failures_total", &[]), 2.0);
    lab.stop().await;
}

#[tokio::test]
async fn an_account_that_is_guessed_at_is_locked_for_a_while() {
    let lab = Lab::start(config()).await;
    Caller::member(&lab, "edsger").await;
    let nobody = Caller::nobody(&lab);
    for n in 0..10 {
        let guess = json!({ "username": "edsger", "password": format!("guess {n}") });
        assert_eq!(nobody.post("/users/login", guess).await.status, 401);
    }
    let right = json!({ "username": "edsger", "password": "lovely weather" });
    let locked = nobody.post("/users/login", right).await;
    assert_eq!(
        locked.status, 401,
        "also the right one waits: {}",
        locked.body
    );
    lab.stop().await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let lab = Lab::start(config()).await;
    let here = Caller::member(&lab, "barbara").await;
    let there = Caller::bearer(
        &lab,
        &Caller::log_in(&lab, "barbara", "lovely weather").await,
    );
    assert_eq!(there.get("/users/me").await.status, 200);
    let sessions = here.get("/users/me/sessions").await;
    let sessions = sessions.body["sessions"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2);
    let current = |session: &&serde_json::Value| session["current"] == true;
    assert_eq!(sessions.iter().filter(current).count(), 1);

    let wrong = json!({ "password": "another word", "current_password": "guessed" });
    let refused = here.put("/users/me", wrong).await;
    assert_eq!(
        (refused.status, refused.fields()),
        (403, vec!["current_password"])
    );
    let change = json!({ "password": "another word", "current_password": "lovely weather" });
    assert_eq!(here.put("/users/me", change).await.status, 200);
    assert_eq!(here.get("/users/me").await.status, 200);
    assert_eq!(there.get("/users/me").await.status, 401);
    Caller::log_in(&lab, "barbara", "another word").await;
    lab.stop().await;
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_and_only_by_their_owner() {
    let lab = Lab::start(config()).await;
    let here = Caller::member(&lab, "donald").await;
    let other = Caller::member(&lab, "leslie").await;
    let there = Caller::bearer(
        &lab,
        &Caller::log_in(&lab, "donald", "lovely weather").await,
    );
    let sessions = there.get("/users/me/sessions").await;
    let own = sessions.body["sessions"].as_array().unwrap().iter();
    let id = own
        .clone()
        .find(|session| session["current"] == true)
        .unwrap()["id"]
        .clone();
    let path = format!("/users/me/sessions/{id}");
    assert_eq!(other.delete(&path).await.status, 404);
    assert_eq!(here.delete(&path).await.status, 204);
    assert_eq!(there.get("/users/me").await.status, 401);
    assert_eq!(here.delete(&path).await.status, 404);
    lab.stop().await;
}

#[tokio::test]
async fn sessions_run_out_and_are_purged() {
    let mut short = config();
    short.accounts.session_lifetime = Duration::from_millis(300);
    let lab = Lab::start(short).await;
    let token = {
        let account = json!({ "username": "niklaus", "password": "lovely weather" });
        Caller::nobody(&lab).post("/users/register", account).await;
        Caller::log_in(&lab, "niklaus", "lovely weather").await
    };
    let inner = Caller::of(&lab, Role::Users);
    let verify = json!({ "token": token });
    assert_eq!(
        inner.post("/sessions/verify", verify.clone()).await.status,
        200
    );
    eventually("the session runs out", async || {
        inner.post("/sessions/verify", verify.clone()).await.status == 401
    })
    .await;
    lab.stop().await;
}

#[tokio::test]
async fn admins_see_and_change_accounts() {
    let lab = Lab::start(demo()).await;
    let admin = Caller::bearer(&lab, ADMIN);
    let tony = Caller::member(&lab, "tony").await;
    let found = admin.get("/admin/users?search=TON&limit=5").await;
    assert_eq!(
        (found.status, &found.body["total"]),
        (200, &json!(1)),
        "{}",
        found.body
    );
    let id = found.body["users"][0]["user_id"].as_i64().unwrap();
    let path = format!("/admin/users/{id}");
    let raised = admin.put(&path, json!({ "role": "admin" })).await;
    assert_eq!(
        (raised.status, &raised.body["role"]),
        (200, &json!("admin"))
    );
    assert_eq!(
        tony.get("/users/me").await.status,
        401,
        "who changes logs in again"
    );
    let tony = Caller::bearer(&lab, &Caller::log_in(&lab, "tony", "lovely weather").await);
    assert_eq!(tony.get("/admin/users").await.status, 200);
    assert_eq!(
        admin.put(&path, json!({ "active": false })).await.status,
        200
    );
    assert_eq!(tony.get("/admin/users").await.status, 401);
    let login = json!({ "username": "tony", "password": "lovely weather" });
    assert_eq!(
        Caller::nobody(&lab)
            .post("/users/login", login)
            .await
            .status,
        401
    );

    let me = admin.get("/users/me").await.body["user_id"].clone();
    let last = admin
        .put(&format!("/admin/users/{me}"), json!({ "active": false }))
        .await;
    assert_eq!((last.status, last.fields()), (409, vec!["active"]));
    assert_eq!(admin.get("/admin/users?limit=0").await.fields(), ["limit"]);
    assert_eq!(admin.get("/admin/users/99").await.status, 404);
    let bad = admin
        .put(&path, json!({ "role": "king", "active": "yes" }))
        .await;
    assert_eq!((bad.status, bad.fields()), (422, vec!["role", "active"]));

    let activity = admin.get("/admin/stats/activity?days=2").await;
    let today = activity.body["days"].as_array().unwrap().last().unwrap();
    assert_eq!(today["registrations"], 1);
    assert_eq!(today["logins"], 2);
    assert_eq!(today["failures"], 1);
    assert_eq!(today["active_users"], 1);
    lab.stop().await;
}

#[tokio::test]
async fn the_accounts_of_the_demo_exist_in_the_demo_only() {
    let data = tempfile::tempdir().unwrap();
    for (is_demo, status) in [(false, 401), (true, 200), (true, 200), (false, 401)] {
        let mut config = config();
        config.data = DataPlace::Folder(data.path().to_owned());
        config.accounts.demo = is_demo;
        let lab = Lab::start(config).await;
        for token in [USER, ADMIN, "test-token-789"] {
            let me = Caller::bearer(&lab, token).get("/users/me").await;
            assert_eq!(me.status, status, "{token}: {}", me.body);
        }
        for (username, password) in [("admin", "admin123"), ("demo", "demo123")] {
            let login = json!({ "username": username, "password": password });
            let login = Caller::nobody(&lab).post("/users/login", login).await;
            assert_eq!(login.status, status, "{username}");
        }
        lab.stop().await;
    }
}

#[tokio::test]
async fn accounts_are_kept_on_every_database() {
    for (name, place) in databases().await {
        let mut config = demo();
        config.data = place;
        let lab = Lab::start(config).await;
        let ada = Caller::member(&lab, "Ada_1").await;
        let again = json!({ "username": "ada_1", "password": "lovely weather" });
        let taken = Caller::nobody(&lab).post("/users/register", again).await;
        assert_eq!(taken.status, 409, "{name}");
        let same = json!({ "name": "Ada", "country": "DE" });
        for _ in 0..2 {
            assert_eq!(
                ada.put("/users/me", same.clone()).await.status,
                200,
                "{name}"
            );
        }
        let change = json!({ "password": "another word", "current_password": "lovely weather" });
        assert_eq!(ada.put("/users/me", change).await.status, 200, "{name}");
        let admin = Caller::bearer(&lab, ADMIN);
        for (search, total) in [("da_", 1), ("a%", 0), ("", 4)] {
            let found = admin.get(&format!("/admin/users?search={search}")).await;
            assert_eq!(
                found.body["total"], total,
                "{name} {search}: {}",
                found.body
            );
        }
        let activity = admin.get("/admin/stats/activity").await;
        let today = &activity.body["days"][0];
        assert_eq!(
            (&today["registrations"], &today["logins"]),
            (&json!(1), &json!(1)),
            "{name}"
        );
        assert_eq!(activity.body["active_now"], 1, "{name}");
        assert_eq!(
            ada.post("/users/logout", json!({})).await.status,
            200,
            "{name}"
        );
        assert_eq!(ada.get("/users/me").await.status, 401, "{name}");
        lab.stop().await;
    }
}

fn create_admin(data: &std::path::Path, password: &str, more: &[&str]) -> std::process::Output {
    use std::io::Write as _;
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.args(["admin", "create", "--username", "Root", "--data-dir"]);
    command.arg(data).args(more).env_remove("RUST_LOG");
    command.stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped());
    command.stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its arguments reads nothing.
    let _ = writeln!(child.stdin.take().unwrap(), "{password}");
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_is_made_by_command_with_a_good_password() {
    let data = tempfile::tempdir().unwrap();
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let weak = create_admin(data.path(), "admin123", &[]);
    assert!(
        !weak.status.success() && said(&weak).contains("12 characters"),
        "{}",
        said(&weak)
    );
    let made = create_admin(data.path(), "a long pass word", &[]);
    assert!(made.status.success(), "{}", said(&made));
    let twice = create_admin(data.path(), "a new pass word", &[]);
    assert!(
        !twice.status.success() && said(&twice).contains("--reset"),
        "{}",
        said(&twice)
    );
    let reset = create_admin(data.path(), "a new pass word", &["--reset"]);
    assert!(reset.status.success(), "{}", said(&reset));

    let mut config = config();
    config.data = DataPlace::Folder(data.path().to_owned());
    let lab = Lab::start(config).await;
    let token = Caller::log_in(&lab, "root", "a new pass word").await;
    assert_eq!(
        Caller::bearer(&lab, &token)
            .get("/admin/users")
            .await
            .status,
        200
    );
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seeding_twice_adds_nothing() {
    let data = tempfile::tempdir().unwrap();
    let seed = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
        command.args(["seed", "--products", "30", "--users", "3", "--orders", "5"]);
        command.arg("--data-dir");
        command.arg(data.path()).env_remove("RUST_LOG");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let (first, second) = (seed(), seed());
    assert!(first.contains(" 3 customers, 5 orders"), "{first}");
    assert!(!first.contains(" 0 products"), "{first}");
    assert!(
        second.contains(" 0 products, 0 customers, 0 orders"),
        "{second}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_tells_why_and_never_what_was_typed() {
    let shop = Program::shop(&[("SHOP_DEMO", "true")]);
    let client = crate::lab::client();
    let url = format!("{}/users/login", shop.url("storefront"));
    for (username, password) in [("hunter-two-name", "hunter-two-word"), ("demo", "demo123")] {
        let login = json!({ "username": username, "password": password });
        client.post(&url).json(&login).send().await.unwrap();
    }
    let me = format!("{}/users/me", shop.url("storefront"));
    let seen = client.get(&me).bearer_auth(USER).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    let (lines, _) = shop.end();
    let failed = lines.iter().find(|line| line["message"] == "login failed");
    let failed = failed.expect("the failure is logged");
    assert_eq!(failed["reason"], "unknown_user");
    assert_eq!(failed["service"], "users");
    let all = format!("{lines:?}");
    assert!(all.contains("login succeeded"));
    for secret in ["hunter-two", "demo123", USER] {
        assert!(!all.contains(secret), "{secret}");
    }
}
