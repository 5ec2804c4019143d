//! A real S3 store for tests: SeaweedFS as a process, with identities and one bucket.
//!
//! Never skips: a test that needs the store and has no `weed` fails and says what to install.
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a test that cannot start its store has failed"
)]

use alluvium_core::config::Config;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The bucket that is there.
pub const BUCKET: &str = "lake";
/// A key that may do everything.
pub const ADMIN: (&str, &str) = ("admin-key", "admin-secret-0123456789");
/// A key that may do nothing in [`BUCKET`].
pub const STRANGER: (&str, &str) = ("stranger-key", "stranger-secret-01234567");

const READY: Duration = Duration::from_secs(60);

/// A running store; killed when the last test that uses it ends.
#[derive(Debug)]
pub struct Weed {
    child: Child,
    s3: u16,
    https: u16,
    data: tempfile::TempDir,
    /// What it leaves outside its folder.
    sockets: Vec<PathBuf>,
}

impl Weed {
    /// The store of this test process: started once for tests that run side by side.
    ///
    /// # Panics
    /// There is no `weed`, or it does not come up within a minute.
    pub fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Weed>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start());
            *running = Arc::downgrade(&started);
            started
        })
    }

    /// `http://host:port`, the value of `s3.endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.s3)
    }

    /// The same store over TLS, with a certificate that nobody trusts but [`Self::certificate`].
    pub fn https_endpoint(&self) -> String {
        format!("https://localhost:{}", self.https)
    }

    /// The certificate of [`Self::https_endpoint`], which signed itself. PEM.
    pub fn certificate(&self) -> PathBuf {
        self.data.path().join("cert.pem")
    }

    /// A sink's configuration with this store and the admin's key; `more` overrides.
    ///
    /// # Panics
    /// The configuration is refused.
    pub fn config(&self, lake_url: &str, more: &[(&str, &str)]) -> Config {
        let endpoint = self.endpoint();
        let ours = [
            ("lake.url", lake_url),
            ("s3.endpoint", &endpoint),
            ("s3.access.key.id", ADMIN.0),
            ("s3.secret.access.key", ADMIN.1),
        ];
        config(ours.iter().chain(more))
    }

    fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder for the store");
        let identities = data.path().join("identities.json");
        std::fs::write(&identities, identities_json()).expect("the store's identities");
        let (cert, key) = (data.path().join("cert.pem"), data.path().join("key.pem"));
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let signed = signed.expect("a certificate");
        std::fs::write(&cert, signed.cert.pem()).expect("the store's certificate");
        std::fs::write(&key, signed.signing_key.serialize_pem()).expect("the store's key");
        let ports: Vec<u16> = free_ports(9);
        let roles = ["master", "volume", "filer", "s3"];
        let mut command = Command::new(program());
        command.args(["server", "-s3", "-ip=127.0.0.1", "-s3.autoCreateBucket=false"]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]);
        command.args([
            "-master.volumeSizeLimitMB=64",
            "-volume.max=100",
            "-volume.preStopSeconds=0",
        ]);
        command.arg(format!("-dir={}", data.path().display()));
        for role in ["filer", "s3"] {
            let socket = data.path().join(format!("{role}.sock"));
            command.arg(format!("-{role}.localSocket={}", socket.display()));
        }
        command.arg(format!("-s3.config={}", identities.display()));
        command.arg(format!("-s3.port.https={}", ports[8]));
        command.arg(format!("-s3.cert.file={}", cert.display()));
        command.arg(format!("-s3.key.file={}", key.display()));
        let mut sockets = Vec::new();
        for (role, port) in roles.iter().zip(ports.chunks(2)) {
            command.arg(format!("-{role}.port={}", port[0]));
            command.arg(format!("-{role}.port.grpc={}", port[1]));
            sockets.push(format!("/tmp/seaweedfs-{role}-grpc-{}.sock", port[1]));
        }
        let log = std::fs::File::create(data.path().join("log")).expect("the store's log");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{:?} does not start: {e}", command.get_program()));
        let sockets = sockets.into_iter().map(PathBuf::from).collect();
        let weed = Self { child, s3: ports[6], https: ports[8], data, sockets };
        weed.wait_for_bucket(ports[4]);
        weed
    }

    /// A bucket is a folder of the filer; made once filer and volumes are up.
    fn wait_for_bucket(&self, filer: u16) {
        let give_up = Instant::now() + READY;
        let make = format!("POST /buckets/{BUCKET}/ HTTP/1.1\r\nContent-Length: 0\r\n");
        let is_ready = || {
            // 409: an earlier try made it, before the rest was up.
            let made = ask(filer, &make)?;
            let made = [" 201 ", " 409 "].iter().any(|status| made.contains(status));
            let s3_answers = ask(self.s3, "GET /healthz HTTP/1.1\r\n")?;
            Ok::<_, std::io::Error>(made && s3_answers.starts_with("HTTP/1.1 200"))
        };
        while !is_ready().unwrap_or(false) {
            if Instant::now() > give_up {
                let log = std::fs::read_to_string(self.data.path().join("log"));
                let log = log.unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(20).collect();
                panic!("SeaweedFS did not come up within {READY:?}; its last words: {tail:#?}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        // Where SeaweedFS puts them is fixed; killed, it leaves them.
        self.sockets.iter().for_each(|socket| drop(std::fs::remove_file(socket)));
    }
}

/// A sink's configuration of these properties.
///
/// # Panics
/// The configuration is refused.
pub fn config<'a>(properties: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Config {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let all: BTreeMap<String, String> = properties.into_iter().map(own).collect();
    Config::parse(&all, "test-sink").unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// `ALLUVIUM_WEED`, else where the install script puts it.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("ALLUVIUM_WEED") {
        return program.into();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/install.sh");
    let answer = Command::new(&script).arg("where").output();
    let answer = answer.unwrap_or_else(|e| panic!("{} does not run: {e}", script.display()));
    let told = String::from_utf8_lossy(&answer.stdout).into_owned();
    let folder = told.lines().find_map(|line| line.strip_prefix("seaweedfs="));
    let program = folder.map(|folder| Path::new(folder).join("weed")).filter(|weed| weed.is_file());
    program.unwrap_or_else(|| {
        panic!(
            "this test needs SeaweedFS, which is not installed: run `scripts/install.sh \
             seaweedfs`, or name a weed program in ALLUVIUM_WEED"
        )
    })
}

fn identities_json() -> String {
    let identity = |name: &str, key: (&str, &str), actions: serde_json::Value| {
        let credentials = serde_json::json!([{"accessKey": key.0, "secretKey": key.1}]);
        serde_json::json!({"name": name, "credentials": credentials, "actions": actions})
    };
    let all = serde_json::json!(["Admin", "Read", "Write", "List", "Tagging"]);
    let elsewhere = serde_json::json!(["Read:elsewhere", "List:elsewhere"]);
    let identities = [identity("admin", ADMIN, all), identity("stranger", STRANGER, elsewhere)];
    serde_json::json!({"identities": identities}).to_string()
}

/// Ports below the kernel's ephemeral range that nobody listens on; another process may still take
/// one before the store does, so each looks in a place of its own.
fn free_ports(wanted: usize) -> Vec<u16> {
    let from = 20_000 + (std::process::id().wrapping_mul(7_919) % 10_000) as u16;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let ports: Vec<u16> = (from..32_000).chain(20_000..from).filter(free).take(wanted).collect();
    assert_eq!(ports.len(), wanted, "no {wanted} free ports");
    ports
}

/// One HTTP exchange, as text.
fn ask(port: u16, head: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "{head}Host: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
