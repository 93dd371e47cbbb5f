//! Finds special tokens in a text, and cuts the text at them.

use std::borrow::Cow;

use super::{Allowed, Rejected, Special, Unknown};
use crate::error::{Error, ErrorKind};
use crate::token_id::TokenId;

/// The special tokens of an encoding, and the searcher for them.
#[derive(Debug, Default)]
pub(crate) struct SpecialTokens {
    /// Sorted by text.
    tokens: Vec<(String, TokenId)>,
    /// One entry for each id, sorted by id: the index in `tokens` of the text that it decodes to.
    decoded: Vec<(TokenId, usize)>,
    /// The first bytes of all special tokens, sorted: other bytes of a text need no search.
    first_bytes: Vec<u8>,
}

impl SpecialTokens {
    /// Creates the set of the declared tokens. An id that two texts share decodes to the text that was declared first.
    pub(crate) fn new(declared: impl IntoIterator<Item = (String, TokenId)>) -> Self {
        let declared: Vec<(String, TokenId)> = declared.into_iter().collect();
        let mut tokens = declared.clone();
        tokens.sort_unstable();
        tokens.dedup();
        let mut decoded: Vec<(TokenId, usize)> = declared
            .iter()
            .filter_map(|token| Some((token.1, tokens.binary_search(token).ok()?)))
            .collect();
        decoded.sort_by_key(|&(id, _)| id);
        decoded.dedup_by_key(|&mut (id, _)| id);
        let mut first_bytes: Vec<u8> = tokens
            .iter()
            .filter_map(|(text, _)| text.bytes().next())
            .collect();
        first_bytes.dedup();
        Self {
            tokens,
            decoded,
            first_bytes,
        }
    }

    /// Returns the id of the special token with this text.
    pub(crate) fn id(&self, text: &[u8]) -> Option<TokenId> {
        let index = self
            .tokens
            .binary_search_by(|(known, _)| known.as_bytes().cmp(text))
            .ok()?;
        self.tokens.get(index).map(|&(_, id)| id)
    }

    /// Returns the text of the special token with this id.
    pub(crate) fn text(&self, id: TokenId) -> Option<&str> {
        let index = self.decoded.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        self.tokens
            .get(self.decoded.get(index)?.1)
            .map(|(text, _)| text.as_str())
    }

    /// Returns all special tokens, sorted by id, then by text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, TokenId)> {
        let mut tokens: Vec<(&str, TokenId)> = self
            .tokens
            .iter()
            .map(|(text, id)| (text.as_str(), *id))
            .collect();
        tokens.sort_by_key(|&(_, id)| id);
        tokens.into_iter()
    }

    /// Returns the largest id.
    pub(crate) fn max_id(&self) -> Option<TokenId> {
        self.decoded.last().map(|&(id, _)| id)
    }

    /// Finds the first special token at or after `from` whose index `wanted` accepts, the longest one at that place.
    /// Returns its position and index.
    fn find(
        &self,
        text: &[u8],
        from: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Option<(usize, usize)> {
        let mut at = from;
        loop {
            at += self.next_candidate(text.get(at..)?)?;
            if let Some(index) = self.longest_at(text.get(at..)?, &wanted) {
                return Some((at, index));
            }
            at += 1;
        }
    }

    /// Returns the position of the next byte that begins a special token.
    fn next_candidate(&self, text: &[u8]) -> Option<usize> {
        match *self.first_bytes {
            [] => None,
            [only] => memchr::memchr(only, text),
            _ => text
                .iter()
                .position(|byte| self.first_bytes.binary_search(byte).is_ok()),
        }
    }

    /// Returns the index of the longest accepted token that `text` begins with. The range of tokens that agree with the
    /// text shrinks byte by byte.
    fn longest_at(&self, text: &[u8], wanted: &impl Fn(usize) -> bool) -> Option<usize> {
        let (mut first, mut candidates) = (0, self.tokens.as_slice());
        let mut longest = None;
        for (depth, byte) in text.iter().enumerate() {
            let byte_of = |token: &(String, TokenId)| token.0.as_bytes().get(depth).copied();
            let skipped = candidates.partition_point(|token| byte_of(token) < Some(*byte));
            let after = candidates.partition_point(|token| byte_of(token) <= Some(*byte));
            first += skipped;
            candidates = candidates.get(skipped..after).unwrap_or_default();
            match candidates.first() {
                None => break,
                Some((token, _)) if token.len() == depth + 1 && wanted(first) => {
                    longest = Some(first);
                }
                Some(_) => {}
            }
        }
        longest
    }

    /// Checks the whole text for strings that `special` rejects, and returns its stretches.
    pub(crate) fn stretches<'t>(
        &'t self,
        text: &'t str,
        special: Special<'t>,
        encoding: &str,
    ) -> Result<Stretches<'t>, Error> {
        let allowed = self.allowed(special, encoding)?;
        let rejected = self.rejected(special, encoding)?;
        match self.find_rejected(text, &allowed, &rejected) {
            Some((position, token)) => Err(ErrorKind::DisallowedSpecial {
                token: token.to_owned(),
                position,
            }
            .into()),
            None => Ok(Stretches {
                tokens: self,
                text,
                at: 0,
                next: None,
                allowed,
            }),
        }
    }

    /// Returns the tokens that `special` allows.
    pub(super) fn allowed<'s>(
        &self,
        special: Special<'s>,
        encoding: &str,
    ) -> Result<Cow<'s, Wanted>, Error> {
        Ok(match special.allowed {
            Allowed::None => Cow::Owned(Wanted::None),
            Allowed::All => Cow::Owned(Wanted::All),
            Allowed::These { texts, unknown } => {
                Cow::Owned(Wanted::These(self.indices(texts, unknown, encoding)?))
            }
            Allowed::Set(set) => Cow::Borrowed(set.allowed(self, encoding)?),
        })
    }

    /// Returns the tokens and strings that `special` rejects.
    pub(super) fn rejected<'s>(
        &self,
        special: Special<'s>,
        encoding: &str,
    ) -> Result<Cow<'s, Rejects>, Error> {
        Ok(match special.rejected {
            Rejected::None => Cow::Owned(Rejects::NONE),
            Rejected::Others => Cow::Owned(Rejects::NotAllowed),
            Rejected::These(texts) => Cow::Owned(self.rejects(texts)?),
            Rejected::Set(set) => Cow::Borrowed(set.rejected(self, encoding)?),
        })
    }

    /// Returns the string that is rejected and occurs first in the text, and its position; of several at one place, the
    /// longest.
    fn find_rejected<'s>(
        &'s self,
        text: &str,
        allowed: &Wanted,
        rejected: &'s Rejects,
    ) -> Option<(usize, &'s str)> {
        let bytes = text.as_bytes();
        let (token, strings) = match rejected {
            Rejects::NotAllowed => (
                self.find(bytes, 0, |index| !allowed.contains(index)),
                &[][..],
            ),
            Rejects::These { tokens, strings } => {
                (self.find_wanted(bytes, 0, tokens), strings.as_slice())
            }
        };
        let token = token.and_then(|(at, index)| Some((at, self.tokens.get(index)?.0.as_str())));
        let find = |string: &'s String| {
            Some((
                memchr::memmem::find(bytes, string.as_bytes())?,
                string.as_str(),
            ))
        };
        let found = token.into_iter().chain(strings.iter().filter_map(find));
        found.min_by_key(|&(at, string)| (at, usize::MAX - string.len()))
    }

    /// Finds the first special token at or after `from` that is wanted, without a search if none is.
    fn find_wanted(&self, text: &[u8], from: usize, wanted: &Wanted) -> Option<(usize, usize)> {
        if let Wanted::None = wanted {
            return None;
        }
        self.find(text, from, |index| wanted.contains(index))
    }

    /// Returns the sorted indices of the tokens with these texts.
    fn indices(
        &self,
        texts: &[&str],
        unknown: Unknown,
        encoding: &str,
    ) -> Result<Vec<usize>, Error> {
        let index_of = |text: &&str| match self.index(text) {
            Some(index) => Some(Ok(index)),
            None if unknown == Unknown::Ignore => None,
            None if text.is_empty() => Some(Err(ErrorKind::EmptySpecial)),
            None => Some(Err(ErrorKind::NoSuchSpecial {
                token: (*text).to_owned(),
                encoding: encoding.to_owned(),
            })),
        };
        let indices: Result<Vec<usize>, ErrorKind> = texts.iter().filter_map(index_of).collect();
        let mut indices = indices?;
        indices.sort_unstable();
        Ok(indices)
    }

    /// Returns the index of the token with this text, which no empty text has.
    fn index(&self, text: &str) -> Option<usize> {
        let known = |(known, _): &(String, TokenId)| known.as_str().cmp(text);
        let index = self.tokens.binary_search_by(known).ok();
        index.filter(|_| !text.is_empty())
    }

    /// Returns these texts as strings to reject: one search finds those that are special tokens.
    fn rejects(&self, texts: &[&str]) -> Result<Rejects, Error> {
        let (mut tokens, mut strings) = (Vec::new(), Vec::new());
        for text in texts {
            match self.index(text) {
                Some(index) => tokens.push(index),
                None if text.is_empty() => return Err(ErrorKind::EmptySpecial.into()),
                None => strings.push((*text).to_owned()),
            }
        }
        tokens.sort_unstable();
        let tokens = if tokens.is_empty() {
            Wanted::None
        } else {
            Wanted::These(tokens)
        };
        Ok(Rejects::These { tokens, strings })
    }
}

/// A set of special tokens, by their indices.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    None,
    All,
    /// Sorted.
    These(Vec<usize>),
}

impl Wanted {
    fn contains(&self, index: usize) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(indices) => indices.binary_search(&index).is_ok(),
        }
    }
}

/// The strings that are an error.
#[derive(Clone, Debug)]
pub(super) enum Rejects {
    /// All special tokens that are not allowed.
    NotAllowed,
    These {
        tokens: Wanted,
        /// Those that are not special tokens.
        strings: Vec<String>,
    },
}

impl Rejects {
    const NONE: Self = Self::These {
        tokens: Wanted::None,
        strings: Vec::new(),
    };
}

/// A part of a text that is encoded on its own: the text between two special tokens, or one of these.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stretch<'t> {
    Text(&'t str),
    Special(TokenId),
}

/// The stretches of a text in order, without empty ones. The pattern sees the end of each as the end of the text.
#[derive(Debug)]
pub(crate) struct Stretches<'t> {
    tokens: &'t SpecialTokens,
    text: &'t str,
    at: usize,
    /// The special token that follows the stretch returned last, and where it ends.
    next: Option<(TokenId, usize)>,
    allowed: Cow<'t, Wanted>,
}

impl<'t> Iterator for Stretches<'t> {
    type Item = Stretch<'t>;

    fn next(&mut self) -> Option<Stretch<'t>> {
        if let Some((id, end)) = self.next.take() {
            self.at = end;
            return Some(Stretch::Special(id));
        }
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let Some((begin, id, end)) = self.find_allowed() else {
            self.at = self.text.len();
            return Some(Stretch::Text(rest));
        };
        if begin == self.at {
            self.at = end;
            return Some(Stretch::Special(id));
        }
        self.next = Some((id, end));
        self.text.get(self.at..begin).map(Stretch::Text)
    }
}

impl Stretches<'_> {
    /// Returns the next allowed special token: where it begins, its id, where it ends.
    fn find_allowed(&self) -> Option<(usize, TokenId, usize)> {
        if let Wanted::None = *self.allowed {
            return None;
        }
        let is_allowed = |index| self.allowed.contains(index);
        let (begin, index) = self
            .tokens
            .find(self.text.as_bytes(), self.at, is_allowed)?;
        let (text, id) = self.tokens.tokens.get(index)?;
        Some((begin, *id, begin + text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> SpecialTokens {
        SpecialTokens::new(
            [
                ("<a>", 9),
                ("<a><b>", 7),
                ("a><", 8),
                ("é", 5),
                ("<|x|>", 9),
            ]
            .map(|(t, i)| (t.to_owned(), i)),
        )
    }

    fn stretches(text: &str, special: Special<'_>) -> Vec<String> {
        let tokens = tokens();
        let stretches = tokens.stretches(text, special, "test").unwrap();
        stretches
            .map(|stretch| match stretch {
                Stretch::Text(text) => text.to_owned(),
                Stretch::Special(id) => format!("#{id}"),
            })
            .collect()
    }

    #[test]
    fn leftmost_then_longest() {
        assert_eq!(stretches("x<a><b>é", Special::ALLOW_ALL), ["x", "#7", "#5"]);
        assert_eq!(stretches("<a><c>", Special::ALLOW_ALL), ["#9", "<c>"]);
        assert_eq!(stretches("", Special::ALLOW_ALL), [""; 0]);
    }

    #[test]
    fn what_is_not_allowed_hides_nothing() {
        let special = Special::allow(&["a><"]).others_as_text();
        assert_eq!(stretches("<a><b>", special), ["<", "#8", "b>"]);
    }

    #[test]
    fn two_texts_of_one_id() {
        let tokens = tokens();
        assert_eq!(tokens.text(9), Some("<a>"));
        assert_eq!(tokens.id(b"<|x|>"), Some(9));
        let all: Vec<_> = tokens.iter().collect();
        assert_eq!(
            all,
            [
                ("é", 5),
                ("<a><b>", 7),
                ("a><", 8),
                ("<a>", 9),
                ("<|x|>", 9)
            ]
        );
    }

    #[test]
    fn rejection_names_the_first() {
        let tokens = tokens();
        let error = tokens
            .stretches("zz ba", Special::reject(&["a", "ba", "b"]), "test")
            .unwrap_err();
        assert_eq!(
            (error.special_token(), error.position()),
            (Some("ba"), Some(3))
        );
        assert!(
            tokens
                .stretches("zz", Special::reject(&[""]), "test")
                .unwrap_err()
                .is_invalid_special()
        );
        assert!(
            tokens
                .stretches("zz", Special::allow(&["no"]), "test")
                .unwrap_err()
                .is_invalid_special()
        );
    }
}
