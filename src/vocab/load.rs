//! Rank files to vocabularies, and back.
//!
//! A file has a line for each token: its bytes in base64, white space, its rank. Everything in it is checked before any of
//! it is used.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::io::{self, BufRead, BufReader, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::general::General;
use super::tables::{self, Made};
use super::{Vocabulary, derive};
use crate::TokenId;
use crate::error::{Error, ErrorKind};

/// What a rank file may have at most, unless a limit is set: twenty times as much as the largest of the built-in ones.
pub(crate) const MAX_FILE: u64 = 64 << 20;

/// Tokens and ranks in the order in which they came, with the lines where they stood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranks {
    tokens: Vec<(Box<[u8]>, TokenId)>,
    lines: Vec<u32>,
}

fn invalid(line: Option<usize>, problem: impl Into<String>) -> Error {
    let problem = problem.into();
    ErrorKind::InvalidRanks { line, problem }.into()
}

impl Ranks {
    pub(crate) fn push(&mut self, token: &[u8], rank: TokenId) {
        self.tokens.push((token.into(), rank));
    }

    /// Reads a rank file of at most `max_bytes`; what its SHA-256 is.
    pub(crate) fn read(reader: impl Read, max_bytes: u64) -> Result<(Self, [u8; 32]), Error> {
        // a byte more than is allowed tells that there are too many
        let mut reader =
            BufReader::with_capacity(1 << 16, reader.take(max_bytes.saturating_add(1)));
        let (mut ranks, mut hash) = (Self::default(), Sha256::new());
        let (mut line, mut token) = (Vec::new(), Vec::new());
        let mut read = 0;
        for number in 1.. {
            line.clear();
            let len = reader.read_until(b'\n', &mut line);
            let len = len.map_err(|error| ErrorKind::io("reading the ranks", error))?;
            read += len as u64;
            if read > max_bytes {
                let problem = format!(
                    "there are more than the {max_bytes} bytes that are allowed; `max_rank_bytes` sets another limit"
                );
                return Err(invalid(Some(number), problem));
            }
            if len == 0 {
                break;
            }
            hash.update(&line);
            if let Some(rank) =
                parse(&line, &mut token).map_err(|problem| invalid(Some(number), problem))?
            {
                ranks.push(&token, rank);
                ranks.lines.push(number as u32);
            }
        }
        Ok((ranks, hash.finalize().into()))
    }

    /// The vocabulary of these tokens, if they are one.
    pub(crate) fn vocabulary(self) -> Result<Vocabulary, Error> {
        self.check()?;
        let mut tokens: Vec<(TokenId, Box<[u8]>)> = self
            .tokens
            .into_iter()
            .map(|(token, rank)| (rank, token))
            .collect();
        tokens.sort_unstable();
        Ok(match regular(&tokens) {
            Some(parts) => Vocabulary::new(parts.into()),
            None => Vocabulary::general(General::new(tokens)),
        })
    }

    /// Each token and each rank once, and a token for each byte.
    fn check(&self) -> Result<(), Error> {
        let line = |i: usize| self.lines.get(i).map(|line| *line as usize);
        let mut tokens: HashMap<&[u8], usize> = HashMap::with_capacity(self.tokens.len());
        let mut ranks: HashMap<TokenId, usize> = HashMap::with_capacity(self.tokens.len());
        let mut bytes = [false; 256];
        let before = |i: usize| match line(i) {
            Some(line) => format!("line {line}"),
            None => format!("number {} of the tokens", i + 1),
        };
        for (i, (token, rank)) in self.tokens.iter().enumerate() {
            let shown = Shown(token);
            match tokens.entry(token) {
                Entry::Occupied(first) => {
                    let first = before(*first.get());
                    return Err(invalid(
                        line(i),
                        format!("the token {shown} stands in {first} already"),
                    ));
                }
                Entry::Vacant(place) => place.insert(i),
            };
            match ranks.entry(*rank) {
                Entry::Occupied(first) => {
                    let first = before(*first.get());
                    return Err(invalid(
                        line(i),
                        format!("{first} has the rank {rank} already"),
                    ));
                }
                Entry::Vacant(place) => place.insert(i),
            };
            match **token {
                [] => return Err(invalid(line(i), "the token is empty")),
                [byte] => bytes[usize::from(byte)] = true,
                _ => {}
            }
        }
        match bytes.iter().position(|is_there| !is_there) {
            None => Ok(()),
            Some(_) if self.tokens.is_empty() => Err(invalid(None, "there are none")),
            Some(byte) => Err(invalid(
                None,
                format!(
                    "the byte 0x{byte:02X} is no token, so that not every text could be encoded"
                ),
            )),
        }
    }
}

/// The first bytes of a token, for messages.
struct Shown<'a>(&'a [u8]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MOST: usize = 40;
        let some = self.0.get(..MOST).unwrap_or(self.0);
        let rest = if some.len() < self.0.len() { "…" } else { "" };
        write!(f, "\"{}{rest}\"", some.escape_ascii())
    }
}

/// A line: the rank, and the token, which replaces what is in `token`; `None` for a blank line, as with tiktoken.
fn parse(line: &[u8], token: &mut Vec<u8>) -> Result<Option<TokenId>, String> {
    let mut fields = line
        .split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty());
    let Some(base64) = fields.next() else {
        return Ok(None);
    };
    let rank = fields.next().ok_or_else(|| {
        format!(
            "it has one field, {}; a token in base64 and its rank are wanted",
            Shown(base64)
        )
    })?;
    if let Some(more) = fields.next() {
        return Err(format!("it goes on with {} behind the rank", Shown(more)));
    }
    token.clear();
    STANDARD
        .decode_vec(base64, token)
        .map_err(|error| format!("{} is no base64: {error}", Shown(base64)))?;
    parse_rank(rank).map(Some)
}

fn parse_rank(rank: &[u8]) -> Result<TokenId, String> {
    let shown = Shown(rank);
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if let [b'-', digits @ ..] = rank
        && is_number(digits)
    {
        return Err(format!("the rank {shown} is negative"));
    }
    if !is_number(rank) {
        return Err(format!("the rank {shown} is no number"));
    }
    let text = std::str::from_utf8(rank).unwrap_or_default();
    text.parse()
        .map_err(|_| format!("the rank {shown} is more than {}", TokenId::MAX))
}

/// What each token is made of by id, if the tables can have them all: each is what merging its own bytes gives, by tokens of
/// lower ranks, and not too long; there are not too many, nor much more ids than tokens, nor too many in one place.
fn regular(tokens: &[(TokenId, Box<[u8]>)]) -> Option<Vec<[u8; 6]>> {
    let ids = tokens.last()?.0 as usize + 1;
    let is_short = |(_, token): &(TokenId, Box<[u8]>)| token.len() <= usize::from(u8::MAX);
    if ids > tables::MAX_IDS || ids > 4 * tokens.len() || !tokens.iter().all(is_short) {
        return None;
    }
    let mut by_id: Vec<&[u8]> = vec![&[]; ids];
    for (id, token) in tokens {
        *by_id.get_mut(*id as usize)? = token;
    }
    let parts = derive::parts::<RandomState>(&by_id).ok()?;
    let parts: Vec<[u8; 6]> = parts.into_iter().map(Made::to_bytes).collect();
    (!tables::are_crowded(&by_id, tables::Parts(&parts))).then_some(parts)
}

/// Writes a rank file, by rank.
pub(crate) fn write(vocab: &Vocabulary, mut writer: impl Write) -> io::Result<()> {
    let mut line = String::new();
    for (rank, token) in vocab.tokens() {
        line.clear();
        STANDARD.encode_string(token, &mut line);
        writeln!(writer, "{line} {rank}")?;
    }
    writer.flush()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
