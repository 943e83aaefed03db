//! Starting, watching and stopping a child process.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStdin, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Ready;
use super::lines::{self, Tail};
use crate::Token;

/// How to start a child.
#[derive(Debug, Clone)]
pub struct Spec {
    /// What people call it, for messages.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments. Never a secret: others can read them.
    pub args: Vec<OsString>,
    /// Variables on top of the parent's.
    pub env: Vec<(String, String)>,
    /// The token of its control API, given by stdin.
    pub token: Token,
    /// How long it may take until it is ready.
    pub ready_timeout: Duration,
    /// How long it may take to stop once stdin is closed, and again after SIGTERM.
    pub stop_timeout: Duration,
    /// Where its log lines go. When the channel is full, lines are dropped.
    pub lines: Option<mpsc::Sender<String>>,
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its status in words, such as `exit status: 1`.
    pub status: String,
    /// Whether that was a success.
    pub success: bool,
    /// Whether this process asked it to stop.
    pub asked: bool,
    /// Its last log lines.
    pub last_lines: Vec<String>,
}

/// Why a child did not start.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// The program cannot be started.
    #[error("cannot start {name} ({program}): {source}")]
    Spawn {
        /// The child.
        name: String,
        /// Its program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended before it was ready.
    #[error("{name} ended before it was ready ({status}){}", tail(last_lines))]
    Ended {
        /// The child.
        name: String,
        /// Its status.
        status: String,
        /// Its last log lines.
        last_lines: Vec<String>,
    },
    /// It was not ready in time.
    #[error("{name} was not ready within {} s{}", waited.as_secs_f32(), tail(last_lines))]
    NotReady {
        /// The child.
        name: String,
        /// How long it was given.
        waited: Duration,
        /// Its last log lines.
        last_lines: Vec<String>,
    },
}

fn tail(lines: &[String]) -> String {
    if lines.is_empty() {
        String::new()
    } else {
        format!("; its last lines:\n  {}", lines.join("\n  "))
    }
}

/// A child that runs and is ready. Dropped, it is killed.
#[derive(Debug)]
pub struct Child {
    spec: Spec,
    ready: Ready,
    stop: CancellationToken,
    exit: watch::Receiver<Option<Exit>>,
    task: JoinHandle<()>,
}

impl Drop for Child {
    fn drop(&mut self) {
        // The task owns the process, which is killed when it is dropped.
        self.task.abort();
    }
}

impl Spec {
    /// Returns how to start `program` with the usual limits: 10 s to be ready, 2 s to stop.
    pub fn new(name: &str, program: impl Into<PathBuf>, token: Token) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            token,
            ready_timeout: Duration::from_secs(10),
            stop_timeout: Duration::from_secs(2),
            lines: None,
        }
    }
}

impl Child {
    /// Starts a child and waits until it is ready.
    pub async fn start(spec: Spec) -> Result<Self, SuperviseError> {
        let mut process = spawn(&spec)?;
        let stdin = process.stdin.take();
        let tail = Tail::default();
        let (ready_tx, ready_rx) = oneshot::channel();
        let output = Output {
            tail: tail.clone(),
            sink: spec.lines.clone(),
            token: spec.token.clone(),
        };
        let readers = read_output(&mut process, output, ready_tx);
        let stop = CancellationToken::new();
        let (exit_tx, exit) = watch::channel(None);
        let task = tokio::spawn(own(
            process,
            stdin,
            spec.clone(),
            stop.clone(),
            tail.clone(),
            readers,
            exit_tx,
        ));
        let mut child = Self {
            spec,
            ready: Ready::nowhere(),
            stop,
            exit,
            task,
        };
        match child.await_ready(ready_rx, &tail).await {
            Ok(ready) => child.ready = ready,
            Err(error) => {
                // Asked to, it may still remove its temporary data.
                child.stop().await;
                return Err(error);
            }
        }
        Ok(child)
    }

    async fn await_ready(
        &mut self,
        ready: oneshot::Receiver<Ready>,
        tail: &Tail,
    ) -> Result<Ready, SuperviseError> {
        let name = self.spec.name.clone();
        let waited = self.spec.ready_timeout;
        let ready_or_over = async {
            if let Ok(ready) = ready.await {
                return Ok(ready);
            }
            // Stdout is closed: the process ends, or it never will be ready.
            Err(self.exited().await)
        };
        match tokio::time::timeout(waited, ready_or_over).await {
            Ok(Ok(ready)) => Ok(ready),
            Ok(Err(exit)) => Err(SuperviseError::Ended {
                name,
                status: exit.status,
                last_lines: exit.last_lines,
            }),
            Err(_) => Err(SuperviseError::NotReady {
                name,
                waited,
                last_lines: tail.lines(),
            }),
        }
    }

    /// Returns where the child listens.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Returns how the child ended, if it did.
    pub fn exit(&self) -> Option<Exit> {
        self.exit.borrow().clone()
    }

    /// Waits until the child ends, by whatever cause. Cancel safe.
    pub async fn exited(&mut self) -> Exit {
        let exit = self
            .exit
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|exit| exit.clone());
        exit.unwrap_or_else(|| Exit {
            status: "its watcher is gone".to_owned(),
            success: false,
            asked: true,
            last_lines: Vec::new(),
        })
    }

    /// Stops the child: closes its stdin, then SIGTERM, then SIGKILL, with a limit for each.
    pub async fn stop(&mut self) -> Exit {
        self.stop.cancel();
        self.exited().await
    }

    /// Stops the child if it runs and starts it again. Its addresses may be other ones then.
    pub async fn restart(&mut self) -> Result<&Ready, SuperviseError> {
        self.stop().await;
        *self = Self::start(self.spec.clone()).await?;
        Ok(&self.ready)
    }
}

impl Ready {
    fn nowhere() -> Self {
        Self {
            pid: 0,
            services: Vec::new(),
            metrics_url: None,
            control_url: None,
        }
    }
}

fn spawn(spec: &Spec) -> Result<tokio::process::Child, SuperviseError> {
    Command::new(&spec.program)
        .args(&spec.args)
        .envs(spec.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: Ctrl-C in the terminal reaches the parent, which stops the child.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| SuperviseError::Spawn {
            name: spec.name.clone(),
            program: spec.program.clone(),
            source,
        })
}

type Readers = Vec<JoinHandle<()>>;

/// Where the lines of a child go.
#[derive(Clone)]
struct Output {
    tail: Tail,
    sink: Option<mpsc::Sender<String>>,
    token: Token,
}

impl Output {
    fn forward(&self, line: String) {
        // A child that logs its configuration must not give its token away.
        let line = if line.contains(self.token.expose()) {
            line.replace(self.token.expose(), "[token]")
        } else {
            line
        };
        self.tail.push(&line);
        if let Some(sink) = &self.sink {
            // A slow reader must not slow the child: what does not fit is lost, but for the tail.
            let _ = sink.try_send(line);
        }
    }
}

fn read_output(
    process: &mut tokio::process::Child,
    output: Output,
    ready: oneshot::Sender<Ready>,
) -> Readers {
    let mut readers = Readers::new();
    if let Some(stderr) = process.stderr.take() {
        let output = output.clone();
        readers.push(tokio::spawn(lines::read(stderr, move |line| {
            output.forward(line);
        })));
    }
    if let Some(stdout) = process.stdout.take() {
        let mut ready = Some(ready);
        readers.push(tokio::spawn(lines::read(stdout, move |line| {
            match (ready.take(), Ready::from_line(&line)) {
                (Some(ready), Some(at)) => drop(ready.send(at)),
                (waiting, _) => {
                    ready = waiting;
                    output.forward(line);
                }
            }
        })));
    }
    readers
}

/// Owns the process until it ends.
async fn own(
    mut process: tokio::process::Child,
    mut stdin: Option<ChildStdin>,
    spec: Spec,
    stop: CancellationToken,
    tail: Tail,
    readers: Readers,
    exit: watch::Sender<Option<Exit>>,
) {
    if let Some(stdin) = &mut stdin {
        let line = serde_json::json!({ "token": spec.token.expose() }).to_string() + "\n";
        // A child that closes stdin at once ends by itself; that is reported below.
        let _ = stdin.write_all(line.as_bytes()).await;
        let _ = stdin.flush().await;
    }
    let status = tokio::select! {
        status = process.wait() => status,
        () = stop.cancelled() => {
            drop(stdin.take());
            end(&mut process, spec.stop_timeout).await
        }
    };
    for reader in readers {
        // What it wrote last is in the pipe; a grandchild may hold the pipe open for ever.
        let _ = tokio::time::timeout(Duration::from_millis(200), reader).await;
    }
    exit.send_replace(Some(Exit {
        status: status
            .as_ref()
            .map_or_else(ToString::to_string, ToString::to_string),
        success: status.is_ok_and(|status| status.success()),
        asked: stop.is_cancelled(),
        last_lines: tail.lines(),
    }));
}

async fn end(process: &mut tokio::process::Child, limit: Duration) -> std::io::Result<ExitStatus> {
    if let Ok(status) = tokio::time::timeout(limit, process.wait()).await {
        return status;
    }
    let pid = process
        .id()
        .and_then(|pid| rustix::process::Pid::from_raw(pid as i32));
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if let Ok(status) = tokio::time::timeout(limit, process.wait()).await {
        return status;
    }
    process.kill().await?;
    process.wait().await
}
