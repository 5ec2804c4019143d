//! One request, and how it is read.
//!
//! In: bytes of HTTP/1.1. Out: a request with the bytes of its head. Never: a guess; a body without
//! its length is refused.

use std::fmt;
use std::io::{BufRead as _, BufReader, Error, Read as _, Result};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Instant;

/// One request and what became of it.
#[derive(Debug)]
pub struct Exchange {
    /// When it came.
    pub at: Instant,
    /// The client's end of the connection.
    pub client: SocketAddr,
    /// `PUT`, …
    pub method: String,
    /// Path and query, without percent escapes.
    pub target: String,
    /// The body as it came.
    pub body: Vec<u8>,
    pub(super) status: AtomicU16,
    pub(super) held: AtomicBool,
    pub(super) dropped: AtomicBool,
    pub(super) cut: AtomicBool,
}

impl Exchange {
    /// The status of the answer, once there is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        Some(self.status.load(Ordering::Acquire)).filter(|status| *status > 0)
    }

    /// Whether it is being held back.
    #[must_use]
    pub fn held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Whether its answer is kept from its client; `status` is what the server said.
    #[must_use]
    pub fn cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Whether its client died while it was held, so that the server never saw it.
    #[must_use]
    pub fn dropped(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.held() { "held" } else { "no answer" };
        let end = self.status().map_or(end.to_owned(), |status| status.to_string());
        write!(out, "{} {}: {end}", self.method, self.target)
    }
}

/// Head and request; nothing when the client has closed its end.
pub(super) fn read_request(
    client: &mut BufReader<TcpStream>,
    peer: SocketAddr,
) -> Result<Option<(Vec<u8>, Exchange)>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if client.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut words = text.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let header = |name: &str| {
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim()).next()
    };
    if header("transfer-encoding").is_some() {
        return Err(Error::other("a body in chunks is more than this proxy can do"));
    }
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    let exchange = Exchange {
        at: Instant::now(),
        client: peer,
        method: method.to_owned(),
        target: unescaped(target),
        body,
        status: AtomicU16::new(0),
        held: AtomicBool::new(false),
        dropped: AtomicBool::new(false),
        cut: AtomicBool::new(false),
    };
    Ok(Some((head, exchange)))
}

/// `%2F` to `/` and so on, once.
fn unescaped(target: &str) -> String {
    let mut bytes = Vec::with_capacity(target.len());
    let mut rest = target.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex =
            tail.get(..2).filter(|_| *first == b'%').and_then(|h| std::str::from_utf8(h).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
