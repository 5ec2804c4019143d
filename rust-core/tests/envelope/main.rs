//! Room envelope from outside: records in, rows out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod agree;
mod builders;
mod fixtures;
mod inputs;
mod model;
mod mutations;
mod names;
mod plain;
mod rules;
mod structs;
mod support;
