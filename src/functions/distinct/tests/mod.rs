//! Both aggregates give what DataFusion's own give, on any plan and in little memory, and the
//! groups may be taken out in any parts.

mod parts;
mod queries;
