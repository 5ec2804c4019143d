//! The connectors as they are shipped: read, and posted byte for byte.
//!
//! In: a file of `connector-config`. Out: what it says, and a connector made of exactly its bytes.
//! Never: a value that is replaced; hosts and secrets come by `${env:…}`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Context as _, Error, Result};
use crate::rest::ConnectRest;

/// MySQL's `inventory.orders` to the topic `orders_cdc`, by Debezium.
pub const ORDERS_SOURCE: &str = "connector-config/register-orders-connector.json";
/// The topic `orders_cdc` to the lake, by Alluvium.
pub const ORDERS_SINK: &str = "connector-config/orders-lake-sink.json";
/// MySQL's `inventory.transactions` to its topic, by Debezium.
pub const TRANSACTIONS_SOURCE: &str = "connector-config/register-transactions-connector.json";
/// That topic to files of JSON.
pub const TRANSACTIONS_SINK: &str = "connector-config/transactions-export-sink.json";
/// The same to files of CSV.
pub const TRANSACTIONS_CSV_SINK: &str = "connector-config/transactions-export-csv-sink.json";
/// The types of the table's columns, for readers of lines: [`crate::Table::with_types`].
pub const TRANSACTIONS_TYPES: &str = "id=BIGINT;amount=DECIMAL(18,2);timestamp=TIMESTAMPTZ";

/// One of the shipped files.
#[derive(Debug, Clone)]
pub struct Shipped {
    file: PathBuf,
    json: Value,
}

impl Shipped {
    /// A shipped file of the clone at `root`.
    ///
    /// # Errors
    /// It cannot be read, or is no JSON.
    pub fn read(root: &Path, file: &str) -> Result<Self> {
        let file = root.join(file);
        let bytes = std::fs::read(&file).context(|| file.display().to_string())?;
        let json = serde_json::from_slice(&bytes).context(|| file.display().to_string())?;
        Ok(Self { file, json })
    }

    /// Makes the connector; demo and tests both come by here.
    ///
    /// # Errors
    /// The worker refuses it.
    pub fn register(&self, rest: &ConnectRest) -> Result<Value> {
        rest.post_file(&self.file)
    }

    /// The connector's name.
    ///
    /// # Errors
    /// The file has none.
    pub fn name(&self) -> Result<&str> {
        self.json["name"].as_str().ok_or_else(|| self.lacks("name"))
    }

    /// A value of its configuration, as it stands there.
    ///
    /// # Errors
    /// The file has no such key.
    pub fn setting(&self, key: &str) -> Result<&str> {
        self.json["config"][key].as_str().ok_or_else(|| self.lacks(key))
    }

    /// A number of its configuration.
    ///
    /// # Errors
    /// The file has no such key, or another thing than a number stands there.
    pub fn number(&self, key: &str) -> Result<u64> {
        self.setting(key)?.parse().context(|| format!("{}: {key}", self.file.display()))
    }

    fn lacks(&self, key: &str) -> Error {
        Error::new(format!("{} says nothing of '{key}'", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn a_connector_is_made_of_exactly_the_bytes_of_its_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let transactions = [TRANSACTIONS_SOURCE, TRANSACTIONS_SINK, TRANSACTIONS_CSV_SINK];
        for file in [ORDERS_SOURCE, ORDERS_SINK].into_iter().chain(transactions) {
            let shipped = Shipped::read(&root, file).unwrap();
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let rest = ConnectRest::new(listener.local_addr().unwrap().port());
            let worker = thread::spawn(move || take_one_request(&listener));
            shipped.register(&rest).unwrap();
            let (head, body) = worker.join().unwrap();
            assert_eq!(head, "POST /connectors HTTP/1.1");
            assert_eq!(body, std::fs::read(root.join(file)).unwrap(), "{file}");
        }
    }

    /// The first line and the body of a request, which is answered like a worker's 201.
    fn take_one_request(listener: &TcpListener) -> (String, Vec<u8>) {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
        lines.read_line(&mut head).unwrap();
        while line != "\r\n" {
            line.clear();
            lines.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        let answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).unwrap();
        (head.trim_end().to_owned(), body)
    }
}
