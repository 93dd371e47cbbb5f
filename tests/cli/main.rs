//! Tests of the command from the outside.
//!
//! Their input files are in `tests/command`. The README counts that folder, so nothing else is put there.

mod chat;
mod common;
mod count;
mod page;
#[cfg(unix)]
mod readme;
#[cfg(unix)]
mod terminal;
mod text;
