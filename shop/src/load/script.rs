//! What a customer does on each journey, one request after the other.

use serde_json::json;

use super::{
    kind::Journey,
    times::End,
    walk::{Outing, Step},
};

/// Products on a page.
const PAGE: u64 = 12;
/// Of a hundred who browse, that many search, and that many look at a product.
const SEARCH: u64 = 30;
const LOOK_CLOSER: u64 = 30;
const WORDS: [&str; 5] = ["mug", "knife", "bottle", "scale", "spoon"];
const COUPONS: [&str; 3] = ["WELCOME10", "WELCOME10", "SAVE20"];
const PASSWORDS: [&str; 4] = ["123456", "password", "letmein", "qwertz"];
/// Passwords tried, and paths.
const TRIES: usize = 3;
const PATHS: [&str; 6] = [
    "/.env",
    "/wp-login.php",
    "/.git/config",
    "/phpmyadmin/index.php",
    "/cgi-bin/test",
    "/backup.zip",
];

/// Plays a visit to its end, or to the first refusal or failure.
pub(super) async fn play(outing: &mut Outing<'_>) -> Result<(), End> {
    match outing.visit.journey {
        Journey::Browse => browse(outing).await,
        Journey::View => view(outing).await,
        Journey::Buy => {
            let is_logged_in = log_in(outing).await?;
            buy(outing).await?;
            log_out(outing, is_logged_in).await
        }
        Journey::Checkout => {
            let is_logged_in = log_in(outing).await?;
            check_out(outing).await?;
            log_out(outing, is_logged_in).await
        }
        Journey::Abandon => {
            view(outing).await?;
            order(outing).await.map(drop)
        }
        Journey::LeaveCart => {
            fill_cart(outing).await?;
            outing.take(Step::get("/cart", "/cart")).await.map(drop)
        }
        Journey::Administer => administer(outing).await,
        Journey::Guess => guess(outing).await,
        Journey::Scan => scan(outing).await,
    }
}

async fn browse(outing: &mut Outing<'_>) -> Result<(), End> {
    let path = if outing.draw.below(100) < SEARCH {
        format!("/products?search={}", pick(outing, &WORDS))
    } else {
        let offset = outing.draw.below(2) * PAGE;
        format!("/products?limit={PAGE}&offset={offset}")
    };
    outing.take(Step::get("/products", path)).await?;
    if outing.draw.below(100) < LOOK_CLOSER {
        view(outing).await?;
    }
    Ok(())
}

async fn view(outing: &mut Outing<'_>) -> Result<(), End> {
    let path = format!("/products/{}", outing.visit.product_id);
    outing
        .take(Step::get("/products/:id", path))
        .await
        .map(drop)
}

async fn buy(outing: &mut Outing<'_>) -> Result<(), End> {
    view(outing).await?;
    let order = order(outing).await?;
    let payment = json!({ "order_id": order["order_id"], "method": outing.visit.method });
    outing.take(Step::post("/payment/pay", payment)).await?;
    Ok(())
}

async fn order(outing: &mut Outing<'_>) -> Result<serde_json::Value, End> {
    let order = json!({
        "customer_id": outing.visit.customer_id,
        "product_id": outing.visit.product_id,
        "quantity": outing.visit.quantity,
    });
    outing.take_json(Step::post("/order", order)).await
}

async fn fill_cart(outing: &mut Outing<'_>) -> Result<(), End> {
    view(outing).await?;
    let item = json!({
        "product_id": outing.visit.product_id,
        "quantity": outing.visit.quantity,
    });
    outing.take(Step::post("/cart/items", item)).await.map(drop)
}

async fn check_out(outing: &mut Outing<'_>) -> Result<(), End> {
    fill_cart(outing).await?;
    let mut checkout = json!({ "method": outing.visit.method });
    if outing.visit.has_coupon {
        checkout["coupon"] = pick(outing, &COUPONS).into();
    }
    outing
        .take(Step::post("/checkout", checkout))
        .await
        .map(drop)
}

/// Logs in whoever has an account, after registering it if it is not known here.
async fn log_in(outing: &mut Outing<'_>) -> Result<bool, End> {
    let visit = outing.visit;
    if !visit.has_account {
        return Ok(false);
    }
    let accounts = &outing.walker.accounts;
    let name = accounts.username(visit.customer_id);
    let password = accounts.password(visit.customer_id);
    if accounts.is_new(visit.customer_id) {
        let account = json!({ "username": name, "password": password, "country": visit.country() });
        match outing.take(Step::post("/users/register", account)).await {
            // Refused: an earlier run of the seed may have registered it, and logging in tells.
            Ok(_) | Err(End::Refused) => {}
            Err(end) => return Err(end),
        }
    }
    let login = json!({ "username": name, "password": password });
    let login = outing.take_json(Step::post("/users/login", login)).await?;
    accounts.registered(visit.customer_id);
    outing.log_in(login["token"].as_str().unwrap_or_default());
    Ok(true)
}

async fn log_out(outing: &mut Outing<'_>, is_logged_in: bool) -> Result<(), End> {
    if is_logged_in {
        outing.take(Step::post("/users/logout", json!({}))).await?;
    }
    Ok(())
}

async fn administer(outing: &mut Outing<'_>) -> Result<(), End> {
    outing.log_in_as_admin();
    let orders = Step::get("/admin/orders", "/admin/orders?limit=20");
    outing.take(orders).await?;
    let (route, path) = match outing.draw.below(4) {
        0 => ("/admin/stats/sales", "/admin/stats/sales?days=7"),
        1 => ("/admin/stats/products", "/admin/stats/products"),
        2 => ("/admin/stats/activity", "/admin/stats/activity?days=7"),
        _ => ("/admin/users", "/admin/users?limit=20"),
    };
    outing.take(Step::get(route, path)).await.map(drop)
}

/// Tries passwords. To be refused is what becomes of it.
async fn guess(outing: &mut Outing<'_>) -> Result<(), End> {
    for _ in 0..TRIES {
        let login = json!({ "username": "admin", "password": pick(outing, &PASSWORDS) });
        go_on_refused(&outing.take(Step::post("/users/login", login)).await)?;
    }
    Err(End::Refused)
}

async fn scan(outing: &mut Outing<'_>) -> Result<(), End> {
    for _ in 0..TRIES {
        let path = pick(outing, &PATHS);
        go_on_refused(&outing.take(Step::get("unknown", path)).await)?;
    }
    Err(End::Refused)
}

/// An attacker minds no refusal; a failure ends the visit as any other.
fn go_on_refused<T>(outcome: &Result<T, End>) -> Result<(), End> {
    match outcome {
        Err(End::Failed) => Err(End::Failed),
        _ => Ok(()),
    }
}

fn pick<'t>(outing: &mut Outing<'_>, texts: &[&'t str]) -> &'t str {
    texts[outing.draw.below(texts.len() as u64) as usize]
}
