//! The parts of the command `tiktally-cluster`: token functions in SQL on many machines.
//!
//! Ballista schedules, shuffles and retries; this crate registers the functions in all three roles, chooses timeouts, and
//! turns errors into words that help. Each file is a subcommand, or something that several of them share.

#![forbid(unsafe_code)]

pub mod address;
pub mod bench;
pub mod copy;
pub mod executor;
pub mod local_cluster;
pub mod logger;
pub mod output;
mod problem;
pub mod query;
pub mod rest;
pub mod scheduler;
pub mod session;
pub mod watch;
mod work_dir;

pub use problem::{Problem, Result};
