use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;

use super::exchange::read_request;
use super::*;

const LIMIT: Duration = Duration::from_secs(10);

/// A server that answers every request with 200 and the bytes it got; and what it got.
fn server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let taken = got.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let peer = client.peer_addr().unwrap();
            let mut requests = BufReader::new(client);
            while let Ok(Some((head, exchange))) = read_request(&mut requests, peer) {
                let all = String::from_utf8([head, exchange.body].concat()).unwrap();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{all}", all.len());
                taken.lock().unwrap().push(all);
                requests.get_ref().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (endpoint, got)
}

fn proxy() -> (Proxy, Arc<Mutex<Vec<String>>>) {
    let (endpoint, got) = server();
    let proxy = Proxy::start().unwrap();
    proxy.forward_to(&endpoint).unwrap();
    (proxy, got)
}

fn send(proxy: &Proxy, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(proxy.address).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    client
}

fn answer(client: &mut TcpStream, request: &str) -> String {
    let expected = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{request}", request.len());
    let mut bytes = vec![0; expected.len()];
    client.read_exact(&mut bytes).unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
    expected
}

fn request(target: &str) -> String {
    format!("PUT {target} HTTP/1.1\r\nHost: signed:1\r\ncontent-length: 5\r\n\r\n\r\nab\n")
}

#[test]
fn requests_and_answers_pass_unchanged_and_are_recorded() {
    let (proxy, got) = proxy();
    let (first, second) = (request("/b/k%2Fa%3Db?x=1%25"), request("/b/2"));
    let mut client = send(&proxy, &first);
    answer(&mut client, &first);
    client.write_all(second.as_bytes()).unwrap();
    answer(&mut client, &second);
    assert_eq!(*got.lock().unwrap(), [first, second]);
    let seen = proxy.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("PUT", "/b/k/a=b?x=1%"));
    assert_eq!((&seen[0].body[..], seen[0].status()), (&b"\r\nab\n"[..], Some(200)));
    assert_eq!(seen[0].client, client.local_addr().unwrap());
}

#[test]
fn the_second_of_a_kind_is_held_until_it_is_released() {
    let (proxy, got) = proxy();
    let of_kind = |one: &Exchange| one.target.starts_with("/kind");
    proxy.hold(move |before, now| of_kind(now) && before.iter().any(|one| of_kind(one)));
    for target in ["/kind/1", "/other"] {
        answer(&mut send(&proxy, &request(target)), &request(target));
    }
    let mut client = send(&proxy, &request("/kind/2"));
    let find = |seen: &[Arc<Exchange>]| seen.iter().find(|one| one.held()).cloned();
    let held = proxy.wait("held request", LIMIT, find).unwrap();
    assert_eq!((held.target.as_str(), held.status()), ("/kind/2", None));
    assert_eq!(got.lock().unwrap().len(), 2);
    proxy.release();
    answer(&mut client, &request("/kind/2"));
    assert!(!held.held() && !held.dropped());
    assert_eq!(held.status(), Some(200));
}

#[test]
fn a_held_request_dies_with_its_client() {
    let (proxy, got) = proxy();
    proxy.hold(|_, _| true);
    let client = send(&proxy, &request("/dead"));
    let held = |seen: &[Arc<Exchange>]| seen.iter().find(|one| one.held()).cloned();
    let held = proxy.wait("held request", LIMIT, held).unwrap();
    drop(client);
    proxy.wait("end of it", LIMIT, |_| held.dropped().then_some(())).unwrap();
    proxy.release();
    answer(&mut send(&proxy, &request("/alive")), &request("/alive"));
    assert_eq!(*got.lock().unwrap(), [request("/alive")]);
    let error = proxy.wait("second", POLL, |seen| seen.get(1).cloned()).unwrap_err().to_string();
    assert!(error.contains("no second within 10ms"), "{error}");
    assert!(error.contains("PUT /alive: 200"), "{error}");
}

#[test]
fn a_cut_answer_was_given_and_never_came() {
    let (proxy, got) = proxy();
    proxy.cut(|now| now.target == "/cut");
    let (lost, heard) = (request("/cut"), request("/heard"));
    let mut client = send(&proxy, &lost);
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0, "closed, without a byte");
    let mut client = send(&proxy, &heard);
    answer(&mut client, &heard);
    assert_eq!(*got.lock().unwrap(), [lost, heard]);
    let seen: Vec<_> = proxy.seen().iter().map(|one| (one.cut(), one.status())).collect();
    assert_eq!(seen, [(true, Some(200)), (false, Some(200))]);
}
