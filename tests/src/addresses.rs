//! Where the servers of a stack are, and how connector JSON hears of it.
//!
//! In: whether the ports are fixed; servers. Out: ports; environment variables. Never: a variable
//! that compose does not set too.

use crate::error::Result;
use crate::kafka::{Kafka, KafkaPorts};
use crate::mysql_server::MySql;
use crate::ports;
use crate::s3::S3;
use crate::settings::demo;

/// The ports of all servers of a stack.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) mysql: u16,
    pub(crate) s3: u16,
    pub(crate) kafka: KafkaPorts,
    /// One a worker.
    pub(crate) rest: Vec<u16>,
}

impl Ports {
    /// Free ones, or those that the documents name.
    pub(crate) fn choose(fixed: bool, workers: usize) -> Result<Self> {
        let port = |number, role: &str| {
            if fixed { ports::fixed(number, role) } else { ports::free() }
        };
        let rest = |index| if index == 0 { port(8083, "Connect") } else { ports::free() };
        Ok(Self {
            mysql: port(3306, "MySQL")?,
            s3: port(8333, "S3")?,
            kafka: KafkaPorts {
                host: port(9092, "Kafka")?,
                internal: port(29092, "Kafka, for the workers")?,
                controller: ports::free()?,
            },
            rest: (0..workers).map(rest).collect::<Result<_>>()?,
        })
    }
}

/// The variables that connector JSON names, with the addresses of this stack.
pub(crate) fn environment(
    mysql: Option<&MySql>,
    s3: Option<&S3>,
    kafka: &Kafka,
) -> Vec<(String, String)> {
    let mut env = vec![("KAFKA_BOOTSTRAP", kafka.internal_bootstrap())];
    if let Some(mysql) = mysql {
        env.push(("MYSQL_HOST", "127.0.0.1".to_owned()));
        env.push(("MYSQL_PORT", mysql.port().to_string()));
        env.extend(["MYSQL_USER", "MYSQL_PASSWORD"].map(|name| (name, demo(name).to_owned())));
    }
    if let Some(s3) = s3 {
        env.push(("S3_ENDPOINT", s3.endpoint()));
        let keys = ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"];
        env.extend(keys.map(|name| (name, demo(name).to_owned())));
    }
    env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
