//! Tests of the library through its public API, one module for each part of it.
//!
//! All of them are one program: each test program links the whole crate with its tables. Tests that need a program of
//! their own are in `tests/allocations.rs` and `tests/hostile.rs`.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/letters.rs"]
mod letters;
#[path = "../common/naive.rs"]
mod naive;
#[macro_use]
mod random;
#[path = "../common/texts.rs"]
mod texts;

mod bad_input;
mod examples;
mod golden;
#[cfg(feature = "graphemes")]
mod graphemes;
mod limits;
mod models;
mod properties;
mod signatures;
#[cfg(feature = "custom")]
mod special;
mod streams;
mod threads;
mod vectors;

#[cfg(feature = "custom")]
mod custom;
#[cfg(feature = "custom")]
mod loader;

#[cfg(all(
    feature = "r50k_base",
    feature = "p50k_base",
    feature = "cl100k_base",
    feature = "o200k_base",
    feature = "rayon"
))]
mod batch;
#[cfg(all(
    feature = "r50k_base",
    feature = "p50k_base",
    feature = "cl100k_base",
    feature = "o200k_base"
))]
mod engine;
#[cfg(all(
    feature = "r50k_base",
    feature = "p50k_base",
    feature = "cl100k_base",
    feature = "o200k_base",
    feature = "tokenizer-json"
))]
mod foreign;
#[cfg(all(
    feature = "r50k_base",
    feature = "p50k_base",
    feature = "cl100k_base",
    feature = "o200k_base",
    feature = "custom"
))]
mod fuzz_checks;
