//! From flags to connections: which Prometheus, which Alertmanager, which fault controls.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use signals::connect::{BasicAuth, ClientCertificate, Connection, Secret};
use signals::{Alertmanager, Prometheus, PrometheusConfig, SourceError};

use crate::cli::{FaultArgs, SourceArgs};
use crate::stop::Stop;

/// Longest wait for an answer while nobody looks.
const HEADLESS_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the Prometheus that the flags name, if they name one.
pub(crate) fn prometheus(args: &SourceArgs) -> Result<Option<Arc<Prometheus>>, Stop> {
    let Some(url) = &args.prometheus else {
        return Ok(None);
    };
    let connection = Connection {
        token_file: args.prometheus_token_file.clone(),
        basic_auth: basic_auth(
            "--prometheus-password-file",
            args.prometheus_user.as_deref(),
            args.prometheus_password_file.as_deref(),
        )?,
        headers: headers(&args.prometheus_headers),
        ..shared(args, url)
    };
    let source = Prometheus::new(&PrometheusConfig::new(connection))
        .map_err(|error| Stop::usage(format!("--prometheus: {error}")))?;
    Ok(Some(Arc::new(source)))
}

/// Returns the connection to the Alertmanager that the flags name, if they name one.
pub(crate) fn alertmanager(args: &SourceArgs) -> Result<Option<Alertmanager>, Stop> {
    let Some(url) = &args.alertmanager else {
        return Ok(None);
    };
    let connection = Connection {
        token_file: args.alertmanager_token_file.clone(),
        basic_auth: basic_auth(
            "--alertmanager-password-file",
            args.alertmanager_user.as_deref(),
            args.alertmanager_password_file.as_deref(),
        )?,
        headers: headers(&args.alertmanager_headers),
        ..shared(args, url)
    };
    Alertmanager::new(&connection)
        .map(Some)
        .map_err(|error| Stop::usage(format!("--alertmanager: {error}")))
}

/// What both servers share.
fn shared(args: &SourceArgs, url: &str) -> Connection {
    Connection {
        tenant: args.tenant.clone(),
        ca_file: args.ca_file.clone(),
        client_certificate: args.client_cert.clone().zip(args.client_key.clone()).map(
            |(cert_file, key_file)| ClientCertificate {
                cert_file,
                key_file,
            },
        ),
        timeout: HEADLESS_TIMEOUT,
        insecure_token: args.insecure_credentials,
        ..Connection::new(url)
    }
}

fn basic_auth(
    flag: &str,
    user: Option<&str>,
    file: Option<&Path>,
) -> Result<Option<BasicAuth>, Stop> {
    let (Some(user), Some(file)) = (user, file) else {
        return Ok(None);
    };
    let password = fs::read_to_string(file)
        .map_err(|error| Stop::usage(format!("{flag} {}: {error}", file.display())))?;
    Ok(Some(BasicAuth {
        user: user.to_owned(),
        password: Secret::new(password.trim_end_matches(['\r', '\n'])),
    }))
}

fn headers(pairs: &[(String, String)]) -> Vec<(String, Secret)> {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), Secret::new(value.as_str())))
        .collect()
}

/// Returns which flags mend what a Prometheus answered, where flags can mend it.
pub(crate) fn help(error: &SourceError) -> Option<&'static str> {
    match error {
        SourceError::Refused { .. } => Some(
            "give --prometheus-token-file FILE, --prometheus-user USER with \
             --prometheus-password-file FILE, or --prometheus-header 'NAME: VALUE'",
        ),
        SourceError::Unreachable { cause, .. } if cause.contains("certificate") => {
            Some("trust a private authority with --ca-file FILE")
        }
        _ => None,
    }
}

/// A fault control as the flags name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedControl {
    /// Its name; host and port when the person gave none.
    pub(crate) name: String,
    /// Its address.
    pub(crate) url: String,
    /// The file with its token.
    pub(crate) token_file: Option<PathBuf>,
}

/// Reads `--fault [NAME=]URL` and `--fault-token [NAME=]FILE`.
///
/// A token without a name belongs to the only control there is; it is never sent to two.
pub(crate) fn named_controls(args: &FaultArgs) -> Result<Vec<NamedControl>, Stop> {
    let mut controls: Vec<NamedControl> = Vec::new();
    for text in &args.faults {
        let (name, url) = match text.split_once('=') {
            Some((name, url)) if !name.contains("://") => (name.to_owned(), url.to_owned()),
            _ => (host_and_port(text), text.clone()),
        };
        if controls.iter().any(|other| other.name == name) {
            return Err(Stop::usage(format!(
                "--fault {text}: there are two fault controls named `{name}`; \
                 tell them apart with NAME=URL"
            )));
        }
        controls.push(NamedControl {
            name,
            url,
            token_file: None,
        });
    }
    for text in &args.fault_tokens {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (Some(name), file),
            None => (None, text.as_str()),
        };
        let known: Vec<String> = controls
            .iter()
            .map(|control| control.name.clone())
            .collect();
        let found = match name {
            Some(name) => controls.iter_mut().find(|control| control.name == name),
            None if controls.len() == 1 => controls.first_mut(),
            None => None,
        };
        let Some(control) = found else {
            return Err(Stop::usage(format!(
                "--fault-token {text}: it must name one of the fault controls ({}), \
                 as in --fault-token NAME=FILE",
                known.join(", ")
            )));
        };
        control.token_file = Some(PathBuf::from(file));
    }
    Ok(controls)
}

fn host_and_port(url: &str) -> String {
    url::Url::parse(url).map_or_else(
        |_| url.to_owned(),
        |parsed| match (parsed.host_str(), parsed.port_or_known_default()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            _ => url.to_owned(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(faults: &[&str], tokens: &[&str]) -> FaultArgs {
        FaultArgs {
            faults: faults.iter().map(ToString::to_string).collect(),
            fault_tokens: tokens.iter().map(ToString::to_string).collect(),
            ..FaultArgs::default()
        }
    }

    #[test]
    fn names_are_given_or_taken_from_the_address() {
        let controls = named_controls(&args(
            &["shop=http://127.0.0.1:9465", "http://127.0.0.1:9467/x?a=b"],
            &["shop=/run/token"],
        ))
        .unwrap();
        assert_eq!(controls[0].name, "shop");
        assert_eq!(controls[0].token_file, Some(PathBuf::from("/run/token")));
        assert_eq!(controls[1].name, "127.0.0.1:9467");
        assert_eq!(controls[1].token_file, None);
    }

    #[test]
    fn a_token_without_a_name_needs_a_single_control() {
        let one = named_controls(&args(&["http://127.0.0.1:1"], &["/t"])).unwrap();
        assert_eq!(one[0].token_file, Some(PathBuf::from("/t")));
        let two = named_controls(&args(&["a=http://h:1", "b=http://h:2"], &["/t"]));
        assert!(two.unwrap_err().text.contains("NAME=FILE"));
        let unknown = named_controls(&args(&["a=http://h:1"], &["c=/t"]));
        assert!(unknown.unwrap_err().text.contains('a'));
        let twice = named_controls(&args(&["a=http://h:1", "a=http://h:2"], &[]));
        assert_eq!(twice.unwrap_err().code, crate::stop::USAGE);
    }
}
