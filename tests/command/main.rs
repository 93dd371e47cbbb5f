//! Tests of the command from the outside.
//!
//! Their input files, some of which the README shows, are in this folder too.

#[path = "../common/byte_level.rs"]
mod byte_level;
mod charset;
mod chat;
mod common;
mod count;
mod folders;
mod names;
mod page;
#[cfg(unix)]
mod readme;
mod special;
#[cfg(unix)]
mod terminal;
mod text;
mod tokenizer;
