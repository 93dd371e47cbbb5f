//! `--special`: special tokens in a text, also in one that arrives in blocks.

use std::path::Path;

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};
use clap::ValueEnum;
use tiktally::{Encoding, Special, TokenId};

use crate::input::InputError;

/// The option `--special`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct SpecialArgs {
    /// Treat special tokens in the text, such as <|endoftext|>, as plain text or as tokens, or reject them
    #[arg(long, value_enum, value_name = "AS", default_value_t = AsWhat::Text)]
    special: AsWhat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AsWhat {
    Text,
    Token,
    Reject,
}

/// The reason why a text is not encoded.
#[derive(Debug)]
pub(crate) enum Rejected {
    /// The first special token of a text that must not have any.
    Special {
        token: String,
        /// Where it begins in the text, in bytes.
        at: u64,
    },
    /// Another error of the library.
    Other(String),
}

impl Rejected {
    /// Returns the reason that an error of the library gives.
    fn of(error: &tiktally::Error) -> Self {
        match error.special_token() {
            Some(token) => Self::Special {
                token: token.to_owned(),
                at: error.position().unwrap_or_default() as u64,
            },
            None => Self::Other(error.to_string()),
        }
    }

    /// Returns the error of the input at `path`.
    pub(crate) fn in_input(self, path: &Path) -> InputError {
        let problem = match self {
            Self::Special { token, at } => format!(
                "the special token {token:?} at byte {at} of the text, counted from 0, is rejected; --special text takes it as plain text, and --special token as a token"
            ),
            Self::Other(problem) => problem,
        };
        InputError::new(path, problem)
    }
}

impl SpecialArgs {
    /// Returns the choice for calls of the library.
    fn choice(self) -> Special<'static> {
        match self.special {
            AsWhat::Text => Special::AS_TEXT,
            AsWhat::Token => Special::ALLOW_ALL,
            AsWhat::Reject => Special::REJECT,
        }
    }

    /// Encodes a whole text.
    pub(crate) fn encode(self, text: &str, encoding: &Encoding) -> Result<Vec<TokenId>, Rejected> {
        let ids = encoding.encode(text, self.choice());
        ids.map_err(|error| Rejected::of(&error))
    }

    /// Counts the tokens of a whole text.
    pub(crate) fn count(self, text: &str, encoding: &Encoding) -> Result<usize, Rejected> {
        let count = encoding.count_with(text, self.choice());
        count.map_err(|error| Rejected::of(&error))
    }

    /// Creates a finder for a text that arrives in blocks.
    pub(crate) fn finder(self, encoding: &Encoding) -> Finder {
        let tokens = match self.special {
            AsWhat::Text => None,
            _ => Tokens::of(encoding),
        };
        Finder {
            rejects: self.special == AsWhat::Reject,
            tokens,
            held: String::new(),
            done: 0,
        }
    }
}

/// A part of a text: text between special tokens, which may come in several parts, or one of the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    Text(&'t str),
    Special(TokenId),
}

/// Finds special tokens in a text that arrives in blocks.
pub(crate) struct Finder {
    rejects: bool,
    /// `None` if special tokens are plain text, or the encoding has none.
    tokens: Option<Tokens>,
    /// The end of the text so far, if more text can make a special token of it.
    held: String,
    /// The bytes of text before `held`.
    done: u64,
}

/// The special tokens of an encoding.
struct Tokens {
    texts: Vec<(String, TokenId)>,
    /// Finds the first of them, and of several at one place the longest.
    searcher: AhoCorasick,
    /// The length of the longest, in bytes.
    longest: usize,
}

impl Tokens {
    /// Returns `None` for an encoding without special tokens.
    fn of(encoding: &Encoding) -> Option<Self> {
        // no text contains the empty token of a rank file such as Whisper's
        let tokens = encoding
            .special_tokens()
            .filter(|(text, _)| !text.is_empty());
        let texts: Vec<(String, TokenId)> =
            tokens.map(|(text, id)| (text.to_owned(), id)).collect();
        let longest = texts.iter().map(|(text, _)| text.len()).max()?;
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Unanchored)
            .build(texts.iter().map(|(text, _)| text))
            .expect("special tokens are few and short");
        Some(Self {
            texts,
            searcher,
            longest,
        })
    }

    /// Returns the first place at or after `from` where the text ends inside a special token.
    fn unfinished(&self, text: &str, from: usize) -> Option<usize> {
        let near_end = text.len().saturating_sub(self.longest - 1);
        let is_beginning = |at: &usize| {
            let rest = &text[*at..];
            let mut texts = self.texts.iter();
            texts.any(|(token, _)| rest.len() < token.len() && token.starts_with(rest))
        };
        (from.max(near_end)..text.len())
            .filter(|at| text.is_char_boundary(*at))
            .find(is_beginning)
    }

    /// Returns the first special token at or after `from`: where it begins and ends, and its index.
    fn find(&self, text: &str, from: usize) -> Option<(usize, usize, usize)> {
        let rest = Input::new(text).range(from..).anchored(Anchored::No);
        let found = self.searcher.find(rest)?;
        Some((found.start(), found.end(), found.pattern().as_usize()))
    }
}

impl Finder {
    /// Adds a block of text, and passes on its parts. Holds back an end that may become a special token.
    pub(crate) fn push(
        &mut self,
        block: &str,
        mut take: impl FnMut(Part<'_>),
    ) -> Result<(), Rejected> {
        if self.tokens.is_none() {
            take(Part::Text(block));
            return Ok(());
        }
        if self.held.is_empty() {
            let kept = self.pass_on(block, false, take)?;
            self.held.push_str(&block[kept..]);
            return Ok(());
        }
        let mut text = std::mem::take(&mut self.held);
        text.push_str(block);
        let kept = self.pass_on(&text, false, &mut take)?;
        self.held = text.split_off(kept);
        Ok(())
    }

    /// Ends the text, and passes on the rest.
    pub(crate) fn finish(mut self, take: impl FnMut(Part<'_>)) -> Result<(), Rejected> {
        let held = std::mem::take(&mut self.held);
        self.pass_on(&held, true, take).map(|_| ())
    }

    /// Passes on the parts of a text. Returns where the rest begins that later text can change.
    fn pass_on(
        &mut self,
        text: &str,
        is_end: bool,
        mut take: impl FnMut(Part<'_>),
    ) -> Result<usize, Rejected> {
        let Some(tokens) = &self.tokens else {
            return Ok(text.len());
        };
        let kept_from = |from| {
            let unfinished = tokens.unfinished(text, from).filter(|_| !is_end);
            unfinished.unwrap_or(text.len())
        };
        let (mut at, mut kept) = (0, kept_from(0));
        while let Some((begin, end, index)) = tokens.find(text, at)
            && begin < kept
        {
            let (token, id) = &tokens.texts[index];
            if self.rejects {
                return Err(Rejected::Special {
                    token: token.clone(),
                    at: self.done + begin as u64,
                });
            }
            if at < begin {
                take(Part::Text(&text[at..begin]));
            }
            take(Part::Special(*id));
            at = end;
            // a token may end after the place where another could begin
            if end > kept {
                kept = kept_from(end);
            }
        }
        if at < kept {
            take(Part::Text(&text[at..kept]));
        }
        self.done += kept as u64;
        Ok(kept)
    }
}

#[cfg(all(test, feature = "cl100k_base", feature = "custom"))]
mod tests {
    use super::*;

    /// Tokens that begin and end alike, one of which is the beginning of another.
    fn tokens() -> Tokens {
        let encoding = tiktally::cl100k_base()
            .extend("overlaps")
            .special_token("<|a|>", 200_000)
            .special_token("<|a|><|b|>", 200_001)
            .special_token("|><|c", 200_002)
            .special_token("é<", 200_003)
            .build()
            .unwrap();
        Tokens::of(&encoding).unwrap()
    }

    fn parts(text: &str, block: usize) -> Vec<String> {
        let mut finder = Finder {
            rejects: false,
            tokens: Some(tokens()),
            held: String::new(),
            done: 0,
        };
        let mut parts = vec![String::new()];
        let mut take = |part: Part<'_>| match part {
            Part::Text(text) => parts.last_mut().unwrap().push_str(text),
            Part::Special(id) => parts.extend([format!("#{id}"), String::new()]),
        };
        let mut rest = text;
        while !rest.is_empty() {
            let end = (block..rest.len()).find(|end| rest.is_char_boundary(*end));
            let (block, after) = rest.split_at(end.unwrap_or(rest.len()));
            finder.push(block, &mut take).unwrap();
            rest = after;
        }
        finder.finish(&mut take).unwrap();
        parts
    }

    /// Blocks of any size give the same parts, which are those of the whole text.
    #[test]
    fn blocks_end_anywhere() {
        let cases = [
            ("<|a|><|b|>", "#200001"),
            ("<|a|><|c", "#200000<|c"),
            ("x|><|c|>", "x#200002|>"),
            ("<|a|><|", "#200000<|"),
            ("é<|a|>é", "#200003|a|>é"),
            ("<|endoftext|><|endoftex", "#100257<|endoftex"),
        ];
        for (text, expected) in cases {
            for block in 1..=text.len() {
                assert_eq!(parts(text, block).concat(), expected, "{block}");
            }
        }
    }
}
