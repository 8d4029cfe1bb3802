//! Detections that run for ever on a lake.
//!
//! The state of a schedule lives in the lake and nowhere else: `checkpoint` says how far each
//! detection has come, in the commit that has its alerts; `lease` says who runs the schedule;
//! what evaluations keep is beside them (`hunt/live`). A process that ends anywhere leaves what
//! its last commit says, and whoever goes on from there gives what it would have given.

mod checkpoint;
mod dead_letters;
mod evaluate;
mod fill;
mod lease;
pub mod log;
pub mod metrics;
mod outbox;
mod plan;
mod record;
mod runs;
mod scheduler;
pub mod server;
pub mod settings;
mod status;
mod suppress;

pub use checkpoint::{Checkpoint, Gap, Position};
pub use fill::{ask_to_fill, gaps};
pub use lease::Lease;
pub use outbox::{Outbox, Target};
pub use plan::{Plan, Planned};
pub use runs::{ALL as ALL_DETECTIONS, Estimated, Run, RunEnd, record_hunt};
pub use scheduler::{Ended, Observer, Scheduler};
pub use status::{DetectionStatus, Status, status};
