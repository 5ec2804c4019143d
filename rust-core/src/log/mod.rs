//! The commit log's records and keys.
