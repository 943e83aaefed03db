//! The compose stack, as far as it can be checked without starting containers: every file parses, every
//! mounted file exists, every host and port that a configuration names belongs to a service that listens.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{needs, repository};
use regex::{Captures, Regex};
use serde::Deserialize;
use serde_json::Value;

/// Images without a shell or a client have nothing to run a health check with; `obs-tui` runs on demand.
const NO_HEALTHCHECK: [&str; 3] = ["jaeger", "obs-tui", "otel-collector"];

/// Ports that programs take when their configuration names none.
const USUAL_PORTS: [(&str, u16); 3] = [
    ("alertmanager", 9093),
    ("grafana", 3000),
    ("prometheus", 9090),
];

#[derive(Debug, Deserialize)]
struct Compose {
    services: BTreeMap<String, Service>,
    volumes: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Service {
    image: String,
    network_mode: Option<String>,
    restart: String,
    healthcheck: Option<Value>,
    deploy: Value,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, Value>,
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    ports: Vec<String>,
    #[serde(default)]
    expose: Vec<String>,
    #[serde(default)]
    networks: BTreeMap<String, Network>,
}

#[derive(Debug, Deserialize)]
struct Network {
    aliases: Vec<String>,
}

fn folder() -> PathBuf {
    repository().join("compose")
}

fn settings() -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder().join(".env")).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn compose() -> Compose {
    let settings = settings();
    let text = fs::read_to_string(folder().join("compose.yaml")).unwrap();
    let variable = Regex::new(r"\$\{(\w+)(?::-([^}]*))?\}").unwrap();
    let text = variable.replace_all(&text, |found: &Captures<'_>| {
        let fallback = found.get(2).map(|text| text.as_str().to_owned());
        settings
            .get(&found[1])
            .cloned()
            .or(fallback)
            .unwrap_or_else(|| panic!("{} is not in .env", &found[1]))
    });
    serde_yaml::from_str(&text).unwrap()
}

impl Service {
    fn in_the_pod(&self) -> bool {
        self.network_mode.as_deref() == Some("service:pod")
    }

    /// Returns (address, port) of what the environment tells the service to listen on.
    fn listeners(&self) -> Vec<(String, u16)> {
        let listens = self
            .environment
            .iter()
            .filter(|(name, _)| name.ends_with("_LISTEN"));
        listens
            .map(|(_, value)| value.as_str().unwrap().rsplit_once(':').unwrap())
            .map(|(address, port)| (address.to_owned(), port.parse().unwrap()))
            .collect()
    }

    /// Returns the ports that other services can reach.
    fn open_ports(&self) -> BTreeSet<u16> {
        let published = self
            .ports
            .iter()
            .map(|port| port.rsplit_once(':').unwrap().1);
        let exposed = self.expose.iter().map(String::as_str);
        let listens = self.listeners().into_iter();
        published
            .chain(exposed)
            .map(|port| port.parse().unwrap())
            .chain(
                listens
                    .filter(|(address, _)| address == "0.0.0.0")
                    .map(|(_, port)| port),
            )
            .collect()
    }

    /// Returns (host path, container path) of the files and folders that are mounted.
    fn mounts(&self) -> Vec<(&str, &str)> {
        let bound = self.volumes.iter().filter(|volume| volume.starts_with('.'));
        bound
            .map(|volume| volume.split_once(':').unwrap())
            .map(|(from, rest)| (from, rest.split(':').next().unwrap()))
            .collect()
    }
}

fn configuration_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if matches!(
                path.extension().and_then(|e| e.to_str()),
                Some("yaml" | "yml")
            ) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_configuration_parses() {
    let files = configuration_files();
    assert!(files.len() >= 8, "{files:?}");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        if let Err(error) = serde_yaml::from_str::<Value>(&text) {
            panic!("{}: {error}", path.display());
        }
    }
}

#[test]
fn promtool_and_amtool_accept_the_configurations() {
    let promtool = needs!("promtool_and_amtool_accept_the_configurations", "promtool");
    let amtool = needs!("promtool_and_amtool_accept_the_configurations", "amtool");
    let run = |program: &Path, arguments: &[&str], file: &str| {
        let output = Command::new(program)
            .args(arguments)
            .arg(folder().join(file))
            .output()
            .unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{file}: {text}");
    };
    // The rule files are where the container has them, so only the syntax is checked here; the rules
    // themselves are checked by shipped_rules.
    run(
        &promtool,
        &["check", "config", "--syntax-only"],
        "prometheus/prometheus.yml",
    );
    run(&amtool, &["check-config"], "alertmanager/alertmanager.yml");
    run(&amtool, &["check-config"], "alertmanager/webhook.yml");
}

#[test]
fn alerts_go_where_their_severity_says() {
    let amtool = needs!("alerts_go_where_their_severity_says", "amtool");
    for (receiver, labels) in [
        ("silent", "severity=none obs_tui_expect=always"),
        ("page", "severity=critical service=orders"),
        ("page", "severity=critical slo=payment burn=fast"),
        ("ticket", "severity=warning"),
        ("ticket", "severity=warning slo=latency burn=days"),
        ("note", "severity=info service=catalog"),
    ] {
        let output = Command::new(&amtool)
            .args(["config", "routes", "test", "--verify.receivers", receiver])
            .arg("--config.file")
            .arg(folder().join("alertmanager/alertmanager.yml"))
            .args(labels.split(' '))
            .output()
            .unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{labels}: {text}");
    }
}

/// Prometheus loads one profile of the shop's rules and the two files that are the same in both.
#[test]
fn prometheus_mounts_every_rule_file() {
    let compose = compose();
    let mounts = compose.services["prometheus"].mounts();
    let mut names: Vec<_> = mounts
        .iter()
        .filter_map(|(from, _)| from.strip_prefix("../rules/"))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [settings()["RULES"].as_str(), "slow.yml", "stack.yml"]
    );
}

#[test]
fn every_mounted_file_and_volume_exists() {
    let compose = compose();
    for (name, service) in &compose.services {
        for (from, _) in service.mounts() {
            assert!(folder().join(from).exists(), "{name} mounts {from}");
        }
        let volumes = service
            .volumes
            .iter()
            .filter(|volume| !volume.starts_with('.'));
        for volume in volumes.map(|volume| volume.split(':').next().unwrap()) {
            assert!(
                compose.volumes.contains_key(volume),
                "{name} uses the volume {volume}"
            );
        }
        // A path on the command line is one that is mounted, or a folder on a volume.
        let paths = service
            .command
            .iter()
            .filter_map(|word| word.split('=').next_back());
        for path in paths.filter(|path| path.starts_with("/etc/")) {
            let mounted = service.mounts().iter().any(|(_, to)| path.starts_with(to));
            assert!(mounted, "{name} reads {path}, which is not mounted");
        }
    }
}

#[test]
fn services_are_pinned_limited_and_published_on_loopback_only() {
    let compose = compose();
    for (name, service) in &compose.services {
        let (_, tag) = service.image.rsplit_once(':').unwrap();
        assert!(
            tag.contains(|c: char| c.is_ascii_digit()),
            "{name}: {tag} is no version"
        );
        let memory = &service.deploy["resources"]["limits"]["memory"];
        assert!(memory.is_string(), "{name} has no memory limit");
        assert!(!service.restart.is_empty(), "{name}");
        assert_ne!(
            service.healthcheck.is_some(),
            NO_HEALTHCHECK.contains(&name.as_str()),
            "{name}: a health check, or a place in the list of those that cannot have one"
        );
        for port in &service.ports {
            assert!(port.starts_with("127.0.0.1:"), "{name} publishes {port}");
        }
    }
    for (name, value) in settings()
        .iter()
        .filter(|(name, _)| name.ends_with("_IMAGE"))
    {
        assert!(
            !value.ends_with(":latest") && value.contains(':'),
            "{name}={value}"
        );
    }
    assert!(
        repository()
            .join("rules")
            .join(&settings()["RULES"])
            .is_file()
    );
}

#[test]
fn control_apis_stay_on_loopback_and_the_attached_program_knows_them() {
    let compose = compose();
    let script = fs::read_to_string(folder().join("shop/attached")).unwrap();
    let named = Regex::new(r"\b([a-z]+):(\d+)\b(?: |;)").unwrap();
    let controls_line = script
        .lines()
        .find(|line| line.starts_with("for control in"));
    let named: BTreeSet<(String, u16)> = named
        .captures_iter(controls_line.unwrap())
        .map(|found| (found[1].to_owned(), found[2].parse().unwrap()))
        .collect();
    let mut controls = BTreeSet::new();
    for (name, service) in &compose.services {
        for (variable, address) in &service.environment {
            if let Some(address) = address
                .as_str()
                .filter(|_| variable.ends_with("CONTROL_LISTEN"))
            {
                let (host, port) = address.rsplit_once(':').unwrap();
                assert_eq!(host, "127.0.0.1", "{name}: {variable}");
                controls.insert((name.clone(), port.parse().unwrap()));
            }
        }
    }
    assert_eq!(controls.len(), 5);
    assert_eq!(named, controls);
    let pod = &compose.services["pod"];
    let aliases: BTreeSet<_> = pod.networks["default"].aliases.iter().cloned().collect();
    let members: BTreeSet<_> = controls.into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        aliases, members,
        "the names under which the pod's network is reached"
    );
}

#[test]
fn every_address_in_a_configuration_has_a_listener() {
    let compose = compose();
    let address = Regex::new(r"\b(localhost|127\.0\.0\.1|[a-z][a-z-]*):(\d{2,5})\b").unwrap();
    let comment = Regex::new(r"(?m)^\s*#.*$").unwrap();
    let in_pod = |port: u16| {
        let members = compose
            .services
            .values()
            .filter(|service| service.in_the_pod());
        members
            .flat_map(Service::listeners)
            .any(|(_, listens)| listens == port)
    };
    let mut checked = 0;
    let mut check = |place: &str, reader: &Service, reader_name: &str, text: &str| {
        for found in address.captures_iter(&comment.replace_all(text, "")) {
            let (host, port) = (&found[1], found[2].parse::<u16>().unwrap());
            let local = matches!(host, "localhost" | "127.0.0.1");
            let answered = if local && reader.in_the_pod() {
                in_pod(port)
            } else {
                let host = if local { reader_name } else { host };
                let service = compose.services.get(host);
                service.is_some_and(|service| service.open_ports().contains(&port))
            };
            assert!(answered, "{place}: nobody listens on {host}:{port}");
            checked += 1;
        }
    };
    for (name, service) in &compose.services {
        for (variable, value) in &service.environment {
            if let Some(value) = value.as_str().filter(|_| !variable.ends_with("_LISTEN")) {
                check(&format!("{name} {variable}"), service, name, value);
            }
        }
        for (from, _) in service.mounts() {
            let path = folder().join(from);
            for path in configuration_files()
                .into_iter()
                .filter(|file| file.starts_with(&path))
            {
                let text = fs::read_to_string(&path).unwrap();
                check(&path.display().to_string(), service, name, &text);
            }
        }
    }
    assert!(checked >= 20, "only {checked} addresses were found");
}

/// What a service exposes beyond its program's usual port stands in its configuration.
#[test]
fn exposed_ports_are_configured() {
    for (name, service) in compose().services {
        let usual = USUAL_PORTS
            .iter()
            .filter(|(service, _)| *service == name)
            .map(|(_, port)| *port);
        let usual: BTreeSet<u16> = usual.collect();
        let files = service
            .mounts()
            .into_iter()
            .map(|(from, _)| folder().join(from))
            .filter(|path| path.is_file())
            .map(|path| fs::read_to_string(path).unwrap());
        let listeners = service
            .listeners()
            .into_iter()
            .map(|(_, port)| format!(" {port} "));
        // The pod publishes for the services that share its network.
        let pod = (name == "pod").then(|| "8080".to_owned());
        let configured: String = files.chain(listeners).chain(pod).collect();
        for port in service.open_ports().difference(&usual) {
            assert!(
                configured.contains(&port.to_string()),
                "{name} does not listen on {port}"
            );
        }
    }
}

/// The shop's containers are started with flags and variables that the program has.
#[test]
fn the_program_understands_how_it_is_started() {
    let root = clap::Command::new("obs-tui");
    let shop = <shop::cli::ShopArgs as clap::Args>::augment_args(clap::Command::new("shop"));
    let load = <shop::cli::LoadArgs as clap::Args>::augment_args(clap::Command::new("load"));
    let root = root.subcommand(shop).subcommand(load);
    for (name, service) in compose().services {
        if !service.in_the_pod() || name == "obs-tui" {
            continue;
        }
        let words = ["obs-tui".to_owned()]
            .into_iter()
            .chain(service.command.clone());
        let matches = root.clone().try_get_matches_from(words).unwrap();
        let (subcommand, _) = matches.subcommand().unwrap();
        let command = root.find_subcommand(subcommand).unwrap();
        let known: BTreeSet<_> = command
            .get_arguments()
            .filter_map(clap::Arg::get_env)
            .collect();
        for variable in service
            .environment
            .keys()
            .filter(|variable| !variable.starts_with("OTEL_"))
        {
            assert!(
                known.contains(variable.as_ref() as &std::ffi::OsStr),
                "{name}: {variable}"
            );
        }
    }
}
