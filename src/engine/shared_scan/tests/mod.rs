//! Plans that share scans against the same plans alone.

mod alone_and_shared;
mod lake;
mod lifetimes;
mod order;
mod predicates;
mod timings;
