//! An encoding: the stages joined.

mod append;
#[cfg(feature = "rayon")]
mod batch;
mod begun;
#[cfg(feature = "custom")]
mod builder;
mod decode;
mod encoder;
mod engine;
mod limits;
mod parts;
mod prefixes;
mod sink;
mod stream;
mod unstable;

use std::fmt;
use std::sync::Arc;

use crate::TokenId;
use crate::error::{Error, ErrorKind};
use crate::special::{Special, SpecialTokens, Stretch};
use crate::split::{Pieces, Splitter};
use crate::vocab::Vocabulary;
pub use append::{StreamEncoder, TokenCounter};
#[cfg(feature = "custom")]
pub use builder::{Builder, write_tiktoken};
pub use encoder::Encoder;
use engine::State;
pub use limits::{ChunkSpan, Chunks, Cut, MIN_CHUNK_TOKENS, Spans};
use sink::Count;
pub use stream::{LossyStreamDecoder, StreamDecoder};

/// The text of the token that ends a document.
const END_OF_TEXT: &str = "<|endoftext|>";

/// A split pattern, a vocabulary and special tokens: everything that turns text into ids and back.
///
/// Cheap to clone, and shared by all threads. The built-in ones come from [`get_encoding`](crate::get_encoding),
/// [`encoding_for_model`](crate::encoding_for_model), or a function of their own such as
/// [`cl100k_base`](crate::cl100k_base).
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let encoding = tiktally::cl100k_base();
/// let ids = encoding.encode_ordinary("tiktoken is great!");
/// assert_eq!(ids, [83, 1609, 5963, 374, 2294, 0]);
/// assert_eq!(encoding.decode(&ids)?, "tiktoken is great!");
/// assert_eq!(encoding.count("tiktoken is great!"), 6);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Clone)]
pub struct Encoding(Arc<Inner>);

struct Inner {
    name: String,
    splitter: Splitter,
    vocab: Arc<Vocabulary>,
    special: SpecialTokens,
    max_token: TokenId,
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoding")
            .field("name", &self.name())
            .field("n_vocab", &self.n_vocab())
            .finish_non_exhaustive()
    }
}

impl Encoding {
    pub(crate) fn new(
        name: &str,
        splitter: Splitter,
        vocab: Arc<Vocabulary>,
        special: impl IntoIterator<Item = (String, TokenId)>,
    ) -> Self {
        let special = SpecialTokens::new(special);
        let max_token = vocab.max_id().max(special.max_id().unwrap_or(0));
        Self(Arc::new(Inner {
            name: name.to_owned(),
            splitter,
            vocab,
            special,
            max_token,
        }))
    }

    pub(crate) fn vocab(&self) -> &Vocabulary {
        &self.0.vocab
    }

    /// Whether only a text as a whole can be encoded: nothing is known of how one that goes on is cut or merged.
    fn is_whole(&self) -> bool {
        self.0.splitter.is_whole() || self.vocab().is_general()
    }

    /// The name, such as `cl100k_base`.
    ///
    /// ```
    /// # #[cfg(feature = "r50k_base")]
    /// assert_eq!(tiktally::gpt2().name(), "gpt2");
    /// ```
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The largest id plus one, as tiktoken's `n_vocab`: some ids below it may belong to no token.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().n_vocab(), 100_277);
    /// ```
    pub fn n_vocab(&self) -> usize {
        self.0.max_token as usize + 1
    }

    /// The largest id.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().max_token_value(), 100_276);
    /// ```
    pub fn max_token_value(&self) -> TokenId {
        self.0.max_token
    }

    /// The id of `<|endoftext|>`, if the encoding has it.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().eot_token(), Some(100_257));
    /// ```
    pub fn eot_token(&self) -> Option<TokenId> {
        self.0.special.id(END_OF_TEXT.as_bytes())
    }

    /// The special tokens, ascending by id, then by text. Two texts may share an id.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")] {
    /// let special: Vec<_> = tiktally::o200k_base().special_tokens().collect();
    /// assert_eq!(special, [("<|endoftext|>", 199_999), ("<|endofprompt|>", 200_018)]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n log n) in the special tokens.
    #[doc(alias = "special_tokens_set")]
    pub fn special_tokens(&self) -> impl Iterator<Item = (&str, TokenId)> {
        self.0.special.iter()
    }

    /// Whether the id is that of a special token.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// assert!(tiktally::cl100k_base().is_special_token(100_257));
    /// assert!(!tiktally::cl100k_base().is_special_token(83));
    /// # }
    /// ```
    pub fn is_special_token(&self, id: TokenId) -> bool {
        self.0.special.text(id).is_some()
    }

    /// The bytes of all mergeable tokens, sorted; special tokens are not among them.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let values = tiktally::cl100k_base().token_byte_values();
    /// assert_eq!(values.len(), 100_256);
    /// assert_eq!(values[0], [0]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// O(n log n) in the tokens on the first call, O(n) later.
    pub fn token_byte_values(&self) -> Vec<&[u8]> {
        let vocab = self.vocab();
        vocab
            .sorted()
            .iter()
            .filter_map(|&id| vocab.token(id))
            .collect()
    }

    /// The ids and bytes of all mergeable tokens, ascending by id; special tokens are not among them.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().tokens().next(), Some((0, &b"!"[..])));
    /// ```
    ///
    /// # Complexity
    /// O(n) in the ids for all of them.
    pub fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        self.vocab().tokens()
    }

    /// The split pattern as tiktoken writes it (its `pat_str`).
    ///
    /// ```
    /// # #[cfg(feature = "r50k_base")]
    /// assert!(tiktally::r50k_base().pattern().starts_with("'(?:[sdmt]|ll|ve|re)"));
    /// ```
    #[doc(alias = "pat_str")]
    pub fn pattern(&self) -> &str {
        self.0.splitter.pattern()
    }

    /// Builds now what is otherwise built on first use. Never needed for a right result.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// tiktally::cl100k_base().prepare();
    /// ```
    ///
    /// # Complexity
    /// O(n log n) in the bytes of the tokens the first time, O(1) later.
    pub fn prepare(&self) {
        self.vocab().prepare();
    }

    /// The ids of a text in which special strings are plain text. Never fails.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.encode_ordinary("你好"), [57668, 53901]);
    /// assert_eq!(encoding.encode_ordinary("<|endoftext|>"), [27, 91, 8862, 728, 428, 91, 29]);
    /// # }
    /// ```
    ///
    /// # Panics
    /// Only where a pattern of one's own that backtracks gives up on the text; `try_encode_ordinary` returns an error there.
    ///
    /// # Complexity
    /// Linear in the bytes of the text; O(n log n) in those of a piece that is made against the merge.
    pub fn encode_ordinary(&self, text: &str) -> Vec<TokenId> {
        let mut ids = Vec::new();
        self.encode_ordinary_into(text, &mut ids);
        ids
    }

    /// Appends the ids of a text to a buffer of the caller's: [`encode_ordinary`](Self::encode_ordinary) without a new
    /// `Vec` a call.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut ids = Vec::new();
    /// for line in ["hello", " world"] {
    ///     tiktally::cl100k_base().encode_ordinary_into(line, &mut ids);
    /// }
    /// assert_eq!(ids, [15339, 1917]);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary).
    pub fn encode_ordinary_into(&self, text: &str, ids: &mut Vec<TokenId>) {
        State::with(|state| state.append(text, &self.0.splitter, self.vocab(), ids));
    }

    /// Appends the ids of one piece.
    fn encode_piece(&self, piece: &[u8], ids: &mut Vec<TokenId>) {
        match self.vocab().id(piece) {
            Some(id) => ids.push(id),
            None => crate::merge::merge(piece, self.vocab(), ids),
        }
    }

    /// The ids of a text; `special` says what special strings in it become. Between special tokens each stretch is
    /// encoded on its own, as if it were a whole text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::Special;
    ///
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.encode("hello <|endoftext|>", Special::ALLOW_ALL)?, [15339, 220, 100257]);
    ///
    /// let error = encoding.encode("hello <|endoftext|>", Special::REJECT).unwrap_err();
    /// assert_eq!((error.special_token(), error.position()), (Some("<|endoftext|>"), Some(6)));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_disallowed_special`](Error::is_disallowed_special): the text holds a special string that `special` rejects.
    /// [`is_invalid_special`](Error::is_invalid_special): a list in `special` makes no sense for this encoding.
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary), and one or two searches for special tokens.
    pub fn encode(&self, text: &str, special: Special<'_>) -> Result<Vec<TokenId>, Error> {
        let mut ids = Vec::new();
        for stretch in self.0.special.stretches(text, special, self.name())? {
            match stretch {
                Stretch::Text(text) => {
                    #[cfg(feature = "custom")]
                    self.check_pattern(text)?;
                    self.encode_ordinary_into(text, &mut ids);
                }
                Stretch::Special(id) => ids.push(id),
            }
        }
        Ok(ids)
    }

    /// The id of the one token that has exactly these bytes: an ordinary token, or else a special one.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.encode_single_token(" world")?, 1917);
    /// assert_eq!(encoding.encode_single_token("<|endoftext|>")?, 100257);
    /// assert_eq!(encoding.encode_single_token(b"\xe4\xbd")?, 8687);
    /// assert!(encoding.encode_single_token("two words").unwrap_err().is_unknown_token_bytes());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token_bytes`](Error::is_unknown_token_bytes): no token has these bytes.
    ///
    /// # Complexity
    /// O(n) in the bytes.
    pub fn encode_single_token(&self, token: impl AsRef<[u8]>) -> Result<TokenId, Error> {
        let bytes = token.as_ref();
        self.vocab()
            .id(bytes)
            .or_else(|| self.0.special.id(bytes))
            .ok_or_else(|| {
                let shown = bytes.iter().copied().take(64).collect();
                ErrorKind::UnknownTokenBytes {
                    shown,
                    len: bytes.len(),
                    encoding: self.name().to_owned(),
                }
                .into()
            })
    }

    /// The pieces that the split pattern yields, each of which is encoded on its own. Joined they are the text.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let pieces: Vec<&str> = tiktally::cl100k_base().pieces("It's 2024 already").collect();
    /// assert_eq!(pieces, ["It", "'s", " ", "202", "4", " already"]);
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// O(n) in the bytes.
    pub fn pieces<'t>(&self, text: &'t str) -> Pieces<'t> {
        self.0.splitter.pieces(text)
    }

    /// The number of tokens of a text in which special strings are plain text: the length of
    /// [`encode_ordinary`](Self::encode_ordinary). Never fails.
    ///
    /// ```
    /// # #[cfg(feature = "o200k_base")]
    /// assert_eq!(tiktally::o200k_base().count("How many tokens is this?"), 6);
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary); `try_count` returns an error there.
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary), in memory that does not grow with the number of tokens.
    pub fn count(&self, text: &str) -> usize {
        self.count_beyond(text, usize::MAX)
    }

    /// The number of tokens of a text, or any number beyond the limit if it has more.
    fn count_beyond(&self, text: &str, limit: usize) -> usize {
        let mut sink = Count::new(limit);
        State::with(|state| state.encode(text, &self.0.splitter, self.vocab(), &mut sink));
        sink.tokens
    }

    /// The number of tokens that [`encode`](Self::encode) would give.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::Special;
    ///
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.count_with("hello <|endoftext|>", Special::ALLOW_ALL)?, 3);
    /// assert!(encoding.count_with("hello <|endoftext|>", Special::REJECT).is_err());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    ///
    /// # Complexity
    /// As [`encode`](Self::encode).
    pub fn count_with(&self, text: &str, special: Special<'_>) -> Result<usize, Error> {
        let mut count = 0;
        for stretch in self.0.special.stretches(text, special, self.name())? {
            count += match stretch {
                Stretch::Text(text) => {
                    #[cfg(feature = "custom")]
                    self.check_pattern(text)?;
                    self.count(text)
                }
                Stretch::Special(_) => 1,
            };
        }
        Ok(count)
    }

    /// The number of tokens of a text if it is at most `limit`, `None` as soon as it is over.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// assert_eq!(encoding.count_up_to("tiktoken is great!", 6), Some(6));
    /// assert_eq!(encoding.count_up_to("tiktoken is great!", 5), None);
    /// # }
    /// ```
    ///
    /// # Complexity
    /// That of counting the text up to the limit, and some 500 pieces more; a text of more bytes than `limit` of the longest
    /// tokens have is over without being looked at.
    pub fn count_up_to(&self, text: &str, limit: usize) -> Option<usize> {
        let most = limit.saturating_mul(self.vocab().max_token_len());
        if text.len() > most && !self.0.splitter.is_whole() {
            return None;
        }
        Some(self.count_beyond(text, limit)).filter(|count| *count <= limit)
    }
}
