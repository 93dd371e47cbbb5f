//! Counts, encodes and decodes tokens exactly as OpenAI's tiktoken does, in pure Rust.
//!
//! The ids are those of tiktoken 0.14.0 for every text, in all seven of OpenAI's encodings. Time is linear in the length of
//! the text, adversarial input included. Bad input is a typed error, never a panic. There is no network access and no
//! `unsafe`.
//!
//! # Examples
//!
//! Count the tokens of a text, or stop counting at a limit:
//!
//! ```
//! # #[cfg(feature = "o200k_base")] {
//! let encoding = tiktally::encoding_for_model("gpt-4o")?;
//! assert_eq!(encoding.count("How many tokens is this?"), 6);
//! assert_eq!(encoding.count_up_to("How many tokens is this?", 5), None);
//! # }
//! # Ok::<(), tiktally::Error>(())
//! ```
//!
//! Encode and decode. [`Special`] decides whether a special token in a text becomes its id, is read as plain text, or is an
//! error:
//!
//! ```
//! # #[cfg(feature = "cl100k_base")] {
//! use tiktally::{Special, cl100k_base};
//!
//! assert_eq!(cl100k_base().encode_ordinary("hello world"), [15339, 1917]);
//! assert_eq!(cl100k_base().decode(&[15339, 1917])?, "hello world");
//! assert_eq!(cl100k_base().encode("Hi<|endoftext|>", Special::ALLOW_ALL)?, [13347, 100257]);
//! assert!(cl100k_base().encode("Hi<|endoftext|>", Special::REJECT).is_err());
//! # }
//! # Ok::<(), tiktally::Error>(())
//! ```
//!
//! Truncate a text to a number of tokens, or split it into chunks, here of up to 5 tokens with an overlap of 1:
//!
//! ```
//! # #[cfg(feature = "cl100k_base")] {
//! let encoding = tiktally::cl100k_base();
//! let text = "one two three four five six";
//! let kept = encoding.truncate(text, 4);
//! assert_eq!(kept, "one two three four");
//! assert_eq!(encoding.encode_ordinary(kept), [606, 1403, 2380, 3116]);
//! let chunks: Vec<&str> = encoding.chunks_overlapping(text, 5, 1)?.collect();
//! assert_eq!(chunks, ["one two three four five", " five six"]);
//! # }
//! # Ok::<(), tiktally::Error>(())
//! ```
//!
//! Follow a text or ids that arrive in parts:
//!
//! ```
//! # #[cfg(feature = "cl100k_base")] {
//! let encoding = tiktally::cl100k_base();
//! let (mut encoder, mut ids) = (encoding.stream_encoder(), Vec::new());
//! for part in ["hel", "lo wor", "ld"] {
//!     encoder.push(part, &mut ids); // appends the ids that later text cannot change
//! }
//! encoder.finish(&mut ids);
//! assert_eq!(ids, [15339, 1917]);
//!
//! let mut decoder = encoding.stream_decoder();
//! assert_eq!(decoder.push(15339)?, "hello");
//! assert_eq!(decoder.push(1917)?, " world");
//! decoder.finish()?;
//! # }
//! # Ok::<(), tiktally::Error>(())
//! ```
//!
//! Count a chat request as the API bills it. The feature `json` adds tools and raw request bodies:
//!
//! ```
//! # #[cfg(feature = "o200k_base")] {
//! use tiktally::chat::{Counter, Message, Request};
//!
//! let request = Request::new([
//!     Message::system("You are a helpful assistant."),
//!     Message::user("How many tokens is this?"),
//! ]);
//! let tokens = Counter::for_model("gpt-4o")?.count(&request)?;
//! // for each message, its frame, role and text; then the frame of the answer
//! assert_eq!(tokens.total, (3 + 1 + 6) + (3 + 1 + 6) + 3);
//! # }
//! # Ok::<(), tiktally::Error>(())
//! ```
//!
//! Make a custom encoding: a built-in one with more special tokens, or one from a pattern and ranks:
//!
//! ```
//! # #[cfg(all(feature = "custom", feature = "cl100k_base"))] {
//! use tiktally::{Encoding, Special, cl100k_base};
//!
//! let chat = cl100k_base().extend("cl100k_im").special_token("<|im_start|>", 100_264).build()?;
//! assert_eq!(chat.encode("<|im_start|>hello", Special::ALLOW_ALL)?, [100264, 15339]);
//!
//! let bytes = (0..=255).map(|byte| (vec![byte], u32::from(byte)));
//! let ranks = bytes.chain([(b"ab".to_vec(), 256), (b"abc".to_vec(), 257)]);
//! let tiny = Encoding::builder("tiny").pattern(r"\w+|\W+").ranks(ranks).build()?;
//! assert_eq!(tiny.encode_ordinary("abc ab"), [257, 32, 256]);
//! # }
//! # Ok::<(), tiktally::Error>(())
//! ```
//!
//! # Which type do I want?
//!
//! | to do this | use |
//! |---|---|
//! | count, encode, decode, truncate or split a whole text | [`Encoding`]: from [`encoding_for_model`], [`get_encoding`], or a function such as [`cl100k_base`] |
//! | decide how special tokens in a text are read | [`Special`], for [`Encoding::encode`] and [`Encoding::count_with`] |
//! | prepare such a decision for many calls | [`SpecialSet`], from [`Encoding::special_set`] |
//! | encode or count many texts on several threads | [`Encoding::encode_batch_flat`], [`Encoding::count_batch_with`]; with the feature `rayon`, the other calls of a batch |
//! | encode with a separate cache, instead of the thread's | [`Encoder`], from [`Encoding::encoder`] |
//! | count a text that arrives in parts | [`TokenCounter`], from [`Encoding::token_counter`] |
//! | encode a text that arrives in parts | [`StreamEncoder`], from [`Encoding::stream_encoder`] |
//! | decode ids that arrive one by one | [`StreamDecoder`], from [`Encoding::stream_decoder`]: invalid UTF-8 is an error |
//! | decode ids that arrive one by one, with U+FFFD for invalid UTF-8 | [`LossyStreamDecoder`], from [`Encoding::stream_decoder_lossy`] |
//! | iterate over chunks within a limit | [`Chunks`], from [`Encoding::chunks`]; [`Spans`] adds positions and token counts; [`Cut`] sets preferred ends |
//! | iterate over the pieces that the pattern gives | [`Pieces`], from [`Encoding::pieces`] |
//! | make a custom encoding | [`Builder`], from [`Encoding::builder`] or [`Encoding::extend`] |
//! | know how many tokens a model takes | [`ContextWindow`], from [`context_window`]; [`context_window_names`] lists the models |
//! | count a chat request | [`chat::Counter`] with a [`chat::Request`]; with the feature `json`, [`chat::count_json`] |
//! | bound the memory of threads, or free it | [`set_cache_bytes`], [`release_thread_cache`] |
//! | handle a failure | [`Error`], the only error type |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `r50k_base`, `p50k_base`, `cl100k_base`, `o200k_base` | yes | the vocabularies: `r50k_base` is gpt2's too, `p50k_base` p50k_edit's, `o200k_base` o200k_harmony's |
//! | `custom` | yes | custom encodings |
//! | `graphemes` | no | limits that keep grapheme clusters whole, such as emoji and letters with accents |
//! | `tokenizer-json` | no | custom encodings from `tokenizer.json`, `tekken.json` and `tokenizer_config.json` |
//! | `json` | no | chat requests as raw bodies, tools and their calls, sizes of inline images |
//! | `rayon` | no | batches, and one huge text, on all cores of the current pool |
//! | `prebuilt` | no | finished tables in the program, 3 to 11 MB per vocabulary; otherwise they are made when needed, in some milliseconds |
//! | `cli` | no | the command; turns on `graphemes`, `json`, `prebuilt`, `rayon` and `tokenizer-json` |
//!
//! An encoding whose feature is off is a typed error. No feature changes a result.
//!
//! # Further reading
//!
//! - [`guide::engine`]: how the engine works, why its ids are those of plain merging, and a glossary.
//! - [`guide::exactness`]: the promises, the tests for them, and the intended differences from tiktoken.
//! - [`guide::migrating`]: tables of calls for users of tiktoken in Python, tiktoken-rs or bpe-openai.
//! - [`guide::models`]: encodings of models that are not OpenAI's, from the files that come with them.
//! - [`guide::comparison`]: speed, chat accuracy and features beside other tokenizers.
//! - [`chat`]: the rules of chat requests, dated and with their evidence.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// without a vocabulary, the table of built-in encodings is empty
#![cfg_attr(
    not(any(
        feature = "r50k_base",
        feature = "p50k_base",
        feature = "cl100k_base",
        feature = "o200k_base"
    )),
    allow(unused_imports, unused_macros)
)]
// without custom encodings, nothing checks vocabularies or makes irregular ones; without a vocabulary, nothing makes
// built-in ones
#![cfg_attr(
    not(all(
        feature = "custom",
        any(
            feature = "r50k_base",
            feature = "p50k_base",
            feature = "cl100k_base",
            feature = "o200k_base"
        )
    )),
    allow(dead_code)
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
#[cfg(feature = "tokenizer-json")]
mod foreign;
pub mod guide;
mod merge;
#[doc(hidden)]
pub mod reference;
mod repetition;
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
pub use engine::memory::{release_thread_cache, set_cache_bytes};
pub use error::Error;
pub use special::{Special, SpecialSet};
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
