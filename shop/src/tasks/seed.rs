//! Filling a shop: the shop is started on ports that nobody knows, asked through its own API, and
//! stopped. So what is filled in has passed the same checks as what customers send, in whatever
//! database the shop keeps.

use fault::control::ControlConfig;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{
    cli::tasks::SeedArgs,
    config::{Role, ShopConfig, guard::PasswordCost},
    draw::Draw,
    error::ShopError,
    http::{call, identity::Identity},
    market::Country,
    process::side::SideRuntime,
    secret::Secret,
    shop::Shop,
};

/// Units of one product on the shelf.
const STOCK: i64 = 500;

/// What was missing.
#[derive(Debug, Default)]
struct Added {
    products: u32,
    users: u32,
    orders: u32,
}

pub(super) async fn seed(args: &SeedArgs) -> Result<String, ShopError> {
    let config = quiet(ShopConfig::try_from(&args.shop)?);
    super::refuse_temporary(&config)?;
    let side = SideRuntime::start()?;
    let control = ControlConfig::loopback(fault::token::generate());
    let shop = Shop::start(config, control, &side).await?;
    let seeding = Seeding {
        client: call::client()?,
        shop: &shop,
        seed: args.shop.seed,
    };
    let added = seeding.fill(args).await;
    shop.shutdown().await;
    let added = added?;
    Ok(format!(
        "added {} products, {} customers, {} orders",
        added.products, added.users, added.orders
    ))
}

/// The same database, and nothing that is in the way of many requests.
fn quiet(config: ShopConfig) -> ShopConfig {
    let mut quiet = ShopConfig::on_free_ports();
    quiet.data = config.data;
    quiet.accounts = config.accounts;
    // Nobody knows the passwords, and nobody guesses 256 bits.
    quiet.accounts.password_cost = PasswordCost::Low;
    quiet.decline_share = Some(0.0);
    quiet.seed = config.seed;
    quiet.initial_stock = config.initial_stock;
    quiet
}

struct Seeding<'s> {
    client: Client,
    shop: &'s Shop,
    seed: u64,
}

impl Seeding<'_> {
    async fn fill(&self, args: &SeedArgs) -> Result<Added, ShopError> {
        let mut added = Added::default();
        let products = self.total(Role::Catalog, "/products").await?;
        for n in products..args.products {
            self.product(n).await?;
            added.products += 1;
        }
        for n in 0..args.users {
            added.users += u32::from(self.customer(n).await?);
        }
        if args.orders > 0 {
            let mut orders = 0;
            // Those of an earlier run are on their way, or there, by now.
            for status in ["paid", "shipped", "delivered"] {
                let path = format!("/admin/orders?status={status}");
                orders += self.total(Role::Orders, &path).await?;
            }
            let on_sale = u64::from(args.products.max(products));
            for n in orders..args.orders {
                self.order(n, on_sale).await?;
                added.orders += 1;
            }
        }
        Ok(added)
    }

    /// Reads how many rows a list has.
    async fn total(&self, role: Role, path: &str) -> Result<u32, ShopError> {
        let (status, list) = self.send(self.ask(role, Method::GET, path)?).await?;
        let total = list["total"].as_u64();
        let counted = list["products"].as_array().map(|rows| rows.len() as u64);
        let total = total.or(counted).filter(|_| status == StatusCode::OK);
        let total = total.ok_or_else(|| refused(path, status, &list))?;
        Ok(u32::try_from(total).unwrap_or(u32::MAX))
    }

    async fn product(&self, n: u32) -> Result<(), ShopError> {
        let mut draw = Draw::new(self.seed, u64::from(n));
        let product = json!({
            "name": format!("Seeded product {n:05}"),
            "category": "seeded",
            "price_minor": 100 + draw.below(9_900),
            "stock": STOCK,
        });
        self.made(Role::Catalog, "/products", &product)
            .await
            .map(drop)
    }

    /// Makes a customer; returns whether it was missing.
    async fn customer(&self, n: u32) -> Result<bool, ShopError> {
        let country = Country::of_customer(i64::from(n) + 1);
        let password = Secret::token().map_err(|error| ShopError::Task(error.to_string()))?;
        let customer = json!({
            "username": format!("customer-{n:05}"),
            "password": password.expose(),
            "name": format!("Customer {n:05}"),
            "country": country.code(),
        });
        let path = "/users/register";
        let ask = self.ask(Role::Users, Method::POST, path)?.json(&customer);
        match self.send(ask).await? {
            (StatusCode::CREATED, _) => Ok(true),
            (StatusCode::CONFLICT, _) => Ok(false),
            (status, problem) => Err(refused(path, status, &problem)),
        }
    }

    async fn order(&self, n: u32, products: u64) -> Result<(), ShopError> {
        let mut draw = Draw::new(!self.seed, u64::from(n));
        let order = json!({
            "customer_id": 1 + draw.below(10_000),
            "product_id": 1 + draw.below(products.max(1)),
            "quantity": 1,
        });
        let made = self.made(Role::Orders, "/order", &order).await?;
        let pay = json!({ "order_id": made["order_id"] });
        self.made(Role::Orders, "/payment/pay", &pay)
            .await
            .map(drop)
    }

    async fn made(&self, role: Role, path: &str, body: &Value) -> Result<Value, ShopError> {
        let ask = self.ask(role, Method::POST, path)?.json(body);
        let (status, answer) = self.send(ask).await?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(refused(path, status, &answer))
        }
    }

    /// Asks a role behind the storefront, as an admin: its listener is known to nobody else.
    fn ask(&self, role: Role, method: Method, path: &str) -> Result<RequestBuilder, ShopError> {
        let url = self.shop.url(role).ok_or(ShopError::PeerMissing {
            role: "seed",
            peer: role.name(),
        })?;
        let mut headers = reqwest::header::HeaderMap::new();
        let admin = Identity {
            user: Some(1),
            admin: true,
            ..Identity::default()
        };
        // An order that names its customer is made without an account.
        if role != Role::Orders || method == Method::GET {
            admin.inject(&mut headers);
        }
        let url = format!("{url}{path}");
        Ok(self.client.request(method, url).headers(headers))
    }

    async fn send(&self, ask: RequestBuilder) -> Result<(StatusCode, Value), ShopError> {
        let answer = ask.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn refused(path: &str, status: StatusCode, answer: &Value) -> ShopError {
    let detail = answer["detail"].as_str().unwrap_or_default();
    ShopError::Task(format!("{path} answered {status}: {detail}"))
}
