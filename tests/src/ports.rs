//! Ports on this machine.
//!
//! In: nothing, or a fixed port and what it is for. Out: a port that was free a moment ago. Never:
//! one of the kernel's ephemeral range, where an outgoing connection could take it while its server
//! is being restarted.

use std::collections::HashSet;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

const LOWEST: u16 = 20_000;
const EPHEMERAL_FROM: u16 = 32_768;

static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port that nobody listens on and that this process has not handed out before.
///
/// # Errors
/// None is free.
pub(crate) fn free() -> Result<u16> {
    let span = ephemeral_from().saturating_sub(LOWEST).max(1);
    // Several test processes look at once: they must not all begin at the same port.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let start = (now / 1_000).wrapping_add(std::process::id().wrapping_mul(7_919));
    let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for step in 0..u32::from(span) {
        let offset = start.wrapping_add(step) % u32::from(span);
        let port = LOWEST + u16::try_from(offset).unwrap_or(0);
        if !given.contains(&port) && is_free(port) {
            given.insert(port);
            return Ok(port);
        }
    }
    Err(Error::new(format!("no free port from {LOWEST} to {}", LOWEST + span)))
}

/// A port of the demo, which must be free.
///
/// # Errors
/// It is taken: the message names the program that holds it.
pub(crate) fn fixed(port: u16, role: &str) -> Result<u16> {
    if is_free(port) {
        return Ok(port);
    }
    let holder = holder_of(port).unwrap_or_else(|| "a program of another user".to_owned());
    Err(Error::new(format!(
        "port {port}, wanted for {role}, is held by {holder}: stop that program and try again"
    )))
}

fn is_free(port: u16) -> bool {
    // Both, because a listener on one address leaves the other bindable.
    TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok()
}

fn ephemeral_from() -> u16 {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .filter(|from| *from > LOWEST)
        .unwrap_or(EPHEMERAL_FROM)
}

/// `name (pid n)` of the program that listens on a port, as far as this user may see it.
fn holder_of(port: u16) -> Option<String> {
    let sockets: HashSet<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let processes = std::fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let held = std::fs::read_dir(process.path().join("fd")).ok()?.flatten().any(|fd| {
            std::fs::read_link(fd.path())
                .is_ok_and(|target| target.to_str().is_some_and(|text| sockets.contains(text)))
        });
        held.then(|| format!("{} (pid {pid})", program_of(&process.path())))
    })
}

/// Inodes of the listening sockets of a port, from a `/proc/net/tcp` table.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&suffix) && fields[3] == LISTEN)
        .map(|fields| fields[9].to_owned())
        .collect()
}

fn program_of(process: &Path) -> String {
    let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    words.join(" ").chars().take(80).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_hands_out_a_port_twice_or_an_ephemeral_one() {
        let ports: Vec<u16> = (0..20).map(|_| free().unwrap()).collect();
        let distinct: HashSet<u16> = ports.iter().copied().collect();
        assert_eq!(distinct.len(), ports.len());
        assert!(ports.iter().all(|port| *port < ephemeral_from()));
    }

    #[test]
    fn names_the_holder_of_a_taken_port() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let said = fixed(port, "a test").unwrap_err().to_string();
        assert!(said.contains(&format!("(pid {})", std::process::id())), "{said}");
        assert!(said.contains("wanted for a test"), "{said}");
    }
}
