//! What a lake holds and whether that can be proved.

mod holdings;

pub use holdings::{DatasetHoldings, Holdings, TableHoldings, holdings};
