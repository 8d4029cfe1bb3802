//! retrohunt: hunt months of Microsoft 365 and Entra ID audit logs with SQL detections over Parquet.

pub mod alerts;
pub mod bench;
pub mod capacity;
pub mod cli;
pub mod config;
pub mod custody;
pub mod detections;
pub mod engine;
pub mod error;
pub mod functions;
pub mod generate;
pub mod hunt;
pub mod ingest;
pub mod investigations;
pub mod lake;
pub mod report;
pub mod schedule;
pub mod schema;
pub mod sinks;
pub mod sources;

pub use error::{Error, Result};
