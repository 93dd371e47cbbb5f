#![doc = include_str!("../README.md")]
//!
//! # Modules
//!
//! - [`register_all`] and [`Functions`]: the functions for a session, with the built-in encodings or with custom ones too.
//! - [`expr_fn`]: the functions as expressions, for the DataFrame API.
//! - [`kernels`]: the functions over Arrow arrays, for other engines.

#[cfg(feature = "datafusion")]
pub mod expr_fn;
pub mod kernels;
#[cfg(feature = "datafusion")]
mod registry;
#[cfg(feature = "datafusion")]
mod udf;

#[cfg(feature = "datafusion")]
pub use registry::{DEFAULT_ENCODING, Functions, all_functions, register_all};
