//! Real servers that the tests start themselves: PostgreSQL, MariaDB, Redis.
//!
//! Each listens on a free port of the loopback and lives in a temporary folder. A small shell watches
//! over it: when the test's end of its pipe closes, however the test ends, the shell ends the server and
//! removes the folder.
//!
//! Without the program a test is skipped, or fails when `OBS_TUI_REQUIRE_PEERS=1`.

use std::{
    env, fs,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use super::peers::folders;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection};

/// Longest wait for a server to answer.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Name of the account of the tests.
const USER: &str = "shop";
/// Its password, which no output of ours may hold.
pub(crate) const PASSWORD: &str = "open-sesame-4711";

/// Ends the server and removes its folder when stdin closes; `kill`, `start`, `freeze` and `thaw` on the way there.
const WATCH: &str = r#"
trap '' INT HUP TERM
folder=$1 signal=$2
shift 2
start() { "$@" </dev/null >>"$folder/log" 2>&1 & server=$!; }
end() { kill -s "$signal" "$server"; wait "$server"; }
start "$@"
while read -r what; do
    case $what in
        kill) end ;;
        start) start "$@" ;;
        freeze) kill -s STOP "$server" ;;
        thaw) kill -s CONT "$server" ;;
    esac
done
end
rm -rf "$folder"
"#;

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
    Redis,
}

impl Kind {
    const fn program(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadbd",
            Self::Redis => "redis-server",
        }
    }

    /// Tells whether its program is here; says so when it is not, and fails when it must be.
    pub(crate) fn is_here(self) -> bool {
        self.found().is_some()
    }

    fn found(self) -> Option<PathBuf> {
        let name = self.program();
        let program = program(name);
        if program.is_none() {
            let required = env::var("OBS_TUI_REQUIRE_PEERS").is_ok_and(|value| value == "1");
            assert!(!required, "{name} is needed: run .ci/install-peers");
            let _ = writeln!(std::io::stderr(), "SKIPPED {self:?}: needs {name}");
        }
        program
    }

    /// What ends it at once. PostgreSQL would leave processes and shared memory after `KILL`.
    const fn signal(self) -> &'static str {
        match self {
            Self::Postgres => "QUIT",
            Self::MariaDb | Self::Redis => "KILL",
        }
    }
}

/// A server of the tests.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    databases: AtomicU32,
    watch: Mutex<(Child, Option<ChildStdin>)>,
}

impl Server {
    /// Returns the PostgreSQL of this test binary.
    pub(crate) fn postgres() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(Kind::Postgres)).as_ref()
    }

    /// Returns the MariaDB of this test binary.
    pub(crate) fn mariadb() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(Kind::MariaDb)).as_ref()
    }

    /// Starts a server that is nobody else's; it answers when this returns.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let program = kind.found()?;
        // Waiting needs a runtime of its own; the caller may be inside one.
        let starting = std::thread::spawn(move || {
            let server = Self::launch(kind, &program);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(server.answers());
            server
        });
        Some(starting.join().expect("the server starts"))
    }

    /// Makes an empty database of its own for a test, and returns its URL.
    pub(crate) async fn database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.admin(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        self.url(USER, PASSWORD, &name)
    }

    /// Returns the URL of a database.
    pub(crate) fn url(&self, user: &str, password: &str, database: &str) -> String {
        let scheme = match self.kind {
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mariadb",
            Kind::Redis => return format!("redis://127.0.0.1:{}/", self.port),
        };
        let port = self.port;
        format!("{scheme}://{user}:{password}@127.0.0.1:{port}/{database}")
    }

    /// Runs statements as the one who may do everything.
    pub(crate) async fn admin(&self, sql: &str) -> Result<(), sqlx::Error> {
        let system = match self.kind {
            Kind::MariaDb => "mysql",
            Kind::Postgres | Kind::Redis => "postgres",
        };
        self.admin_in(system, sql).await
    }

    /// Runs statements in one of the databases.
    pub(crate) async fn admin_in(&self, database: &str, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Postgres => {
                let url = self.url(USER, PASSWORD, database);
                let mut connection = PgConnection::connect(&url).await?;
                connection.execute(sqlx::raw_sql(sql)).await?;
            }
            Kind::MariaDb => {
                let url = format!("mysql://root@127.0.0.1:{}/{database}", self.port);
                let mut connection = MySqlConnection::connect(&url).await?;
                connection.execute(sqlx::raw_sql(sql)).await?;
            }
            Kind::Redis => {
                let client = redis::Client::open(self.url("", "", "")).unwrap();
                let opened = client.get_multiplexed_async_connection().await;
                opened.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
            }
        }
        Ok(())
    }

    /// Ends the server at once; its data stays.
    pub(crate) fn kill(&self) {
        self.tell("kill");
    }

    /// Stops the server from doing anything, without ending it. Not PostgreSQL, which is many processes.
    pub(crate) fn freeze(&self) {
        self.tell("freeze");
    }

    /// Has a frozen server go on.
    pub(crate) fn thaw(&self) {
        self.tell("thaw");
    }

    /// Starts a server that was killed, on the same port with the same data.
    pub(crate) fn start_again(&self) {
        self.tell("start");
    }

    fn tell(&self, word: &str) {
        let mut watch = self.watch.lock().unwrap();
        writeln!(watch.1.as_mut().unwrap(), "{word}").unwrap();
    }

    fn launch(kind: Kind, program: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("obs-tui-server-").tempdir();
        let folder = folder.unwrap().keep();
        let port = free_port();
        let mut watch = Command::new("sh");
        watch
            .args(["-c", WATCH, "watch"])
            .arg(&folder)
            .arg(kind.signal())
            .args(prepared(kind, program, &folder, port))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut watch = watch.spawn().unwrap();
        let stdin = watch.stdin.take();
        Self {
            kind,
            port,
            databases: AtomicU32::new(0),
            watch: Mutex::new((watch, stdin)),
        }
    }

    /// Waits until the server answers, and makes the account of the tests.
    async fn answers(&self) {
        let account = match self.kind {
            Kind::Postgres | Kind::Redis => "SELECT 1".to_owned(),
            Kind::MariaDb => format!(
                "CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}'; \
                 GRANT ALL ON *.* TO {USER}@'%'"
            ),
        };
        let began = Instant::now();
        while let Err(error) = self.admin(&account).await {
            assert!(began.elapsed() < START_LIMIT, "{:?}: {error}", self.kind);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (watch, stdin) = self
            .watch
            .get_mut()
            .unwrap_or_else(|broken| broken.into_inner());
        drop(stdin.take());
        let _ = watch.wait();
    }
}

/// A Redis of the tests.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) url: String,
    pub(crate) server: Server,
}

impl Redis {
    /// Returns the Redis of this test binary.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Redis>> = OnceLock::new();
        SERVER.get_or_init(Self::start).as_ref()
    }

    pub(crate) fn start() -> Option<Self> {
        let server = Server::start(Kind::Redis)?;
        let url = server.url("", "", "");
        Some(Self { url, server })
    }
}

/// Makes the data folder, and returns the command that serves it.
fn prepared(kind: Kind, program: &Path, folder: &Path, port: u16) -> Vec<String> {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let data = text(&folder.join("data"));
    let mut command = Vec::new();
    match kind {
        Kind::Postgres => {
            let program = reachable(program, folder);
            let user = unprivileged(folder);
            let password = folder.join("password");
            fs::write(&password, PASSWORD).unwrap();
            let mut initdb = user.clone();
            initdb.push(text(&program.with_file_name("initdb")));
            initdb.extend(["--no-sync", "--encoding=UTF8", "--locale=C"].map(str::to_owned));
            initdb.extend(["--auth=md5".to_owned(), format!("--username={USER}")]);
            initdb.push(format!("--pwfile={}", text(&password)));
            initdb.push(format!("--pgdata={data}"));
            run(&initdb);
            command = user;
            command.extend([text(&program), "-D".to_owned(), data]);
            let settings = [
                format!("port={port}"),
                "listen_addresses=127.0.0.1".to_owned(),
                "unix_socket_directories=".to_owned(),
                "max_connections=400".to_owned(),
                "shared_buffers=32MB".to_owned(),
                // The machine does not crash in a test; the server may.
                "fsync=off".to_owned(),
                "jit=off".to_owned(),
            ];
            command.extend(settings.into_iter().flat_map(|set| ["-c".to_owned(), set]));
        }
        Kind::MariaDb => {
            let user = format!("--user={}", if is_root() { "root" } else { USER });
            let install = text(&program.with_file_name("mariadb-install-db"));
            let install = if Path::new(&install).exists() {
                install
            } else {
                "mariadb-install-db".to_owned()
            };
            run(&[
                install,
                "--no-defaults".to_owned(),
                "--auth-root-authentication-method=normal".to_owned(),
                "--skip-test-db".to_owned(),
                "--skip-name-resolve".to_owned(),
                format!("--datadir={data}"),
                user.clone(),
            ]);
            command.extend([text(program), "--no-defaults".to_owned(), user]);
            command.extend([format!("--datadir={data}"), format!("--port={port}")]);
            command.push(format!("--socket={}", text(&folder.join("socket"))));
            command.push(format!("--pid-file={}", text(&folder.join("pid"))));
            let settings = [
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--max-connections=400",
                "--innodb-buffer-pool-size=32M",
                "--innodb-log-file-size=8M",
                "--innodb-flush-log-at-trx-commit=2",
            ];
            command.extend(settings.map(str::to_owned));
        }
        Kind::Redis => {
            command.extend([text(program), "--port".to_owned(), port.to_string()]);
            command.extend(["--databases", "1000"].map(str::to_owned));
            command.extend(["--bind", "127.0.0.1", "--save", "", "--dir"].map(str::to_owned));
            command.push(text(folder));
        }
    }
    command
}

fn run(command: &[String]) {
    let output = Command::new(&command[0]).args(&command[1..]).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", command[0]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// Looks for a program among the peers, where distributions put servers, and in the path.
fn program(name: &str) -> Option<PathBuf> {
    let peers = folders().into_iter().map(|peers| peers.join("bin"));
    let mut postgres: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    postgres.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    peers
        .chain(postgres.into_iter().rev())
        .chain(env::split_paths(&path).collect::<Vec<_>>())
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Returns what a command of PostgreSQL begins with: root may not run it, so that root runs it as
/// nobody, to whom the folder is given.
fn unprivileged(folder: &Path) -> Vec<String> {
    if !is_root() {
        return Vec::new();
    }
    let (uid, gid) = nobody();
    chown(folder, Some(uid), Some(gid)).unwrap();
    let ids = [format!("--reuid={uid}"), format!("--regid={gid}")];
    let mut command = vec!["setpriv".to_owned()];
    command.extend(ids);
    command.extend(["--clear-groups", "--"].map(str::to_owned));
    command
}

/// Returns the ids of the account that owns nothing.
fn nobody() -> (u32, u32) {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = accounts.lines().find_map(|line| {
        let mut fields = line.strip_prefix("nobody:")?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    ids.unwrap_or((65_534, 65_534))
}

/// Copies PostgreSQL to where nobody can read it, when it is in root's own folder.
fn reachable(program: &Path, folder: &Path) -> PathBuf {
    let (uid, gid) = nobody();
    let mut test = Command::new("setpriv");
    test.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
    test.args(["--clear-groups", "--", "test", "-x"])
        .arg(program);
    if !is_root() || test.status().is_ok_and(|status| status.success()) {
        return program.to_owned();
    }
    let peers = program.parent().and_then(Path::parent).unwrap();
    let copy = folder.join("program");
    fs::create_dir_all(copy.join("bin")).unwrap();
    let tree = peers.join("postgresql").to_str().unwrap().to_owned();
    let owned = |path: PathBuf| path.to_str().unwrap().to_owned();
    run(&["cp".into(), "-a".into(), tree, owned(copy.clone())]);
    for name in ["postgres", "initdb"] {
        fs::copy(program.with_file_name(name), copy.join("bin").join(name)).unwrap();
    }
    copy.join("bin/postgres")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
