//! An HTTP server that says what a test tells it to: for answers that no real store gives on
//! demand (a clock that is wrong, a service that never answers, a reply that is cut).

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status line (`503 Slow Down`), more header lines, and a body.
    Say(&'static str, Vec<String>, String),
    /// The connection is closed without a word.
    Cut,
    /// Nothing, ever.
    Silence,
}

impl Answer {
    /// An S3 error.
    pub fn error(status: &'static str, code: &str) -> Self {
        let body = format!("<Error><Code>{code}</Code><Message>said {code}</Message></Error>");
        Self::Say(status, Vec::new(), body)
    }
}

/// The server; ends with the test process.
#[derive(Debug)]
pub struct Canned {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    next: VecDeque<Answer>,
    otherwise: Answer,
    /// Request lines (`PUT /lake/a HTTP/1.1`) and header lines, lower case.
    seen: Vec<(String, Vec<String>)>,
    bodies: Vec<String>,
    silent: Vec<TcpStream>,
}

impl Canned {
    /// A server that gives these answers in order, then `otherwise`.
    ///
    /// # Errors
    /// No port can be opened.
    pub fn start(answers: Vec<Answer>, otherwise: Answer) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (seen, silent) = (Vec::new(), Vec::new());
        let bodies = Vec::new();
        let state = State { next: answers.into(), otherwise, seen, bodies, silent };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Ok(Self { port, state })
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Requests so far: request line and header lines.
    pub fn seen(&self) -> Vec<(String, Vec<String>)> {
        lock(&self.state).seen.clone()
    }
}

impl Canned {
    /// Bodies of the requests so far, as text.
    pub fn bodies(&self) -> Vec<String> {
        lock(&self.state).bodies.clone()
    }
}

/// One request a connection: the tests count requests, not connections.
fn serve(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let request = line.trim_end().to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            header => headers.push(header.to_ascii_lowercase()),
        }
    }
    let length = headers.iter().find_map(|h| h.strip_prefix("content-length:"));
    let length: u64 = length.and_then(|l| l.trim().parse().ok()).unwrap_or(0);
    let head = request.starts_with("HEAD ");
    let mut body = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut body).ok()?;
    let mut stream = reader.into_inner();
    let answer = {
        let mut state = lock(state);
        state.seen.push((request, headers));
        state.bodies.push(String::from_utf8_lossy(&body).into_owned());
        state.next.pop_front().unwrap_or_else(|| state.otherwise.clone())
    };
    match answer {
        Answer::Cut => None,
        Answer::Silence => {
            lock(state).silent.push(stream);
            None
        }
        Answer::Say(status, headers, body) => {
            let more: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
            let length = body.len();
            let body = if head { "" } else { &body };
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{more}");
            let text = format!("{head}content-length: {length}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).ok()
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
