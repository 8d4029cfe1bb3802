//! retrohunt: hunt months of Microsoft 365 and Entra ID audit logs with SQL detections over Parquet.

pub mod cli;
pub mod config;
pub mod error;
pub mod ingest;
pub mod lake;
pub mod schema;
pub mod sources;

pub use error::{Error, Result};
