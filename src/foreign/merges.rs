//! Reads the merges of a file, and checks that they give the ids of byte pair encoding by ranks.
//!
//! The file joins the pair of the first merge in its list, this crate the pair whose token has the lowest id. Two tokens
//! that stand side by side are merged to a token only if they are its two halves: no other pair with its bytes ever meets,
//! see [`derive`](crate::vocab::derive). So both give the same if each token's halves are in the list, and the list is in
//! the order of the ids of the tokens that it gives. More pairs in the list change nothing.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::{invalid, letters, shown, unsupported};
use crate::error::Error;
use crate::token_id::TokenId;
use crate::vocab::Regular;

/// The merges of a file, up to the first one with a fault.
///
/// Files of OpenAI's encodings list 446,000, so they are kept as bytes one after another, not as two strings each.
#[derive(Default)]
pub(super) struct Merges {
    bytes: Vec<u8>,
    /// The lengths of the two tokens of each merge.
    lengths: Vec<(u32, u32)>,
    /// What is wrong with the merge after these.
    fault: Option<String>,
}

impl Merges {
    /// Returns the two tokens of each merge, joined, and the length of the first.
    fn iter(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let mut rest = &*self.bytes;
        self.lengths.iter().map_while(move |(left, right)| {
            let (left, right) = (*left as usize, *right as usize);
            let (merge, after) = rest.split_at_checked(left + right)?;
            rest = after;
            Some((merge, left))
        })
    }

    /// Appends a token of a merge, and returns its length in bytes; `None` if it is not in letters.
    fn add_token(&mut self, text: &str) -> Option<u32> {
        let start = self.bytes.len();
        if !letters::append_bytes(text, &mut self.bytes) {
            self.fault.get_or_insert_with(|| unknown(text));
            return None;
        }
        u32::try_from(self.bytes.len() - start).ok()
    }

    /// Appends a merge if both of its tokens are there.
    fn add(&mut self, left: Option<u32>, right: Option<u32>) {
        if let (Some(left), Some(right), None) = (left, right, &self.fault) {
            self.lengths.push((left, right));
        } else {
            let problem = || "a merge is two tokens, as \"a b\" or [\"a\", \"b\"]".to_owned();
            self.fault.get_or_insert_with(problem);
        }
    }
}

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Merges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of merges")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Merges, A::Error> {
                let mut merges = Merges::default();
                while merges.fault.is_none() && seq.next_element_seed(One(&mut merges))?.is_some() {
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(merges)
            }
        }

        deserializer.deserialize_seq(All)
    }
}

/// Reads one merge.
struct One<'m>(&'m mut Merges);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a merge: \"a b\" or [\"a\", \"b\"]")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let pair = text.split_once(' ');
        let pair = pair.filter(|(_, right)| !right.contains(' '));
        let left = pair.and_then(|(left, _)| self.0.add_token(left));
        let right = pair.and_then(|(_, right)| self.0.add_token(right));
        self.0.add(left, right);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let left = seq.next_element_seed(Token(self.0))?.flatten();
        let right = seq.next_element_seed(Token(self.0))?.flatten();
        let mut is_pair = true;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            is_pair = false;
        }
        self.0.add(left, right.filter(|_| is_pair));
        Ok(())
    }
}

/// Reads one token of a merge.
struct Token<'m>(&'m mut Merges);

impl<'de> DeserializeSeed<'de> for Token<'_> {
    type Value = Option<u32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u32>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Token<'_> {
    type Value = Option<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token as a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<u32>, E> {
        Ok(self.0.add_token(text))
    }
}

/// Fails if the merges do not give the ids of the vocabulary.
pub(super) fn check(vocab: &Regular, merges: &Merges, ignores_merges: bool) -> Result<(), Error> {
    let mut found = Found {
        vocab,
        halves: vec![false; vocab.max_id() as usize + 1],
        last: 0,
    };
    for (i, (merge, left)) in merges.iter().enumerate() {
        found
            .add(merge, left)
            .map_err(|fault| fault.at(format!("model.merges[{i}]")))?;
    }
    if let Some(fault) = &merges.fault {
        let place = format!("model.merges[{}]", merges.lengths.len());
        return Err(invalid(place, fault));
    }
    found.check_all(ignores_merges)
}

/// What is wrong with a merge.
enum Fault {
    Invalid(String),
    Unsupported(String),
}

impl Fault {
    fn at(self, place: String) -> Error {
        match self {
            Self::Invalid(problem) => invalid(place, problem),
            Self::Unsupported(problem) => unsupported(place, problem),
        }
    }
}

/// The tokens whose halves are among the merges so far.
struct Found<'v> {
    vocab: &'v Regular,
    /// By id, whether the merge of its halves was found.
    halves: Vec<bool>,
    /// The token that the last merge gives.
    last: TokenId,
}

impl Found<'_> {
    /// Adds a merge whose first token has `left` bytes. Fails if one of its tokens is unknown or it is out of order.
    fn add(&mut self, merge: &[u8], left: usize) -> Result<(), Fault> {
        let known = self.id(merge);
        let halves = known.and_then(|whole| self.vocab.halves(whole));
        // two halves of the same bytes are the same tokens, which need no look-ups
        let is_halves = halves.is_some_and(|(one, _)| self.vocab.len(one) == left);
        if !is_halves {
            let (one, two) = merge.split_at_checked(left).unwrap_or_default();
            let mut parts = [one, two].into_iter();
            if let Some(part) = parts.find(|part| self.vocab.id(part).is_none()) {
                return Err(Fault::Invalid(unknown(&part.escape_ascii().to_string())));
            }
        }
        let whole =
            known.ok_or_else(|| Fault::Invalid(unknown(&merge.escape_ascii().to_string())))?;
        if whole < self.last {
            let last = self.last;
            return Err(Fault::Unsupported(format!(
                "it gives the token {whole} after one that gives {last}; the merges must be in the order of the ids"
            )));
        }
        self.last = whole;
        if let Some(found) = self.halves.get_mut(whole as usize) {
            *found |= is_halves;
        }
        Ok(())
    }

    /// Returns the id of a token that a merge gives. Mostly this is the last one again, or the next.
    fn id(&self, token: &[u8]) -> Option<TokenId> {
        let is_it = |id: &TokenId| self.vocab.token(*id) == Some(token);
        let near = [self.last, self.last + 1];
        near.into_iter()
            .find(is_it)
            .or_else(|| self.vocab.id(token))
    }

    /// Fails if no merge gives a token from its halves.
    fn check_all(&self, ignores_merges: bool) -> Result<(), Error> {
        let vocab = self.vocab;
        let has_halves = |id: TokenId| self.halves.get(id as usize) == Some(&true);
        let is_missing = |(id, token): &(TokenId, &[u8])| token.len() > 1 && !has_halves(*id);
        let mut missing = vocab.tokens().filter(is_missing);
        // tokens that no merge gives are found as whole pieces only, as with `ignore_merges`
        let is_fault = |id: TokenId| !ignores_merges || vocab.halves(id).is_some();
        let Some((id, _)) = missing.find(|(id, _)| is_fault(*id)) else {
            return Ok(());
        };
        let name =
            |id: TokenId| format!("\"{}\"", vocab.token(id).unwrap_or_default().escape_ascii());
        let problem = match vocab.halves(id) {
            Some((left, right)) => format!(
                "no merge of {} and {} gives the token {} with the id {id}, but its bytes merge to these two",
                name(left),
                name(right),
                name(id)
            ),
            None => format!(
                "no merges give the token {} with the id {id}, and `ignore_merges` is not set",
                name(id)
            ),
        };
        Err(unsupported("model.merges", problem))
    }
}

/// Returns the problem with a token that a merge names.
fn unknown(token: &str) -> String {
    format!("there is no token {} in the vocabulary", shown(token))
}
