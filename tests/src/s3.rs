//! The object store: SeaweedFS with its S3 gateway.
//!
//! In: a port. Out: a store that knows one key and has one bucket. Never: a request by another key
//! that is answered with data.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Context as _, Error, Result};
use crate::parts::Parts;
use crate::ports;
use crate::process::{Process, Recipe};
use crate::run_folder::RunFolder;
use crate::server::Server;
use crate::settings::{BUCKET, demo};

const READY_LIMIT: Duration = Duration::from_secs(60);
const ROLES: [&str; 4] = ["master", "volume", "filer", "s3"];

/// An S3 server with the bucket `lake`.
#[derive(Debug)]
pub struct S3 {
    process: Process,
    port: u16,
    make_bucket: PathBuf,
    bucket_env: Vec<(String, String)>,
}

impl S3 {
    pub(crate) fn start(parts: &Parts, run: &RunFolder, port: u16) -> Result<Self> {
        let weed = parts.folder("seaweedfs")?.join("weed");
        let data = run.folder("s3")?;
        let mut args = arguments(&data);
        run.owns(&format!("/tmp/seaweedfs-s3-{port}.sock"))?;
        let mut addresses = Vec::new();
        for role in ROLES {
            let http = if role == "s3" { port } else { ports::free()? };
            let grpc = ports::free()?;
            args.push(format!("-{role}.port={http}"));
            args.push(format!("-{role}.port.grpc={grpc}"));
            addresses.push(format!("127.0.0.1:{http}.{grpc}"));
            // SeaweedFS puts its sockets there whatever it is told.
            run.owns(&format!("/tmp/seaweedfs-{role}-{http}.sock"))?;
            run.owns(&format!("/tmp/seaweedfs-{role}-grpc-{grpc}.sock"))?;
        }
        let bucket_env = bucket_environment(&weed, &addresses);
        let recipe = Recipe {
            name: "s3".to_owned(),
            program: weed,
            args,
            env: identity(),
            folder: run.path().to_path_buf(),
            log: run.path().join("logs/s3.log"),
        };
        let make_bucket = parts.root().join("scripts/compose/create-bucket.sh");
        Ok(Self { process: Process::start(recipe)?, port, make_bucket, bucket_env })
    }

    /// `http://host:port`, the value of `S3_ENDPOINT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Server for S3 {
    fn process(&self) -> &Process {
        &self.process
    }

    fn wait_ready(&self) -> Result<()> {
        self.process.wait_until("accepting connections", READY_LIMIT, || {
            TcpStream::connect(("127.0.0.1", self.port)).map(|_| ()).context(|| self.endpoint())
        })?;
        let env = self.bucket_env.iter().cloned();
        let output = Command::new(&self.make_bucket)
            .envs(env)
            .output()
            .context(|| self.make_bucket.display().to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::new(format!(
            "{}\n{}",
            String::from_utf8_lossy(&output.stderr),
            self.process.failure("has no bucket")
        )))
    }
}

fn arguments(data: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = [
        // Not into files in the temporary folder, where they would stay.
        "-logtostderr=true",
        "server",
        "-ip=127.0.0.1",
        "-s3",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=256",
        "-volume.max=200",
        // A single master elects itself this long after a restart; the default is 10 s.
        "-master.electionTimeout=1s",
        // It would call home.
        "-master.telemetry=false",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("-dir={}", data.display()));
    arguments
}

/// The one key that the store knows. Without any, SeaweedFS would answer every key.
fn identity() -> Vec<(String, String)> {
    let pair = |name: &str, from| (name.to_owned(), demo(from).to_owned());
    vec![
        pair("AWS_ACCESS_KEY_ID", "S3_ACCESS_KEY_ID"),
        pair("AWS_SECRET_ACCESS_KEY", "S3_SECRET_ACCESS_KEY"),
    ]
}

/// What `create-bucket.sh` finds in its environment; `addresses` are in the order of the roles.
fn bucket_environment(weed: &Path, addresses: &[String]) -> Vec<(String, String)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = weed.parent().unwrap_or(weed).display();
    vec![
        ("PATH".to_owned(), format!("{folder}:{path}")),
        ("SEAWEEDFS_MASTER".to_owned(), addresses[0].clone()),
        ("SEAWEEDFS_FILER".to_owned(), addresses[2].clone()),
        ("S3_BUCKET".to_owned(), BUCKET.to_owned()),
    ]
}
