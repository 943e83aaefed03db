//! The embedded lab: a shop, its traffic and an engine that scrapes both.
//!
//! Shop and load are this program again, as child processes, so that crash, CPU and leak faults
//! never hit the dashboard. They end when their stdin closes, whatever becomes of us.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fault::client::{Client, Endpoint};
use fault::supervise::{Child, Ready, Spec};
use fault::{Token, token};
use promql::rules::RuleFile;
use signals::{Embedded, EmbeddedConfig, TargetSpec};
use tokio::sync::mpsc;

use crate::lab::child_log::ChildLog;
use crate::stop::Stop;

mod child_log;

/// Scrape and evaluation interval of the lab.
pub const INTERVAL: Duration = Duration::from_secs(1);
/// How long the lab keeps samples.
const RETENTION: Duration = Duration::from_hours(1);
/// The rules of the lab: those of the shop with windows fit for an exercise.
const RULES: &str = include_str!("../../rules/drill.yml");
/// Log lines of the children that may wait for the disk.
const LINE_BACKLOG: usize = 1024;

/// What a lab is to be.
#[derive(Debug, Clone, Default)]
pub struct LabSpec {
    /// Seed of everything that is drawn by lot.
    pub seed: u64,
    /// Arguments of the load generator beside the usual ones.
    pub load: Vec<String>,
}

impl LabSpec {
    /// Returns the usual lab with this seed.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }
}

/// A running lab. Dropped, its children are killed; [`Lab::shutdown`] lets them end by themselves.
pub struct Lab {
    source: Arc<Embedded>,
    shop: Child,
    load: Child,
    log: ChildLog,
    controls: Vec<Client>,
}

impl Lab {
    /// Brings the lab up: shop, then traffic, then the engine.
    pub async fn start(spec: LabSpec) -> Result<Self, Stop> {
        let LabSpec {
            seed,
            load: load_args,
        } = spec;
        let program = std::env::current_exe().map_err(|error| {
            Stop::environment(format!(
                "the path of this program cannot be found ({error}); start obs-tui by its path"
            ))
        })?;
        let (lines, received) = mpsc::channel(LINE_BACKLOG);
        let log = ChildLog::start(received);
        let shop_spec = shop_spec(program.clone(), seed, &lines);
        let shop_token = shop_spec.token.clone();
        let shop = start_child(shop_spec).await?;
        let storefront = shop
            .ready()
            .services
            .iter()
            .find(|service| service.service == "storefront")
            .map(|service| service.url.clone())
            .ok_or_else(|| Stop::environment("the shop started without its storefront"))?;
        let mut load_spec = load_spec(program, seed, &storefront, &lines);
        load_spec.args.extend(load_args.into_iter().map(Into::into));
        let load_token = load_spec.token.clone();
        let load = start_child(load_spec).await?;
        let controls = vec![
            control("shop", &shop, shop_token)?,
            control("load", &load, load_token)?,
        ];
        let rules = RuleFile::parse(RULES).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Stop::environment(format!("the built-in rules: {}", lines.join("; ")))
        })?;
        let source = Embedded::start(EmbeddedConfig {
            targets: vec![target("shop", shop.ready())?, target("load", load.ready())?],
            rules: vec![rules],
            scrape_interval: INTERVAL,
            evaluation_interval: INTERVAL,
            retention: RETENTION,
            ..EmbeddedConfig::default()
        })
        .map_err(Stop::environment)?;
        Ok(Self {
            source: Arc::new(source),
            shop,
            load,
            log,
            controls,
        })
    }

    /// Returns the engine.
    pub fn source(&self) -> Arc<Embedded> {
        Arc::clone(&self.source)
    }

    /// Returns the fault controls of shop and load.
    pub fn controls(&self) -> Vec<Client> {
        self.controls.clone()
    }

    /// Waits until a child ends although nobody asked it to; returns what to tell the person.
    pub async fn child_lost(&mut self) -> String {
        let (name, exit) = tokio::select! {
            exit = self.shop.exited() => ("shop", exit),
            exit = self.load.exited() => ("load", exit),
        };
        let last = exit
            .last_lines
            .last()
            .map(String::as_str)
            .unwrap_or_default();
        format!("the embedded {name} ended ({}): {last}", exit.status)
    }

    /// Stops traffic, shop and engine and waits for them.
    pub async fn shutdown(mut self) {
        self.source.shutdown().await;
        self.load.stop().await;
        self.shop.stop().await;
        drop((self.load, self.shop));
        self.log.finish().await;
    }
}

fn shop_spec(program: PathBuf, seed: u64, lines: &mpsc::Sender<String>) -> Spec {
    let roles = shop::config::Role::ALL
        .into_iter()
        .map(shop::config::Role::name);
    let listeners = roles
        .chain(["metrics", "control"])
        .map(|listener| format!("--{listener}-listen=127.0.0.1:0"));
    // Short, so that what traffic leaves behind neither fires an alert nor piles up.
    let args = [
        "shop",
        "--child",
        "--log-format=json",
        "--cart-ttl=60s",
        "--payment-window=2m",
        "--order-retention=15m",
        "--demo",
        "--password-cost=low",
        // The traffic tells the address of each customer; without it all would be one client.
        "--trust-forwarded-for",
    ]
    .map(str::to_owned);
    spec(
        "shop",
        program,
        seed,
        lines,
        args.into_iter().chain(listeners),
    )
}

fn load_spec(program: PathBuf, seed: u64, storefront: &str, lines: &mpsc::Sender<String>) -> Spec {
    let args = [
        "load",
        "--child",
        "--log-format=json",
        "--metrics-listen=127.0.0.1:0",
        "--control-listen=127.0.0.1:0",
    ]
    .map(str::to_owned);
    let target = [format!("--target={storefront}")];
    spec("load", program, seed, lines, args.into_iter().chain(target))
}

fn spec(
    name: &str,
    program: PathBuf,
    seed: u64,
    lines: &mpsc::Sender<String>,
    args: impl Iterator<Item = String>,
) -> Spec {
    Spec {
        args: args
            .chain([format!("--seed={seed}")])
            .map(Into::into)
            .collect(),
        lines: Some(lines.clone()),
        ..Spec::new(name, program, token::generate())
    }
}

async fn start_child(spec: Spec) -> Result<Child, Stop> {
    Child::start(spec).await.map_err(Stop::environment)
}

fn control(name: &str, child: &Child, token: Token) -> Result<Client, Stop> {
    let url = child.ready().control_url.as_deref().ok_or_else(|| {
        Stop::environment(format!(
            "the embedded {name} started without its fault control"
        ))
    })?;
    let endpoint = Endpoint::new(name, url, token).map_err(Stop::environment)?;
    Client::new(endpoint).map_err(Stop::environment)
}

fn target(job: &str, ready: &Ready) -> Result<TargetSpec, Stop> {
    let url = ready.metrics_url.as_deref().ok_or_else(|| {
        Stop::environment(format!("the embedded {job} started without its metrics"))
    })?;
    Ok(TargetSpec {
        job: job.to_owned(),
        instance: String::new(),
        url: format!("{}/metrics", url.trim_end_matches('/')),
    })
}
