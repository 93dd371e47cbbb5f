//! Reads vocabularies from rank files and writes them.
//!
//! A file has a line for each token: its bytes in base64, white space, its rank. All of it is checked before any of it is
//! used.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, BufReader, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::irregular::Irregular;
use super::keyed::Keyed;
use super::tables::{self, Halves, Made, Unmergeable};
use super::{Regular, Vocabulary, derive};
use crate::error::{Error, ErrorKind};
use crate::token_id::TokenId;

/// The most bytes of a rank file, unless another limit is set: about twenty times the largest built-in one.
pub(crate) const MAX_FILE: u64 = 64 << 20;

/// Tokens and ranks in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranks {
    /// The bytes of all tokens, one after another.
    bytes: Vec<u8>,
    /// The end of each token in `bytes`, its rank, and its line in the file, 0 if there is no file.
    tokens: Vec<(usize, TokenId, u32)>,
    /// The rank of the empty token, which only a file can have, and its line. Whisper's `multilingual.tiktoken` has one.
    empty: Option<(TokenId, u32)>,
}

/// Creates the error for invalid ranks.
fn invalid(line: Option<usize>, problem: impl Into<String>) -> Error {
    let problem = problem.into();
    ErrorKind::InvalidRanks { line, problem }.into()
}

impl Ranks {
    /// Adds a token that does not come from a file.
    pub(crate) fn push(&mut self, token: &[u8], rank: TokenId) {
        self.bytes.extend_from_slice(token);
        self.tokens.push((self.bytes.len(), rank, 0));
    }

    /// Reads a rank file of up to `max_bytes` bytes, and gives each line to `seen` as it is.
    pub(crate) fn read(
        reader: impl Read,
        max_bytes: u64,
        mut seen: impl FnMut(&[u8]),
    ) -> Result<Self, Error> {
        // one byte more than the limit shows that there are too many
        let reader = reader.take(max_bytes.saturating_add(1));
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        let (mut ranks, mut line, mut read) = (Self::default(), Vec::new(), 0);
        for number in 1.. {
            line.clear();
            let len = reader.read_until(b'\n', &mut line);
            let len = len.map_err(|error| ErrorKind::io("reading the ranks", error))?;
            read += len as u64;
            if read > max_bytes {
                let problem = format!(
                    "there are more than {max_bytes} bytes, which is the limit; `max_rank_bytes` sets another one"
                );
                return Err(invalid(Some(number), problem));
            }
            if len == 0 {
                break;
            }
            seen(&line);
            let rank = parse(&line, &mut ranks.bytes);
            if let Some(rank) = rank.map_err(|problem| invalid(Some(number), problem))? {
                let end = ranks.bytes.len();
                if end == ranks.tokens.last().map_or(0, |(end, ..)| *end) {
                    ranks.set_empty(rank, number)?;
                } else {
                    ranks.tokens.push((end, rank, number as u32));
                }
            }
        }
        Ok(ranks)
    }

    /// Sets the rank of the empty token. There can be only one.
    fn set_empty(&mut self, rank: TokenId, line: usize) -> Result<(), Error> {
        match self.empty.replace((rank, line as u32)) {
            None => Ok(()),
            Some((_, first)) => Err(invalid(
                Some(line),
                format!("the empty token is already in line {first}"),
            )),
        }
    }

    /// Returns the id of the empty token.
    pub(crate) fn empty(&self) -> Option<TokenId> {
        self.empty.map(|(id, _)| id)
    }

    /// Returns the tokens in the order in which they were given.
    fn tokens(&self) -> impl Iterator<Item = (&[u8], TokenId)> {
        let mut start = 0;
        self.tokens.iter().map(move |(end, rank, _)| {
            let token = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (token, *rank)
        })
    }

    /// Returns the vocabulary of these tokens, or an error if they do not form a valid one. Bytes without a token are
    /// accepted if they `may_lack`.
    pub(crate) fn vocabulary(&self, may_lack: bool) -> Result<Vocabulary, Error> {
        self.check(may_lack)?;
        let mut tokens: Vec<(TokenId, &[u8])> =
            self.tokens().map(|(token, rank)| (rank, token)).collect();
        tokens.sort_unstable_by_key(|(rank, _)| *rank);
        Ok(match regular(&tokens) {
            Some(regular) => Vocabulary::Regular(regular.into()),
            None => Vocabulary::Irregular(Irregular::new(&tokens)),
        })
    }

    /// Returns whether these are all tokens of a vocabulary, in any order.
    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn are_all_of(&self, vocab: &Vocabulary) -> bool {
        // without gaps, as many ids as tokens are all of them if none occurs twice
        if self.tokens.len() != vocab.max_id() as usize + 1 {
            return false;
        }
        let mut seen = vec![false; self.tokens.len()];
        self.tokens().all(|(token, id)| {
            let seen = seen.get_mut(id as usize);
            let is_new = seen.is_some_and(|seen| !std::mem::replace(seen, true));
            is_new && vocab.token(id) == Some(token)
        })
    }

    /// Checks that no token and no rank occurs twice, and that each byte is a token, unless it may lack.
    fn check(&self, may_lack: bool) -> Result<(), Error> {
        self.check_tokens()?;
        self.check_ranks()?;
        let single = self.tokens().filter_map(|(token, _)| match *token {
            [byte] => Some(byte),
            _ => None,
        });
        let single: HashSet<u8> = single.collect();
        match (0..=u8::MAX).find(|byte| !single.contains(byte)) {
            None => Ok(()),
            Some(_) if self.tokens.is_empty() => Err(invalid(None, "there are none")),
            Some(_) if may_lack => Ok(()),
            Some(byte) => Err(invalid(
                None,
                format!(
                    "no token for the byte 0x{byte:02X}; some texts could not be encoded; \
                     `allow_missing_bytes` accepts this"
                ),
            )),
        }
    }

    /// Checks that no token is empty or occurs twice.
    fn check_tokens(&self) -> Result<(), Error> {
        let mut firsts: HashMap<&[u8], usize, Keyed> =
            HashMap::with_capacity_and_hasher(self.tokens.len(), Keyed::new());
        for (i, (token, _)) in self.tokens().enumerate() {
            if token.is_empty() {
                return Err(invalid(self.line(i), "the token is empty"));
            }
            if let Some(first) = firsts.insert(token, i) {
                let (token, first) = (Shown(token), self.place(first));
                let problem = format!("the token {token} is already in {first}");
                return Err(invalid(self.line(i), problem));
            }
        }
        Ok(())
    }

    /// Checks that no rank occurs twice.
    fn check_ranks(&self) -> Result<(), Error> {
        let ranks = self.tokens.iter().map(|(_, rank, _)| *rank);
        let mut ranks: Vec<(TokenId, usize)> = ranks.zip(0..).collect();
        if let Some((empty, line)) = self.empty
            && let Some((_, first)) = ranks.iter().find(|(rank, _)| *rank == empty)
        {
            let problem = format!("{} already has the rank {empty}", self.place(*first));
            return Err(invalid(Some(line as usize), problem));
        }
        ranks.sort_unstable();
        let mut pairs = ranks.iter().zip(ranks.iter().skip(1));
        if let Some(((rank, first), (_, i))) = pairs.find(|(one, next)| one.0 == next.0) {
            let problem = format!("{} already has the rank {rank}", self.place(*first));
            return Err(invalid(self.line(*i), problem));
        }
        Ok(())
    }

    /// Returns the line of a token, if it comes from a file.
    fn line(&self, token: usize) -> Option<usize> {
        let (_, _, line) = self.tokens.get(token)?;
        (*line > 0).then_some(*line as usize)
    }

    /// Returns the place of a token, for a message.
    fn place(&self, token: usize) -> String {
        match self.line(token) {
            Some(line) => format!("line {line}"),
            None => format!("number {} of the tokens", token + 1),
        }
    }
}

/// Shows the first bytes of a token in a message.
struct Shown<'a>(&'a [u8]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MAX_SHOWN_BYTES: usize = 40;
        let some = self.0.get(..MAX_SHOWN_BYTES).unwrap_or(self.0);
        let rest = if some.len() < self.0.len() { "…" } else { "" };
        write!(f, "\"{}{rest}\"", some.escape_ascii())
    }
}

/// The empty token in a file. It is not valid base64, but the decoder of Python, for which files are made, accepts it.
const EMPTY: &[u8] = b"=";

/// Parses a line: appends the token to `bytes` and returns the rank, or `None` for a blank line, as tiktoken does.
fn parse(line: &[u8], bytes: &mut Vec<u8>) -> Result<Option<TokenId>, String> {
    let mut fields = line
        .split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty());
    let Some(base64) = fields.next() else {
        return Ok(None);
    };
    let rank = fields.next().ok_or_else(|| {
        format!(
            "there is only one field, {}; a token in base64 and its rank are expected",
            Shown(base64)
        )
    })?;
    if let Some(more) = fields.next() {
        return Err(format!("unexpected {} after the rank", Shown(more)));
    }
    if base64 == EMPTY {
        return parse_rank(rank).map(Some);
    }
    STANDARD
        .decode_vec(base64, bytes)
        .map_err(|error| format!("{} is not valid base64: {error}", Shown(base64)))?;
    parse_rank(rank).map(Some)
}

/// Parses a rank, or returns the problem with it.
fn parse_rank(rank: &[u8]) -> Result<TokenId, String> {
    let shown = Shown(rank);
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if let [b'-', digits @ ..] = rank
        && is_number(digits)
    {
        return Err(format!("the rank {shown} is negative"));
    }
    if !is_number(rank) {
        return Err(format!("the rank {shown} is not a number"));
    }
    let text = std::str::from_utf8(rank).unwrap_or_default();
    text.parse()
        .map_err(|_| format!("the rank {shown} is more than {}", TokenId::MAX))
}

/// Returns the vocabulary with lookup tables, if they can represent all tokens.
///
/// They can if all of this is true:
///
/// - the bytes have the lowest ranks;
/// - no token has more than 255 bytes, and not too many tokens are long;
/// - no id is above [`tables::MAX_IDS`], and ids have no wide gaps;
/// - merging gives each token from the halves that are found, if it gives it at all, and finding them is not too much
///   work;
/// - not too many tokens hash to the same buckets.
fn regular(tokens: &[(TokenId, &[u8])]) -> Option<Regular> {
    let ids = tokens.last()?.0 as usize + 1;
    let is_short = |(_, token): &(TokenId, &[u8])| u8::try_from(token.len()).is_ok();
    let squares: usize = tokens.iter().map(|(_, token)| token.len().pow(2)).sum();
    let fits =
        ids <= tables::MAX_IDS && ids <= MAX_IDS_PER_TOKEN * tokens.len() && squares <= MAX_SQUARES;
    if !fits || !tokens.iter().all(is_short) || !has_bytes_first(tokens) {
        return None;
    }
    let mut by_id: Vec<&[u8]> = vec![&[]; ids];
    for (id, token) in tokens {
        *by_id.get_mut(*id as usize)? = token;
    }
    let derive::Derived {
        made,
        unmergeable,
        out_of_order,
    } = derive::halves(&by_id, &Keyed::new())?;
    let bytes = |id: TokenId| by_id.get(id as usize).copied().unwrap_or_default();
    let unmergeable = unmergeable.into_iter();
    let unmergeable: Vec<Unmergeable> = unmergeable.map(|id| (id, bytes(id).into())).collect();
    let halves: Vec<[u8; 6]> = made.into_iter().map(Made::to_bytes).collect();
    let is_crowded = tables::are_crowded(&by_id, Halves(&halves));
    (!is_crowded).then(|| Regular::custom(halves.into(), unmergeable, out_of_order))
}

/// The most ids for each token, on average: the tables have a row for each id, used or not.
const MAX_IDS_PER_TOKEN: usize = 4;

/// The largest sum of the squares of all lengths in bytes. Finding the halves of a token takes the square of its length.
/// The built-in vocabularies have about a tenth of this.
const MAX_SQUARES: usize = 1 << 27;

/// Returns whether all bytes are tokens and have the lowest ranks.
fn has_bytes_first(tokens: &[(TokenId, &[u8])]) -> bool {
    let bytes = tokens.get(..256);
    bytes.is_some_and(|bytes| bytes.iter().all(|(_, token)| token.len() == 1))
}

/// Writes a rank file with the tokens in the order of their ranks.
pub(crate) fn write(vocab: &Vocabulary, mut writer: impl Write) -> io::Result<()> {
    let mut line = String::new();
    for (rank, token) in vocab.tokens() {
        line.clear();
        STANDARD.encode_string(token, &mut line);
        writeln!(writer, "{line} {rank}")?;
    }
    writer.flush()
}
