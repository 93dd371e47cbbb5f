//! Listing the public API of a crate from its sources, on stable Rust.

pub(crate) mod listing;
pub(crate) mod show;
pub(crate) mod source;
