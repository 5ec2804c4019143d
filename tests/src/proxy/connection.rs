//! One client's connection through the proxy.
//!
//! In: a client. Out: its requests at the server, the answers at the client. Never: one end left
//! open when the other has closed.

use std::io::{BufReader, Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::Shared;
use super::exchange::{Exchange, read_request};

/// How soon the end of a held request's client, or its release, is seen.
const POLL: Duration = Duration::from_millis(10);

/// One client's connection, until either end closes it.
pub(super) fn serve(shared: &Shared, client: TcpStream) -> Result<()> {
    let upstream = shared.lock().upstream.ok_or(ErrorKind::NotConnected)?;
    let mut server = TcpStream::connect(upstream)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let peer = client.peer_addr()?;
    let waiting: Arc<Mutex<Option<Arc<Exchange>>>> = Arc::default();
    let (from, to, answered) = (server.try_clone()?, client.try_clone()?, waiting.clone());
    thread::spawn(move || drop(pipe_answers(from, to, &answered)));
    let mut requests = BufReader::new(client);
    while let Ok(Some((head, exchange))) = read_request(&mut requests, peer) {
        let exchange = Arc::new(exchange);
        if let Some(round) = shared.note(&exchange) {
            let alive = wait_out(shared, round, requests.get_ref())?;
            exchange.dropped.store(!alive, Ordering::Release);
            exchange.held.store(false, Ordering::Release);
            if !alive {
                break;
            }
        }
        *waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange.clone());
        server.write_all(&head)?;
        server.write_all(&exchange.body)?;
    }
    server.shutdown(Shutdown::Both)
}

/// Holds a request for as long as the round lasts; false when its client is gone.
fn wait_out(shared: &Shared, round: u64, client: &TcpStream) -> Result<bool> {
    client.set_read_timeout(Some(POLL))?;
    let alive = loop {
        // Nothing can come before the answer but the end.
        match client.peek(&mut [0]) {
            Err(error) if is_timeout(&error) => {}
            _ => break false,
        }
        if shared.lock().round != round {
            break true;
        }
    };
    client.set_read_timeout(None)?;
    Ok(alive)
}

/// Answers go back as they come; the first bytes of each tell its status.
fn pipe_answers(
    mut server: TcpStream,
    mut client: TcpStream,
    waiting: &Mutex<Option<Arc<Exchange>>>,
) -> Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let count = server.read(&mut bytes).unwrap_or(0);
        if count == 0 {
            return client.shutdown(Shutdown::Both);
        }
        // A client sends its next request when it has the whole answer to the last one.
        if let Some(exchange) = waiting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let line = String::from_utf8_lossy(&bytes[..count.min(16)]).into_owned();
            let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
            exchange.status.store(status.unwrap_or(0), Ordering::Release);
            if exchange.cut() {
                return client.shutdown(Shutdown::Both);
            }
        }
        client.write_all(&bytes[..count])?;
    }
}

fn is_timeout(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
