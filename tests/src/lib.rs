//! The real stack as processes: MySQL, Kafka, Connect with Debezium, S3.
//!
//! For end-to-end tests, the demo and benchmarks. `scripts/install.sh` installs the parts,
//! [`Stack::builder`] starts them, dropping the [`Stack`] ends them and removes their data, also
//! after a panic, Ctrl-C or SIGKILL. `KEEP=1` keeps the run folder.
//!
//! Table of contents: `stack` and `builder` put the servers together; `mysql_server`, `kafka`,
//! `s3` and `connect` are one server each; `rest` and `kafka_tool` ask them; `process`, `log`,
//! `spawner`, `guard` and `run_folder` make sure that nothing is left; `parts`, `settings` and
//! `ports` say where things are; `shipped` are the connectors' files; `lake` and `program` read what came of it;
//! `proxy` stands before the store, to kill a worker at a request of one's choice.

mod addresses;
mod builder;
mod connect;
mod connectors;
mod error;
mod guard;
mod java;
mod kafka;
mod kafka_tool;
mod lake;
mod load;
mod log;
mod mysql_server;
mod parts;
mod plugin;
mod ports;
mod process;
mod program;
mod proxy;
mod rest;
mod run_folder;
mod s3;
mod say;
mod server;
mod settings;
mod shipped;
mod spawner;
mod stack;

pub use builder::StackBuilder;
pub use connect::Worker;
pub use connectors::Connector;
pub use error::{Error, Result};
pub use java::Line;
pub use kafka::Kafka;
pub use kafka_tool::KafkaTool;
pub use lake::{Agreement, Table};
pub use load::Load;
pub use log::Log;
pub use mysql_server::MySql;
pub use parts::Parts;
pub use plugin::Plugin;
pub use process::{Process, Recipe};
pub use program::Program;
pub use proxy::{Exchange, Proxy};
pub use rest::{Answer, ConnectRest};
pub use s3::S3;
pub use say::say;
pub use server::Server;
pub use settings::{BUCKET, demo};
pub use shipped::{
    ORDERS_SINK, ORDERS_SOURCE, Shipped, TRANSACTIONS_CSV_SINK, TRANSACTIONS_SINK,
    TRANSACTIONS_SOURCE, TRANSACTIONS_TYPES,
};
pub use stack::Stack;

/// The MySQL client, for tests that want rows with types.
pub use mysql;
