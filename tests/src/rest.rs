//! The REST API of a Connect worker.
//!
//! In: names, and JSON as it stands in a file. Out: answers as JSON, or an error with status and
//! body. Never: a changed byte of a posted file; what is tested is what a person would post.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::Request;

use crate::error::{Context as _, Error, Result};

const CALL_LIMIT: Duration = Duration::from_secs(100);
const REBALANCE_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// A client of one worker; any worker of a group answers for all.
#[derive(Debug, Clone)]
pub struct ConnectRest {
    base: String,
    agent: ureq::Agent,
}

/// What the worker said: its status and its body, `Null` when empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl ConnectRest {
    /// A client of the worker that listens on a port of this machine.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(CALL_LIMIT))
            .build();
        Self { base: format!("http://127.0.0.1:{port}"), agent: config.into() }
    }

    /// One call, whatever its status. Answered 409 (a rebalance is going on) it is tried again for
    /// a minute, as a person would.
    ///
    /// # Errors
    /// The worker cannot be reached, or its answer is not JSON.
    pub fn call(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let began = Instant::now();
        loop {
            let answer = self.call_once(method, path, body)?;
            if answer.status != 409 || !is_rebalance(&answer) || began.elapsed() > REBALANCE_LIMIT {
                return Ok(answer);
            }
            sleep(POLL);
        }
    }

    /// One call that must succeed.
    ///
    /// # Errors
    /// As for `call`, and for every status that is not 2xx.
    pub fn must(&self, method: &str, path: &str, body: &[u8]) -> Result<Value> {
        let Answer { status, body } = self.call(method, path, body)?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        Err(Error::new(format!("{method} {}{path}: HTTP {status}: {body}", self.base)))
    }

    /// Creates a connector: the file's bytes are posted as they are.
    ///
    /// # Errors
    /// The file cannot be read, or the worker refuses it.
    pub fn post_file(&self, file: &Path) -> Result<Value> {
        let bytes = std::fs::read(file).context(|| file.display().to_string())?;
        self.must("POST", "/connectors", &bytes)
    }

    /// Creates a connector or replaces its configuration.
    ///
    /// # Errors
    /// The worker refuses it.
    pub fn put_config(&self, name: &str, config: &Value) -> Result<Value> {
        self.must("PUT", &format!("/connectors/{name}/config"), config.to_string().as_bytes())
    }

    /// What validation says of a configuration; the class is taken from `connector.class`.
    ///
    /// # Errors
    /// The class is unknown, or validation itself fails.
    pub fn validate(&self, config: &Value) -> Result<Value> {
        let class = config["connector.class"].as_str().unwrap_or("none");
        let path = format!("/connector-plugins/{class}/config/validate");
        self.must("PUT", &path, config.to_string().as_bytes())
    }

    /// The connector plugins this worker has loaded.
    ///
    /// # Errors
    /// The worker does not answer.
    pub fn plugins(&self) -> Result<Value> {
        self.must("GET", "/connector-plugins", b"")
    }

    /// State of a connector and its tasks.
    ///
    /// # Errors
    /// There is no such connector.
    pub fn status(&self, name: &str) -> Result<Value> {
        self.must("GET", &format!("/connectors/{name}/status"), b"")
    }

    /// Waits until a connector and at least `tasks` tasks are running, none in another state.
    ///
    /// # Errors
    /// One of them fails (its trace is in the message), or `limit` passes.
    pub fn wait_running(&self, name: &str, tasks: usize, limit: Duration) -> Result<()> {
        let began = Instant::now();
        loop {
            // 404 for a moment after creation, before the worker has read its own topic.
            let Answer { body: status, .. } =
                self.call("GET", &format!("/connectors/{name}/status"), b"")?;
            let states = states_of(&status);
            if let Some((_, trace)) = states.iter().find(|(state, _)| state == "FAILED") {
                return Err(Error::new(format!("connector {name} has failed: {trace}")));
            }
            if states.len() > tasks && states.iter().all(|(state, _)| state == "RUNNING") {
                return Ok(());
            }
            if began.elapsed() > limit {
                return Err(Error::new(format!(
                    "connector {name} with {tasks} tasks is not running after {limit:?}: {status}"
                )));
            }
            sleep(POLL);
        }
    }

    /// Removes a connector.
    ///
    /// # Errors
    /// There is none.
    pub fn delete(&self, name: &str) -> Result<()> {
        self.must("DELETE", &format!("/connectors/{name}"), b"").map(|_| ())
    }

    /// `pause`, `resume` or `stop`: the wanted state; the worker gets there later.
    ///
    /// # Errors
    /// There is no such connector.
    pub fn set_state(&self, name: &str, verb: &str) -> Result<()> {
        self.must("PUT", &format!("/connectors/{name}/{verb}"), b"").map(|_| ())
    }

    /// Restarts a connector and all its tasks.
    ///
    /// # Errors
    /// There is no such connector.
    pub fn restart(&self, name: &str) -> Result<()> {
        let path = format!("/connectors/{name}/restart?includeTasks=true");
        self.must("POST", &path, b"").map(|_| ())
    }

    /// The committed offsets of a connector.
    ///
    /// # Errors
    /// There is no such connector.
    pub fn offsets(&self, name: &str) -> Result<Value> {
        self.must("GET", &format!("/connectors/{name}/offsets"), b"")
    }

    /// Sets offsets of a stopped connector; what the worker says, refusals too.
    ///
    /// # Errors
    /// The worker cannot be reached.
    pub fn alter_offsets(&self, name: &str, offsets: &Value) -> Result<Answer> {
        let body = offsets.to_string();
        self.call("PATCH", &format!("/connectors/{name}/offsets"), body.as_bytes())
    }

    /// Forgets all offsets of a stopped connector; what the worker says, refusals too.
    ///
    /// # Errors
    /// The worker cannot be reached.
    pub fn reset_offsets(&self, name: &str) -> Result<Answer> {
        self.call("DELETE", &format!("/connectors/{name}/offsets"), b"")
    }

    /// Sets the level of a logger of this worker.
    ///
    /// # Errors
    /// The level is unknown.
    pub fn log_level(&self, logger: &str, level: &str) -> Result<()> {
        let body = serde_json::json!({ "level": level }).to_string();
        self.must("PUT", &format!("/admin/loggers/{logger}"), body.as_bytes()).map(|_| ())
    }

    fn call_once(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let doing = || format!("{method} {}{path}", self.base);
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Content-Type", "application/json")
            .body(body)
            .context(doing)?;
        let mut response = self.agent.run(request).context(doing)?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().context(doing)?;
        let body = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text) };
        Ok(Answer { status, body: body.context(|| format!("{}: {text}", doing()))? })
    }
}

/// 409 also says that a connector exists, which waiting does not change.
fn is_rebalance(answer: &Answer) -> bool {
    answer.body["message"].as_str().is_some_and(|message| message.contains("rebalance"))
}

/// State and trace of a connector and of each of its tasks.
fn states_of(status: &Value) -> Vec<(String, String)> {
    let tasks = status["tasks"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    std::iter::once(&status["connector"])
        .chain(tasks)
        .map(|part| (text(&part["state"]), text(&part["trace"])))
        .collect()
}
