//! The command line: what can be asked for. It decides nothing.

mod query;
mod rules;
mod session;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::dashboard::Palette;

pub use query::{QueryArgs, UnitName};
pub use rules::{CheckArgs, ProfileName, RulesAction, RulesCommand, ScaleArgs, TestArgs};
pub use session::SessionArgs;

/// Watches a system, breaks it on purpose, and proves that its alerts work.
///
/// Started with nothing, it brings up an instrumented shop, traffic and a Prometheus-compatible
/// engine of its own and shows them live.
#[derive(Debug, Parser)]
#[command(name = "obs-tui", version, max_term_width = 100)]
pub struct Cli {
    /// What to do; the dashboard if nothing is named.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where the dashboard's numbers come from and what it may break.
    #[command(flatten)]
    pub dashboard: DashboardArgs,

    /// File for obs-tui's own log (default: obs-tui.log under the XDG state folder).
    #[arg(long, global = true, value_name = "FILE", help_heading = "Options")]
    pub log_file: Option<PathBuf>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run playbooks and judge them; the exit code is the verdict.
    Run(RunArgs),
    /// Parse and validate playbooks: every problem at once, with its place.
    Check {
        /// Files or names of shipped playbooks.
        #[arg(required = true, value_name = "PLAYBOOK")]
        playbooks: Vec<String>,
        /// Set a variable.
        #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_pair)]
        vars: Vec<(String, String)>,
    },
    /// List the shipped playbooks.
    List {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Show the timeline that a run of a playbook would follow.
    Explain {
        /// A file or the name of a shipped playbook.
        playbook: String,
        /// Set a variable.
        #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_pair)]
        vars: Vec<(String, String)>,
    },
    /// Evaluate a query on the chosen source and print a table, a plot or JSON.
    ///
    /// Exit codes: 0 with a result; 2 when the query or a flag is wrong; 6 when the source does not
    /// answer or the result has no series.
    Query(QueryArgs),
    /// List, arm and withdraw faults through the control API.
    Fault(FaultCommand),
    /// Work on recording and alerting rules.
    Rules(RulesCommand),
    /// Make a report from the journal of a run.
    Report {
        /// The journal file, or the id of a run that `obs-tui runs` lists.
        journal: String,
        /// The form of the report.
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// List the journals of past runs.
    Runs {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Hold a whole session: start everything, wait until it is healthy, let customers of four kinds
    /// shop, stop everything, and sum up.
    Session(SessionArgs),
    /// Serve the shop: the instrumented patient.
    Shop(Box<shop::cli::tasks::ShopCommand>),
    /// Generate traffic for a shop.
    Load(shop::cli::LoadArgs),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// The timeline and verdict as `obs-tui run` prints them.
    Text,
    /// One JSON document.
    Json,
}

/// Flags of the dashboard.
#[derive(Debug, Args)]
pub struct DashboardArgs {
    /// The source.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The fault control.
    #[command(flatten)]
    pub faults: FaultArgs,
    /// Label matchers that replace `{service="storefront"}` in the built-in panels.
    #[arg(long, value_name = "{…}")]
    pub select: Option<String>,
    /// Replace the query of a panel: `qps`, `p95` or `errors`.
    #[arg(long = "panel", value_name = "PANEL=EXPR", value_parser = parse_pair)]
    pub panels: Vec<(String, String)>,
    /// Window of the rates in the built-in panels (default: four scrapes of the embedded engine, or
    /// 1m); take at least four scrape intervals of the source.
    #[arg(long, value_parser = parse_duration, value_name = "DURATION")]
    pub rate_window: Option<std::time::Duration>,
    /// How much time the charts show (default: 2m of the embedded lab, 15m of a server).
    #[arg(long, value_parser = parse_duration, value_name = "DURATION")]
    pub window: Option<std::time::Duration>,
    /// How often the dashboard asks a remote source.
    #[arg(long, default_value = "2s", value_parser = parse_duration, value_name = "DURATION")]
    pub refresh: std::time::Duration,
    /// Colours; by default chosen from the terminal (`NO_COLOR` is honoured).
    #[arg(long, value_enum)]
    pub theme: Option<ThemeName>,
    /// Draw with ASCII only.
    #[arg(long)]
    pub ascii: bool,
}

/// A set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ThemeName {
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// The terminal's own sixteen colours.
    #[value(name = "16")]
    Ansi16,
    /// No colour.
    Mono,
}

impl From<ThemeName> for Palette {
    fn from(name: ThemeName) -> Self {
        match name {
            ThemeName::Dark => Self::Dark,
            ThemeName::Light => Self::Light,
            ThemeName::Ansi16 => Self::Ansi16,
            ThemeName::Mono => Self::Mono,
        }
    }
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Files or names of shipped playbooks.
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<String>,
    /// Bring up a shop, traffic and an engine for the run (the default without --prometheus).
    #[arg(long, conflicts_with = "prometheus")]
    pub embedded: bool,
    /// The source.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The fault control.
    #[command(flatten)]
    pub faults: FaultArgs,
    /// Set a variable of the playbook.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_pair)]
    pub vars: Vec<(String, String)>,
    /// Seed of every random decision.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print every call and the timeline, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Folder for the journals and reports (default: runs/ under the XDG state folder).
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
    /// Print one JSON document instead of the timeline.
    #[arg(long)]
    pub json: bool,
}

/// `fault list | add | clear`.
#[derive(Debug, Args)]
pub struct FaultCommand {
    /// What to do.
    #[command(subcommand)]
    pub action: FaultAction,
}

/// What can be done with faults.
#[derive(Debug, Subcommand)]
pub enum FaultAction {
    /// List live faults and the ones that ended last.
    List {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        /// The fault control.
        #[command(flatten)]
        faults: FaultArgs,
    },
    /// Arm a fault until its time is over. Its lease equals its time: nobody renews it.
    Add {
        /// Id of the fault: `[a-z0-9-]{1,40}`.
        id: String,
        /// Its fields, such as `kind=error status=503 share=50% where.service=payments`.
        #[arg(required = true, value_name = "FIELD=VALUE", value_parser = parse_pair)]
        fields: Vec<(String, String)>,
        /// Hard end.
        #[arg(long = "for", value_parser = parse_duration, default_value = "60s")]
        for_: std::time::Duration,
        /// Why; it stands in the audit log.
        #[arg(long, default_value = "by hand")]
        reason: String,
        /// The fault control.
        #[command(flatten)]
        faults: FaultArgs,
    },
    /// Withdraw every fault.
    Clear {
        /// Why; it stands in the audit log.
        #[arg(long, default_value = "by hand")]
        reason: String,
        /// The fault control.
        #[command(flatten)]
        faults: FaultArgs,
    },
}

/// Where numbers and alerts come from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Source")]
pub struct SourceArgs {
    /// Prometheus to ask; a path in the URL is its prefix.
    #[arg(long, value_name = "URL")]
    pub prometheus: Option<String>,
    /// File with the bearer token for Prometheus; read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub prometheus_token_file: Option<PathBuf>,
    /// Header sent to Prometheus, such as `X-Team: shop`.
    #[arg(long = "prometheus-header", value_name = "NAME: VALUE", value_parser = parse_header)]
    pub prometheus_headers: Vec<(String, String)>,
    /// User for basic authentication at Prometheus.
    #[arg(long, value_name = "USER", requires = "prometheus_password_file")]
    pub prometheus_user: Option<String>,
    /// File with the password for basic authentication at Prometheus.
    #[arg(long, value_name = "FILE", requires = "prometheus_user")]
    pub prometheus_password_file: Option<PathBuf>,
    /// Alertmanager to ask; a path in the URL is its prefix.
    #[arg(long, value_name = "URL")]
    pub alertmanager: Option<String>,
    /// File with the bearer token for Alertmanager.
    #[arg(long, value_name = "FILE")]
    pub alertmanager_token_file: Option<PathBuf>,
    /// Header sent to Alertmanager.
    #[arg(long = "alertmanager-header", value_name = "NAME: VALUE", value_parser = parse_header)]
    pub alertmanager_headers: Vec<(String, String)>,
    /// User for basic authentication at Alertmanager.
    #[arg(long, value_name = "USER", requires = "alertmanager_password_file")]
    pub alertmanager_user: Option<String>,
    /// File with the password for basic authentication at Alertmanager.
    #[arg(long, value_name = "FILE", requires = "alertmanager_user")]
    pub alertmanager_password_file: Option<PathBuf>,
    /// Send tokens and passwords of Prometheus and Alertmanager over plain http beyond loopback.
    #[arg(long)]
    pub insecure_credentials: bool,
    /// Tenant, sent as `X-Scope-OrgID` to both.
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// PEM file with certificate authorities to trust in place of the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// PEM file with the client certificate.
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// PEM file with the client key.
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
}

/// What may be broken.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Fault control")]
pub struct FaultArgs {
    /// Fault control of a service; several are told apart by NAME.
    #[arg(long = "fault", value_name = "[NAME=]URL")]
    pub faults: Vec<String>,
    /// File with the token of a fault control.
    #[arg(long = "fault-token", value_name = "[NAME=]FILE")]
    pub fault_tokens: Vec<String>,
    /// Send tokens over plain http beyond loopback.
    #[arg(long)]
    pub insecure_token: bool,
    /// Host of a fault control beyond loopback that a run without terminal may break.
    #[arg(long, value_name = "HOST")]
    pub target_confirmed: Vec<String>,
    /// Run although another owner's faults are live on the target.
    #[arg(long)]
    pub take_over: bool,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected `NAME: VALUE`".to_owned()),
    }
}

fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a duration such as 30s or 5m"))?;
    if duration.is_zero() {
        Err("it must be longer than nothing".to_owned())
    } else {
        Ok(duration)
    }
}
