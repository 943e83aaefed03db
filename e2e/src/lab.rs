//! A shop and its traffic as separate programs, started the way an operator would.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fault::client::{Client, Endpoint};
use fault::{Listing, token};
use tempfile::TempDir;

use crate::binaries;
use crate::process::{Process, free_port, wait_until};
use crate::servers;

/// Long enough for a debug build on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running shop and load generator.
#[derive(Debug)]
pub struct Lab {
    /// The shop.
    pub shop: Process,
    /// The load generator.
    pub load: Process,
    /// Address of the storefront, `127.0.0.1:PORT`.
    pub storefront: String,
    /// Addresses of `/metrics` by job.
    pub metrics: [(&'static str, String); 2],
    /// Addresses of the fault controls by name.
    pub controls: [(&'static str, String); 2],
    /// The file with the token of both controls.
    pub token_file: PathBuf,
    starts: u32,
    folder: TempDir,
}

impl Lab {
    /// Starts both and waits until they are ready.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let token_file = folder.path().join("token");
        token::write_private(&token_file, &token::generate()).expect("the token can be written");
        let [
            storefront,
            shop_metrics,
            shop_control,
            load_metrics,
            load_control,
        ] = [(); 5].map(|()| format!("127.0.0.1:{}", free_port()));
        let shop = start_shop(
            [&storefront, &shop_metrics, &shop_control],
            &token_file,
            &folder.path().join("shop.log"),
        );
        wait_until("the shop is ready", START_LIMIT, || {
            servers::ok(&shop_metrics, "/readyz")
        });
        let mut load = Command::new(binaries::shop());
        load.args(["load", "--rate=60"])
            .arg(format!("--target=http://{storefront}"))
            .arg(format!("--metrics-listen={load_metrics}"))
            .arg(format!("--control-listen={load_control}"))
            .arg(format!("--control-token-file={}", token_file.display()));
        let load = Process::start(load, &folder.path().join("load.log"));
        wait_until("the load generator is ready", START_LIMIT, || {
            servers::ok(&load_metrics, "/readyz")
        });
        Self {
            shop,
            load,
            storefront,
            metrics: [("shop", shop_metrics), ("load", load_metrics)],
            controls: [("shop", shop_control), ("load", load_control)],
            token_file,
            starts: 1,
            folder,
        }
    }

    /// Starts the shop again, on the ports it had, after it was killed; it does not wait for it.
    pub fn restart_shop(&mut self) {
        self.starts += 1;
        let log = self.folder.path().join(format!("shop-{}.log", self.starts));
        let addresses = [&self.storefront, &self.metrics[0].1, &self.controls[0].1];
        self.shop = start_shop(addresses, &self.token_file, &log);
    }

    /// Returns a folder for the test's own files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the flags that tell obs-tui where the fault controls are.
    pub fn fault_flags(&self) -> Vec<String> {
        self.controls
            .iter()
            .flat_map(|(name, address)| {
                [
                    format!("--fault={name}=http://{address}"),
                    format!("--fault-token={name}={}", self.token_file.display()),
                ]
            })
            .collect()
    }

    /// Returns a client of the shop's fault control.
    pub fn client(&self) -> Client {
        let token = token::from_file(&self.token_file).expect("the token can be read");
        let url = format!("http://{}", self.controls[0].1);
        let endpoint = Endpoint::new("shop", &url, token).expect("the address is one");
        Client::new(endpoint).expect("a client can be made")
    }

    /// Returns what is armed on the shop.
    pub fn faults(&self) -> Listing {
        let client = self.client();
        block_on(async move { client.list().await }).expect("the fault control answers")
    }
}

/// The roles that no customer talks to.
const ROLES_BEHIND: [&str; 6] = [
    "orders",
    "payments",
    "catalog",
    "users",
    "promotions",
    "partners",
];

/// Starts a shop; the addresses are those of storefront, metrics and fault control.
fn start_shop(addresses: [&String; 3], token_file: &Path, log: &Path) -> Process {
    let [storefront, metrics, control] = addresses;
    let mut shop = Command::new(binaries::shop());
    shop.arg(format!("--storefront-listen={storefront}"))
        .args(ROLES_BEHIND.map(|role| format!("--{role}-listen=127.0.0.1:0")))
        .arg(format!("--metrics-listen={metrics}"))
        .arg(format!("--control-listen={control}"))
        .arg(format!("--control-token-file={}", token_file.display()));
    Process::start(shop, log)
}

/// Runs async work to its end on a runtime of its own.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
        .block_on(work)
}
