//! An encoder with memory of its own.

use std::fmt;

use super::Encoding;
use crate::engine::sink::Count;
use crate::engine::{CACHE_BYTES, Engine};
use crate::token_id::TokenId;

/// An encoding with scratch memory and a cache of its own, for those who want neither in thread-local storage.
///
/// The plain calls of [`Encoding`] do the same with a state that each thread keeps: some 100 kB of scratch, and up to
/// 2 MiB of cache for all encodings together. Results never differ.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let mut encoder = tiktally::cl100k_base().encoder().with_cache_bytes(0);
/// let mut ids = Vec::new();
/// encoder.encode_ordinary_into("hello world", &mut ids);
/// assert_eq!(ids, [15339, 1917]);
/// assert_eq!(encoder.count("hello world"), 2);
/// # }
/// ```
pub struct Encoder {
    encoding: Encoding,
    state: Box<Engine>,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

impl Encoding {
    /// An encoder with scratch memory and a cache of its own.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().encoder().count("hello world"), 2);
    /// ```
    pub fn encoder(&self) -> Encoder {
        Encoder {
            encoding: self.clone(),
            state: Engine::new(CACHE_BYTES),
        }
    }
}

impl Encoder {
    /// Bounds the cache of merged pieces, which grows up to the largest power of two within `bytes`, at most 8 MiB; less
    /// than 16 KiB switches it off. What it held is dropped.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().encoder().with_cache_bytes(1 << 16).count("hello world"), 2);
    /// ```
    #[must_use]
    pub fn with_cache_bytes(mut self, bytes: usize) -> Self {
        self.state = Engine::new(bytes);
        self
    }

    /// Appends the ids of a text: [`Encoding::encode_ordinary_into`].
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut ids = vec![1];
    /// tiktally::cl100k_base().encoder().encode_ordinary_into("hello", &mut ids);
    /// assert_eq!(ids, [1, 15339]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// As [`Encoding::encode_ordinary`].
    pub fn encode_ordinary_into(&mut self, text: &str, ids: &mut Vec<TokenId>) {
        let encoding = &self.encoding;
        self.state
            .append(text, encoding.splitter(), encoding.vocab(), ids);
    }

    /// The number of tokens of a text: [`Encoding::count`].
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().encoder().count("tiktoken is great!"), 6);
    /// ```
    ///
    /// # Complexity
    /// As [`Encoding::count`].
    pub fn count(&mut self, text: &str) -> usize {
        let mut sink = Count::new(usize::MAX);
        self.state.encode(
            text,
            self.encoding.splitter(),
            self.encoding.vocab(),
            &mut sink,
        );
        sink.tokens
    }
}
