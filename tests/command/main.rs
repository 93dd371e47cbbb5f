//! Tests of the command from the outside.
//!
//! Their input files, some of which the README shows, are in this folder too.

mod chat;
mod common;
mod count;
mod names;
mod page;
#[cfg(unix)]
mod readme;
#[cfg(unix)]
mod terminal;
mod text;
