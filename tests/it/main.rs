//! The one integration binary. Each module is a topic; new tests go into the module of
//! their topic, and what is about a single function stays beside that function.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alerts;
mod bad_input;
mod bench;
mod cli;
mod conformance;
mod corpus;
mod coverage;
mod detections;
mod estimate;
mod evidence;
mod generate;
mod hunts;
mod ingest;
mod layers;
mod plan;
mod random_hunts;
mod readers;
mod sandbox;
mod schedule;
mod slt;
mod stores;
mod upkeep;
mod views;
