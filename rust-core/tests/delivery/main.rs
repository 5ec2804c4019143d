//! The whole core against stores in memory, driven as Connect drives it: what is visible is held
//! against what Kafka has, after every step and at the end.

mod broken;
mod errants;
mod failures;
mod ownership;
mod restart;
mod seeds;
mod world;
