//! The whole core against stores in memory, driven as Connect drives it: what is visible is held
//! against what Kafka has, after every step and at the end.

// Clippy's own exception covers functions marked as tests, not those that they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod broken;
mod costs;
mod copy;
mod errants;
mod failures;
mod forget;
mod identity;
mod lost;
mod memory;
mod ownership;
mod reborn;
mod rebuild;
mod reset;
mod restart;
mod seeds;
mod settled;
mod unfenced;
mod upkeep;
mod simulator;
mod traces;
mod trying;
mod world;
