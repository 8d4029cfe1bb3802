//! Hunts over random events with random detections: evaluating all ticks at once must give
//! what evaluating them one by one gives, and how the events arrived and what a hunt may
//! use must not matter.
//!
//! `RETROHUNT_RANDOM_CASES` sets the number of cases of each property, and
//! `RETROHUNT_RANDOM_SEED` repeats a run that failed; a failure prints the seed.

pub(crate) mod choices;
mod events;
mod grammar;
mod hard_cases;
mod invariance;
mod plainly;
mod property;
mod terms;
mod world;
