//! An encoding: the stages joined.

// the documentation shows the calls in this order
mod encode;

mod decode;

mod limits;

mod append;
#[cfg(feature = "rayon")]
mod batch;
mod begun;
#[cfg(feature = "custom")]
mod builder;
mod encoder;
mod engine;
mod facts;
mod parts;
mod prefixes;
mod sink;
mod stream;
mod unstable;

use std::fmt;
use std::sync::Arc;

use crate::TokenId;
use crate::special::SpecialTokens;
use crate::split::Splitter;
use crate::vocab::Vocabulary;
pub use append::{StreamEncoder, TokenCounter};
#[cfg(feature = "custom")]
pub use builder::{Builder, write_tiktoken};
pub use encoder::Encoder;
pub use limits::{ChunkSpan, Chunks, Cut, MIN_CHUNK_TOKENS, Spans};
pub use stream::{LossyStreamDecoder, StreamDecoder};

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
}
