//! The smaller logs: changes of the directory, risk, Defender, network sensors.

pub(super) mod defender;
pub(super) mod directory;
pub(super) mod network;
pub(super) mod risk;
