//! The tokenizers: how each is loaded, and its calls that equal tiktoken's `encode_ordinary` and `decode_bytes`.
//!
//! They get files, not this crate's tables. Otherwise this crate would be measured with them.

#[cfg(feature = "peers")]
mod others;

use std::error::Error;
use std::path::PathBuf;

use tiktally::{Encoding, TokenId};

/// The measured calls of a tokenizer. `None`: it has no such call.
pub trait Peer: Send + Sync {
    fn encode(&self, text: &str) -> Vec<TokenId>;
    fn decode(&self, ids: &[TokenId]) -> Vec<u8>;
    fn count(&self, _text: &str) -> Option<usize> {
        None
    }
    /// Stops at the limit. Returns the number of ids, or `limit + 1` if there are more.
    fn count_up_to(&self, _text: &str, _limit: usize) -> Option<usize> {
        None
    }
}

/// The files from which a peer may load an encoding.
pub struct Source<'a> {
    pub name: &'a str,
    pub ranks: PathBuf,
    pub tokenizer_json: PathBuf,
}

/// A peer that is ready to encode, or `None` if it does not have this encoding.
type Loaded = Result<Option<Box<dyn Peer>>, Failure>;

type Failure = Box<dyn Error + Send + Sync>;

/// A tokenizer by name.
pub struct Entry {
    pub name: &'static str,
    pub load: fn(&Source) -> Loaded,
}

/// This crate.
pub const OURS: Entry = Entry {
    name: "tiktally",
    load: tiktally,
};

/// Returns all tokenizers, this crate first.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    #[cfg(feature = "peers")]
    let others = &others::PEERS;
    #[cfg(not(feature = "peers"))]
    let others = &[];
    std::iter::once(&OURS).chain(others)
}

fn ready(peer: impl Peer + 'static) -> Loaded {
    Ok(Some(Box::new(peer)))
}

fn tiktally(source: &Source) -> Loaded {
    ready(tiktally::get_encoding(source.name)?.clone())
}

impl Peer for Encoding {
    fn encode(&self, text: &str) -> Vec<TokenId> {
        self.encode_ordinary(text)
    }

    fn decode(&self, ids: &[TokenId]) -> Vec<u8> {
        self.decode_bytes(ids).unwrap()
    }

    fn count(&self, text: &str) -> Option<usize> {
        Some(Encoding::count(self, text))
    }

    fn count_up_to(&self, text: &str, limit: usize) -> Option<usize> {
        Some(Encoding::count_up_to(self, text, limit).unwrap_or(limit + 1))
    }
}
