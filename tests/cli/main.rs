//! Tests of the command from the outside.
//!
//! Their files of input are in `tests/command`, which the README counts and prints: nothing else is put there.

mod chat;
mod common;
mod count;
mod page;
#[cfg(unix)]
mod readme;
#[cfg(unix)]
mod terminal;
mod text;
