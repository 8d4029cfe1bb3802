//! `retrohunt schedule` as a program that is started, killed, told to stop and started again.
//!
//! What one step of a detection gives is tested beside that code; here the steps are those of
//! processes. `--until` is the clock of all of them, so that days pass between two runs, except
//! in [`running`], where detections have an interval of a second.

mod bench;
mod failures;
mod lease;
mod outage;
mod running;
mod simulation;
mod sinks;
mod world;
