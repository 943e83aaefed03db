//! The frame around a process of ours: logs, traces, runtimes, the ready line, and the end.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use fault::supervise::Ready;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{
    Layer, Registry,
    filter::{FilterExt, filter_fn},
    layer::SubscriberExt,
};

use super::{access::Access, side::SideRuntime};
use crate::{
    cli::{LogFormat, ProcessArgs},
    error::ShopError,
    telemetry::{
        logs::{FirstLine, LogFile, LogLayer, Sink, export::LogExport, level},
        traces::Traces,
    },
};

/// Threads of the business runtime: the patient is meant to be small.
const WORKERS: usize = 2;
/// Longest time for what is left of logs and traces at the end.
const TELEMETRY_LIMIT: Duration = Duration::from_secs(2);

/// A process on its way up.
pub(crate) struct Process {
    pub(crate) access: Access,
    pub(crate) side: SideRuntime,
    pub(crate) business: Runtime,
    name: &'static str,
    sink: Sink,
    first: FirstLine,
    telemetry: Telemetry,
    child: bool,
}

/// What is exported to elsewhere, apart from metrics.
struct Telemetry {
    traces: Traces,
    logs: Option<LogExport>,
    #[cfg(feature = "profiling")]
    profiles: Option<super::profile::Pushing>,
}

impl Telemetry {
    fn from_env(
        name: &'static str,
        services: &[&'static str],
        side: &SideRuntime,
    ) -> Result<Self, ShopError> {
        #[cfg(not(feature = "profiling"))]
        let _ = name;
        Ok(Self {
            traces: Traces::from_env(services, side.handle())?,
            logs: LogExport::from_env(services, side.handle())?,
            #[cfg(feature = "profiling")]
            profiles: super::profile::Pushing::from_env(name, side.handle())?,
        })
    }

    /// Ends all of it side by side, so that a collector that is gone costs one limit and not three.
    fn end(self) {
        std::thread::scope(|scope| {
            scope.spawn(|| self.traces.shutdown(TELEMETRY_LIMIT));
            if let Some(logs) = self.logs {
                scope.spawn(|| logs.shutdown(TELEMETRY_LIMIT));
            }
            #[cfg(feature = "profiling")]
            if let Some(profiles) = self.profiles {
                scope.spawn(|| profiles.end(TELEMETRY_LIMIT));
            }
        });
    }
}

impl Process {
    /// Sets up everything that does not depend on what the process does.
    pub(crate) fn begin(
        args: &ProcessArgs,
        name: &'static str,
        services: &[&'static str],
    ) -> Result<Self, ShopError> {
        // The exporter of traces may speak https before any client of ours is made.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let access = Access::learn(args, name)?;
        let side = SideRuntime::start()?;
        let business = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name(name)
            .enable_all()
            .build()?;
        let telemetry = Telemetry::from_env(name, services, &side)?;
        let file = args.log_file.clone().map(|path| LogFile {
            path,
            max_bytes: args.log_file_max_bytes,
            keep: args.log_file_keep,
        });
        let (sink, first) = Sink::start(file)?;
        subscribe(args, name, &sink, &telemetry)?;
        Ok(Self {
            access,
            side,
            business,
            name,
            sink,
            first,
            telemetry,
            child: args.child,
        })
    }

    /// Says where the process listens: as the first line under a parent, as a log event otherwise.
    pub(crate) fn announce(self, ready: &Ready) -> Running {
        let Self {
            access,
            side,
            business,
            name,
            sink,
            first,
            telemetry,
            child,
        } = self;
        if child {
            first.write(ready.to_line());
        } else {
            drop(first);
            let services: Vec<String> = ready
                .services
                .iter()
                .map(|at| format!("{}={}", at.service, at.url))
                .collect();
            tracing::info!(
                services = services.join(" "),
                metrics_url = ready.metrics_url.as_deref(),
                control_url = ready.control_url.as_deref(),
                control_token_file = access
                    .token_file
                    .as_ref()
                    .map(|file| tracing::field::display(file.path().display())),
                "listening"
            );
        }
        tracing::debug!(name, "started");
        Running {
            access,
            side,
            business: Arc::new(business),
            sink,
            telemetry,
            child,
        }
    }
}

/// A process at work.
pub(crate) struct Running {
    access: Access,
    side: SideRuntime,
    pub(crate) business: Arc<Runtime>,
    sink: Sink,
    telemetry: Telemetry,
    child: bool,
}

impl Running {
    /// Returns what is cancelled when the process is to stop: by a signal, or with its parent.
    pub(crate) fn stop(&self) -> Result<CancellationToken, ShopError> {
        let stop = CancellationToken::new();
        let _entered = self.side.handle().enter();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let gone = self.access.parent_gone.clone();
        let (told, child) = (stop.clone(), self.child);
        self.side.handle().spawn(async move {
            loop {
                // A terminal sends these two to its whole group; a child waits for its parent,
                // which may still need it to withdraw faults and to watch the recovery.
                let why = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => if child { continue } else { "SIGINT" },
                    _ = hang_up.recv() => if child { continue } else { "SIGHUP" },
                    () = gone.cancelled() => "parent gone",
                };
                tracing::info!(why, "stopping");
                told.cancel();
                return;
            }
        });
        Ok(stop)
    }

    /// Ends the telemetry and the runtimes, each within a limit.
    pub(crate) fn end(self) {
        let Self {
            access,
            side,
            business,
            sink,
            telemetry,
            ..
        } = self;
        telemetry.end();
        sink.flush(TELEMETRY_LIMIT);
        if let Some(business) = Arc::into_inner(business) {
            business.shutdown_timeout(Duration::from_secs(1));
        }
        side.end();
        drop(access);
    }
}

fn subscribe(
    args: &ProcessArgs,
    name: &'static str,
    sink: &Sink,
    telemetry: &Telemetry,
) -> Result<(), ShopError> {
    let json = match args.log_format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => args.child || !std::io::stdout().is_terminal(),
    };
    let (filter, changes) = level::filter(&args.log_level)?;
    let ours = |metadata: &tracing::Metadata<'_>| {
        metadata.is_span() && metadata.target().starts_with("shop")
    };
    // Spans reach the log layer whatever the level is, since they tell the service of a line.
    let logs = LogLayer::new(sink.clone(), json, name)
        .exporting(telemetry.logs.clone())
        .with_filter(filter.or(filter_fn(ours)));
    let spans = tracing_opentelemetry::layer()
        .with_tracer(telemetry.traces.tracer())
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(ours));
    // Whoever embeds the shop may have a subscriber already; then its lines go there.
    let subscriber = Registry::default().with(logs).with(spans);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        changes.install();
    }
    Ok(())
}
