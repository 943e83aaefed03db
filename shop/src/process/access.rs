//! Who may use the control listener: the token and where it comes from, and the operator's limits.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use fault::{
    Share, Token,
    control::{Caps, ControlConfig},
    supervise::Handshake,
    token,
};
use tokio_util::sync::CancellationToken;

use crate::{cli::ProcessArgs, error::ShopError};

/// Limits an operator sets on faults; beyond loopback they are demanded.
#[derive(Debug, Clone, Default, Args)]
pub struct CapArgs {
    /// Name by which the control API may be addressed beside loopback; may be repeated
    #[arg(long, value_name = "HOST")]
    pub control_host: Vec<String>,
    /// Longest wait a latency fault may cause
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub fault_max_latency: Option<Duration>,
    /// Largest share a fault may hit, such as 50%
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub fault_max_share: Option<Share>,
    /// Longest time a fault may last
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub fault_max_duration: Option<Duration>,
    /// Kinds of faults that are allowed
    #[arg(long, value_name = "KIND,…", value_delimiter = ',')]
    pub fault_kinds: Vec<String>,
    /// Route that no fault touches; may be repeated
    #[arg(long, value_name = "ROUTE")]
    pub fault_protect: Vec<String>,
}

impl CapArgs {
    fn caps(&self) -> Caps {
        let millis = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Caps {
            max_latency_ms: self.fault_max_latency.map(millis),
            max_share: self.fault_max_share,
            max_duration_ms: self.fault_max_duration.map(millis),
            kinds: (!self.fault_kinds.is_empty()).then(|| self.fault_kinds.clone()),
            protected_routes: self.fault_protect.clone(),
        }
    }
}

fn parse_share(text: &str) -> Result<Share, String> {
    text.parse::<Share>().map_err(|error| error.to_string())
}

/// What a process knows about its control listener and its parent.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) control: ControlConfig,
    /// Cancelled when the parent is gone; never without one.
    pub(crate) parent_gone: CancellationToken,
    /// A generated token, whose file goes when the process does.
    pub(crate) token_file: Option<TokenFile>,
}

impl Access {
    /// Learns the token: from the parent, from the operator's file, or by making one.
    ///
    /// Blocks on stdin under a parent.
    pub(crate) fn learn(args: &ProcessArgs, name: &str) -> Result<Self, ShopError> {
        let mut access = if args.child {
            let handshake =
                Handshake::from_stdin().map_err(|error| ShopError::Handshake(error.to_string()))?;
            Self {
                control: ControlConfig::loopback(handshake.token),
                parent_gone: handshake.parent_gone,
                token_file: None,
            }
        } else if let Some(path) = &args.control_token_file {
            let mut control = ControlConfig::loopback(token::from_file(path).map_err(refused)?);
            control.operator_token = true;
            Self {
                control,
                parent_gone: CancellationToken::new(),
                token_file: None,
            }
        } else {
            let token = token::generate();
            let file = TokenFile::write(name, &token)?;
            Self {
                control: ControlConfig::loopback(token),
                parent_gone: CancellationToken::new(),
                token_file: Some(file),
            }
        };
        access.control.caps = args.caps.caps();
        access.control.hosts.clone_from(&args.caps.control_host);
        Ok(access)
    }
}

fn refused(error: impl std::fmt::Display) -> ShopError {
    ShopError::Control(error.to_string())
}

/// A file with a generated token; removed when dropped.
#[derive(Debug)]
pub(crate) struct TokenFile(PathBuf);

impl TokenFile {
    fn write(name: &str, token: &Token) -> Result<Self, ShopError> {
        let path = runtime_folder().join(format!("{name}-{}.token", std::process::id()));
        token::write_private(&path, token).map_err(refused)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        // Nothing depends on it: the token dies with the process.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn runtime_folder() -> PathBuf {
    let given = env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
    given.map_or_else(
        || env::temp_dir().join(format!("obs-tui-{}", rustix::process::getuid().as_raw())),
        |folder| PathBuf::from(folder).join("obs-tui"),
    )
}
