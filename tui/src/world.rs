//! What a command works on: a source, perhaps an Alertmanager, and fault controls, either those of
//! a lab of our own or those that the flags name.

use std::sync::Arc;

use fault::client::{Client, Endpoint};
use fault::token;
use signals::{Alertmanager, Source};

use crate::attach;
use crate::cli::{FaultArgs, SourceArgs};
use crate::lab::{Lab, LabSpec};
use crate::output;
use crate::stop::Stop;

/// Source, Alertmanager and fault controls.
pub struct World {
    /// Where numbers, rules and alerts come from.
    pub source: Arc<dyn Source>,
    /// The Alertmanager, when one is named.
    pub alertmanager: Option<Arc<Alertmanager>>,
    /// What may be broken.
    pub controls: Vec<Client>,
    /// The lab behind all of it, when it is our own.
    pub lab: Option<Lab>,
}

impl World {
    /// Brings up a lab when no Prometheus is named, else connects to what is named.
    pub async fn open(source: &SourceArgs, faults: &FaultArgs, seed: u64) -> Result<Self, Stop> {
        if let Some(prometheus) = attach::prometheus(source)? {
            return Ok(Self {
                source: prometheus,
                alertmanager: attach::alertmanager(source)?.map(Arc::new),
                controls: connect(faults)?,
                lab: None,
            });
        }
        refuse_stray_flags(source, faults)?;
        let lab = Lab::start(LabSpec::seeded(seed)).await?;
        Ok(Self {
            source: lab.source(),
            alertmanager: None,
            controls: lab.controls(),
            lab: Some(lab),
        })
    }

    /// Takes a lab down and waits for it; there is nothing to do for named servers.
    pub async fn close(self) {
        if let Some(lab) = self.lab {
            lab.shutdown().await;
        }
    }
}

/// Flags that would silently do nothing with the embedded lab.
fn refuse_stray_flags(source: &SourceArgs, faults: &FaultArgs) -> Result<(), Stop> {
    let given = [
        ("--alertmanager", source.alertmanager.is_some()),
        ("--fault", !faults.faults.is_empty()),
        ("--fault-token", !faults.fault_tokens.is_empty()),
        (
            "--prometheus-token-file",
            source.prometheus_token_file.is_some(),
        ),
        ("--prometheus-header", !source.prometheus_headers.is_empty()),
        ("--prometheus-user", source.prometheus_user.is_some()),
        ("--tenant", source.tenant.is_some()),
        ("--ca-file", source.ca_file.is_some()),
        ("--client-cert", source.client_cert.is_some()),
    ];
    let Some((stray, _)) = given.into_iter().find(|(_, is_given)| *is_given) else {
        return Ok(());
    };
    Err(Stop::usage(format!(
        "{stray} needs --prometheus URL: without it obs-tui brings up a lab of its own"
    )))
}

/// Returns the clients of the fault controls that the flags name.
pub fn connect(args: &FaultArgs) -> Result<Vec<Client>, Stop> {
    let mut clients = Vec::new();
    for control in attach::named_controls(args)? {
        let Some(file) = &control.token_file else {
            return Err(Stop::usage(format!(
                "--fault {name}: its token is missing; give it with --fault-token {name}=FILE",
                name = control.name
            )));
        };
        let token = token::from_file(file)
            .map_err(|error| Stop::usage(format!("--fault-token {}: {error}", control.name)))?;
        let mut endpoint = Endpoint::new(&control.name, &control.url, token)
            .map_err(|error| Stop::usage(format!("--fault {}: {error}", control.name)))?;
        endpoint.insecure_token = args.insecure_token;
        confirm(args, &endpoint)?;
        clients.push(Client::new(endpoint).map_err(Stop::usage)?);
    }
    Ok(clients)
}

/// Without a person at the terminal, a host beyond loopback must be named twice.
fn confirm(args: &FaultArgs, endpoint: &Endpoint) -> Result<(), Stop> {
    let host = endpoint.url.host_str().unwrap_or_default();
    let confirmed = args.target_confirmed.iter().any(|name| name == host);
    if endpoint.is_loopback() || confirmed || output::is_interactive() {
        return Ok(());
    }
    Err(Stop::usage(format!(
        "--fault {}: {host} is not this machine; say that you mean it with --target-confirmed {host}",
        endpoint.name
    )))
}
