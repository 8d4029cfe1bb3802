//! How much a lake of some size takes, and how long its work: measured, fitted, predicted.
//!
//! Only numbers are known here: no lake, no engine, no clock. A benchmark brings what it
//! measured as [`Measurements`]; everything else is computed from these.

mod bill;
mod fit;
#[cfg(test)]
mod fit_tests;
mod forecast;
mod least_squares;
mod machine;
#[cfg(test)]
pub(crate) mod made;
mod measurement;
mod model;
#[cfg(test)]
mod model_tests;
mod plan;
mod prices;
pub mod scenario;
mod sizes;
pub mod statistics;
mod work;

pub use bill::CostItem;
pub use fit::{Cost, Driver, Estimate, Fit, FitErrors};
pub use forecast::{Basis, Forecast, Given, HuntCost};
pub use machine::{Limit, LimitKind, Machine};
pub use measurement::{DatasetSizes, Measurement, Measurements, Quantities, Requests, Settings, VERSION};
pub use model::{At, Model, Unfitted, Validation, WorkModel};
pub(crate) use plan::page;
pub use plan::{
    Breaking, CoresNeeded, Costs, HuntTime, MeasuredOn, Month, Part, Plan, Reason, Refused, RequestCounts, Section,
    State, Task, WorkErrors,
};
pub use prices::{EXAMPLE as EXAMPLE_PRICES, MachinePrice, PRICED_GB, Prices};
pub use scenario::{Detections, Held, Scenario, Source};
pub use sizes::DatasetModel;
pub use work::{Cache, Phase, Work};
