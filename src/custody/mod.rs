//! What a lake holds and whether that can be proved.

pub mod evidence;
mod holdings;

pub use holdings::{DatasetHoldings, Holdings, TableHoldings, holdings};
