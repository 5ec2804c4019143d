//! The real stack as processes: MySQL, Kafka, Connect, S3.
