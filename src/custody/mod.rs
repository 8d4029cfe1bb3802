//! What a lake holds and whether that can be proved.

mod check;
pub mod coverage;
pub mod evidence;
mod holdings;

pub use check::{CheckRequest, Checked, Finding, check};
pub use holdings::{DatasetHoldings, Holdings, TableHoldings, holdings};
