//! An encoder that owns its scratch memory and its cache.

use std::fmt;

use super::Encoding;
use crate::engine::Engine;
use crate::engine::first::append_first;
use crate::engine::sink::Count;
use crate::merge::cache::Limit;
use crate::token_id::TokenId;

/// An encoding that owns its scratch memory and cache, instead of using those in thread-local storage.
///
/// Results are the same as those of [`Encoding`], whose calls use memory that each thread keeps. That is about 100 kB
/// of scratch memory, and a cache for all encodings together: see [`set_cache_bytes`](crate::set_cache_bytes).
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
    engine: Box<Engine>,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

impl Encoding {
    /// Creates an [`Encoder`], which owns its scratch memory and its cache.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().encoder().count("hello world"), 2);
    /// ```
    pub fn encoder(&self) -> Encoder {
        Encoder {
            encoding: self.clone(),
            engine: Engine::new(Limit::Process),
        }
    }
}

impl Encoder {
    /// Sets the limit of the cache of merged pieces, in bytes, and empties it. Without this call, the limit is that of
    /// [`set_cache_bytes`](crate::set_cache_bytes).
    ///
    /// The cache begins with up to 2 MiB. It doubles only while most of the pieces that it takes had been overwritten
    /// before. It stays within the largest power of two up to `bytes`, and within 16 MiB. Less than 16 KiB switches it
    /// off.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().encoder().with_cache_bytes(1 << 16).count("hello world"), 2);
    /// ```
    #[must_use]
    pub fn with_cache_bytes(mut self, bytes: usize) -> Self {
        self.engine = Engine::new(Limit::Bytes(bytes));
        self
    }

    /// Appends the ids of a text to `ids`, as [`Encoding::encode_ordinary_into`] does.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut ids = vec![1];
    /// tiktally::cl100k_base().encoder().encode_ordinary_into("hello", &mut ids);
    /// assert_eq!(ids, [1, 15339]);
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`Encoding::encode_ordinary`].
    ///
    /// # Complexity
    /// As [`Encoding::encode_ordinary`].
    pub fn encode_ordinary_into(&mut self, text: &str, ids: &mut Vec<TokenId>) {
        let (splitter, vocab) = (self.encoding.splitter(), self.encoding.vocab());
        if !append_first(text, splitter, vocab, ids) {
            self.engine.append(text, splitter, vocab, ids);
        }
    }

    /// Counts the tokens of a text, as [`Encoding::count`] does.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().encoder().count("tiktoken is great!"), 6);
    /// ```
    ///
    /// # Panics
    /// As [`Encoding::encode_ordinary`].
    ///
    /// # Complexity
    /// As [`Encoding::count`].
    pub fn count(&mut self, text: &str) -> usize {
        let (splitter, vocab) = (self.encoding.splitter(), self.encoding.vocab());
        let mut ids = Vec::new();
        if append_first(text, splitter, vocab, &mut ids) {
            return ids.len();
        }
        let mut sink = Count::new(usize::MAX);
        self.engine.encode(text, splitter, vocab, &mut sink);
        sink.tokens
    }
}
