//! An encoder that owns its scratch memory and its cache.

use std::fmt;

use super::Encoding;
use crate::engine::Engine;
use crate::engine::first::append_first;
use crate::engine::sink::Count;
use crate::error::Error;
use crate::merge::cache::Limit;
use crate::special::Special;
use crate::token_id::TokenId;

/// An encoding that owns its scratch memory and cache, instead of using those in thread-local storage.
///
/// Results are the same as those of [`Encoding`], whose calls use memory that each thread keeps. That is 0.2 to 0.6 MB
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
        append(&self.encoding, &mut self.engine, text, ids);
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
        count(&self.encoding, &mut self.engine, text)
    }

    /// Encodes a text and returns its ids, as [`Encoding::encode`] does.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let mut encoder = cl100k_base().encoder();
    /// assert_eq!(encoder.encode("hello <|endoftext|>", Special::ALLOW_ALL)?, [15339, 220, 100257]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Encoding::encode`].
    ///
    /// # Complexity
    /// As [`Encoding::encode`].
    pub fn encode(&mut self, text: &str, special: Special<'_>) -> Result<Vec<TokenId>, Error> {
        let mut ids = Vec::new();
        self.encode_into(text, special, &mut ids)?;
        Ok(ids)
    }

    /// Appends the ids of a text to `ids`, as [`Encoding::encode_into`] does: all of them, or nothing if there is an error.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let mut ids = vec![1];
    /// assert!(cl100k_base().encoder().encode_into("<|endoftext|>", Special::REJECT, &mut ids).is_err());
    /// cl100k_base().encoder().encode_into("<|endoftext|>", Special::ALLOW_ALL, &mut ids)?;
    /// assert_eq!(ids, [1, 100257]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Encoding::encode`].
    ///
    /// # Complexity
    /// As [`Encoding::encode`].
    pub fn encode_into(
        &mut self,
        text: &str,
        special: Special<'_>,
        ids: &mut Vec<TokenId>,
    ) -> Result<(), Error> {
        let (encoding, engine) = (&self.encoding, &mut self.engine);
        encoding.encode_stretches(text, special, ids, |text, ids| {
            append(encoding, engine, text, ids);
        })
    }

    /// Counts the ids that [`encode`](Self::encode) returns, as [`Encoding::count_with`] does.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// assert_eq!(cl100k_base().encoder().count_with("hello <|endoftext|>", Special::ALLOW_ALL)?, 3);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Encoding::encode`].
    ///
    /// # Complexity
    /// As [`Encoding::encode`].
    pub fn count_with(&mut self, text: &str, special: Special<'_>) -> Result<usize, Error> {
        let (encoding, engine) = (&self.encoding, &mut self.engine);
        encoding.count_stretches(text, special, |text| count(encoding, engine, text))
    }

    /// Creates an encoder that works with this engine.
    pub(super) fn with_engine(encoding: &Encoding, engine: Box<Engine>) -> Self {
        let encoding = encoding.clone();
        Self { encoding, engine }
    }

    /// Returns the engine.
    pub(super) fn into_engine(self) -> Box<Engine> {
        self.engine
    }
}

/// Appends the ids of a text.
fn append(encoding: &Encoding, engine: &mut Engine, text: &str, ids: &mut Vec<TokenId>) {
    let (splitter, vocab) = (encoding.splitter(), encoding.vocab());
    if !append_first(text, splitter, vocab, ids) {
        engine.append(text, splitter, vocab, ids);
    }
}

/// Counts the tokens of a text.
fn count(encoding: &Encoding, engine: &mut Engine, text: &str) -> usize {
    let (splitter, vocab) = (encoding.splitter(), encoding.vocab());
    let mut ids = Vec::new();
    if append_first(text, splitter, vocab, &mut ids) {
        return ids.len();
    }
    let mut sink = Count::new(usize::MAX);
    engine.encode(text, splitter, vocab, &mut sink);
    sink.tokens
}
