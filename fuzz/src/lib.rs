//! What holds for any bytes: one check per fuzz target, which panics where it does not. The plain
//! test that replays the corpus includes this file.

mod archive;
mod cidr_match;
mod framing;
mod header;
mod sources;

pub use archive::archive;
pub use cidr_match::cidr_match;
pub use framing::{csv, framing};
pub use header::header;
pub use sources::sources;
