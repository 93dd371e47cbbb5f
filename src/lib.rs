//! Exact, fast token counting: tiktoken's encodings in pure Rust.
//!
//! ```
//! # #[cfg(feature = "o200k_base")] {
//! let encoding = tiktally::encoding_for_model("gpt-4o")?;
//! assert_eq!(encoding.count("How many tokens is this?"), 6);
//! assert_eq!(encoding.encode_ordinary("hello world"), [24912, 2375]);
//! assert_eq!(encoding.decode(&[24912, 2375])?, "hello world");
//! # }
//! # Ok::<(), tiktally::Error>(())
//! ```
//!
//! The ids are those of tiktoken 0.14.0 for every text, on gpt2, r50k_base, p50k_base, p50k_edit, cl100k_base, o200k_base
//! and o200k_harmony. Time is linear in the text, hostile ones too. Bad input is a typed error, never a panic. There is no
//! network and no `unsafe`.
//!
//! # Overview
//! - [`get_encoding`], [`encoding_for_model`], or a function such as [`cl100k_base`], give an [`Encoding`].
//! - [`Encoding`] counts, encodes and decodes. [`Special`] says what special strings in a text become.
//! - [`Encoding::truncate`] and [`Encoding::chunks`] keep text within limits; [`TokenCounter`], [`StreamEncoder`] and
//!   [`StreamDecoder`] follow text and ids as they arrive.
//! - [`Encoder`] encodes and counts with memory of its own instead of the thread's.
//! - [`context_window`] knows how many tokens a model takes.
//! - [`Encoding::builder`] and [`Encoding::extend`] make encodings of one's own.
//! - [`chat`] counts whole chat requests as the API bills them.
//! - [`Error`] is the one error type.
//!
//! # How it works, and what to read
//! Text is cut at the special tokens that a call allows, each stretch into pieces, and each piece is looked up or merged.
//! - [`guide::engine`] walks that way, and says at each stage why the ids are those of plain merging.
//! - [`guide::exactness`] says how that is checked, and where tiktoken does something else.
//! - [`guide::migrating`] has tables of calls for those who come from tiktoken in Python, tiktoken-rs or bpe-openai.
//! - The page of [`chat`] has the rules of chat requests, dated and with their evidence.
//!
//! # Features
//! - `r50k_base` (gpt2 too), `p50k_base` (p50k_edit too), `cl100k_base`, `o200k_base` (o200k_harmony too): the
//!   vocabularies, all on by default. An encoding whose feature is off is a typed error.
//! - `custom`, on by default: what encodings of one's own need.
//! - `rayon`, off by default: many texts, or one huge text, on all cores of the current pool.
//! - `cli`, off by default: the command, and what it needs of `json` and `prebuilt`.
//! - `prebuilt`, off by default: finished tables in the program, 3 to 11 MB for each vocabulary, where they are otherwise
//!   made on first use, which takes some milliseconds.
//! - `json`, off by default: chat requests as raw bodies, tools and their calls, sizes of inline images.
//!
//! No feature changes a result.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// what only one vocabulary or custom encodings need has no use without them
#![cfg_attr(
    not(all(
        feature = "r50k_base",
        feature = "p50k_base",
        feature = "cl100k_base",
        feature = "o200k_base",
        feature = "custom"
    )),
    allow(dead_code, unused_imports, unused_macros)
)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod builtin;
pub mod chat;
mod encoding;
mod engine;
mod error;
pub mod guide;
mod merge;
#[doc(hidden)]
pub mod reference;
mod special;
mod split;
mod stream;
#[cfg(test)]
#[path = "../tests/common/texts.rs"]
mod texts;
mod token_id;
mod utf8;
mod vocab;

#[cfg(feature = "cl100k_base")]
pub use builtin::cl100k_base;
pub use builtin::models::{
    ContextWindow, context_window, context_window_names, encoding_name_for_model,
};
pub use builtin::{encoding_for_model, get_encoding, list_encoding_names};
#[cfg(feature = "r50k_base")]
pub use builtin::{gpt2, r50k_base};
#[cfg(feature = "o200k_base")]
pub use builtin::{o200k_base, o200k_harmony};
#[cfg(feature = "p50k_base")]
pub use builtin::{p50k_base, p50k_edit};
#[cfg(feature = "custom")]
pub use encoding::{Builder, write_tiktoken};
pub use encoding::{ChunkSpan, Chunks, Cut, Encoder, Encoding, MIN_CHUNK_TOKENS, Spans};
pub use error::Error;
pub use special::Special;
pub use split::Pieces;
pub use split::classes::UNICODE_VERSION;
#[cfg(feature = "custom")]
pub use split::custom::Gaps;
pub use stream::{LossyStreamDecoder, StreamDecoder, StreamEncoder, TokenCounter};
pub use token_id::TokenId;

/// The README's examples are tests too.
#[cfg(all(doctest, feature = "cl100k_base", feature = "o200k_base"))]
#[doc = include_str!("../README.md")]
struct Readme;
