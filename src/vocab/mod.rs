//! Bytes to ids and back. Knows neither texts nor pieces.

pub(crate) mod builtin;
pub(crate) mod chars;
pub(crate) mod crossings;
#[cfg_attr(not(feature = "custom"), allow(dead_code))]
// for the build script, and vocabularies of one's own
pub(crate) mod derive;
#[cfg(feature = "custom")]
pub(crate) mod general;
mod keyed;
#[cfg(feature = "custom")]
pub(crate) mod load;
pub(crate) mod tables;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::TokenId;
use chars::Chars;
#[cfg(feature = "custom")]
use general::General;
use keyed::Keyed;
use prefetch_index::prefetch_index;
use tables::odd::Odd;
use tables::table::Table;
use tables::{
    FILL, Made, NONE, Parts, Row, SIDES, Symbol, Tables, Whole, common, hash, key_of, pairs, slots,
};

/// Lengths by the last 16 bytes.
type Endings = HashMap<u128, Vec<u8>, Keyed>;

/// The mergeable tokens of an encoding. A token's id is its rank too.
pub(crate) struct Vocabulary {
    parts: Table<[[u8; 6]]>,
    tables: Tables,
    /// The tokens that no merge gives, by id.
    whole: Vec<Whole>,
    /// By id, the tokens that are made by way of one with a lower rank than its parts; none if there is no such token.
    late: Vec<bool>,
    /// In place of the tables, which have no token then.
    #[cfg(feature = "custom")]
    general: Option<General>,
    max_token_len: usize,
    /// Tells the vocabularies of a process apart.
    serial: u32,
    odd: OnceLock<Odd>,
    chars: OnceLock<Chars>,
    sorted: OnceLock<Vec<TokenId>>,
    /// The last 16 bytes of the tokens that are longer, and the lengths of those, longest first.
    endings: OnceLock<Endings>,
}

#[allow(clippy::indexing_slicing)] // ids come from the tables, which have a row for each
impl Vocabulary {
    /// From what each token is made of.
    #[cfg_attr(all(feature = "prebuilt", not(feature = "custom")), allow(dead_code))] // built-in ones have finished tables
    pub(crate) fn new(parts: Table<[[u8; 6]]>) -> Self {
        let tables = Tables::build(Parts(&parts), &[]);
        Self::with(parts, tables, OnceLock::new())
    }

    /// The same, with tokens that no merge gives, and with what is [late](Self::late).
    #[cfg(feature = "custom")]
    pub(crate) fn own(parts: Table<[[u8; 6]]>, whole: Vec<Whole>, late: Vec<bool>) -> Self {
        let tables = Tables::build(Parts(&parts), &whole);
        Self {
            whole,
            late,
            ..Self::with(parts, tables, OnceLock::new())
        }
    }

    /// Without tables.
    #[cfg(feature = "custom")]
    pub(crate) fn general(general: General) -> Self {
        Self {
            max_token_len: general.max_token_len(),
            general: Some(general),
            ..Self::new(Vec::new().into())
        }
    }

    /// With tables that are built already.
    pub(crate) fn with(parts: Table<[[u8; 6]]>, tables: Tables, odd: OnceLock<Odd>) -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(1);
        Self {
            parts,
            whole: Vec::new(),
            late: Vec::new(),
            #[cfg(feature = "custom")]
            general: None,
            max_token_len: tables.lengths.iter().copied().max().unwrap_or(0).into(),
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            tables,
            odd,
            chars: OnceLock::new(),
            sorted: OnceLock::new(),
            endings: OnceLock::new(),
        }
    }

    /// Builds what is otherwise built on first use; only the parts of characters still come as they are met.
    pub(crate) fn prepare(&self) {
        if self.is_general() {
            self.sorted();
            return;
        }
        self.odd();
        self.chars();
        self.sorted();
        self.endings();
    }

    pub(crate) fn serial(&self) -> u32 {
        self.serial
    }

    /// The tokens, where there are no tables of them.
    #[inline(always)]
    #[cfg(feature = "custom")]
    pub(crate) fn as_general(&self) -> Option<&General> {
        self.general.as_ref()
    }

    /// Whether nothing but looking tokens up is possible: merges have no tables.
    #[inline(always)]
    #[cfg_attr(not(feature = "custom"), allow(clippy::unused_self))]
    pub(crate) fn is_general(&self) -> bool {
        #[cfg(feature = "custom")]
        return self.general.is_some();
        #[cfg(not(feature = "custom"))]
        false
    }

    /// The id of the token with exactly these bytes.
    pub(crate) fn id(&self, token: &[u8]) -> Option<TokenId> {
        #[cfg(feature = "custom")]
        if let Some(general) = &self.general {
            return general.id(token);
        }
        match *token {
            [] => None,
            [byte] => Some(self.byte(byte)),
            _ if token.len() > self.max_token_len => None,
            _ if token.len() <= 16 && !token.ends_with(&[0xFF]) => self.id_of_key(key_of(token)),
            _ => self.odd().id(token),
        }
    }

    /// The same, if merging these bytes gives it.
    pub(crate) fn merged_id(&self, token: &[u8]) -> Option<TokenId> {
        self.id(token).filter(|id| self.is_merged(*id))
    }

    /// Whether a token is what merging its bytes gives: the others are found only as whole pieces.
    fn is_merged(&self, id: TokenId) -> bool {
        Parts(&self.parts).made(id) != Made::Gap
    }

    /// The same, the faster the more common the token is.
    #[inline]
    pub(crate) fn likely_id(&self, token: &[u8]) -> Option<TokenId> {
        if token.len() <= 16 {
            let (id, is_known) = common::find(self.common(), key_of(token));
            if is_known {
                return Some(id);
            }
        }
        self.id(token)
    }

    /// The id of the token with this key, of those that are found by one.
    #[inline]
    pub(crate) fn id_of_key(&self, key: u128) -> Option<TokenId> {
        let id = slots::find(&self.tables.slots, slots::half(hash(key)), |id| {
            self.key(id) == key
        });
        (id != NONE).then_some(id)
    }

    #[inline(always)]
    fn key(&self, id: TokenId) -> u128 {
        self.tables
            .rows
            .get(id as usize)
            .map_or(0, |row| u128::from_le_bytes(*row))
    }

    #[inline(always)]
    pub(crate) fn byte(&self, byte: u8) -> TokenId {
        self.byte_symbol(byte) >> SIDES
    }

    #[inline(always)]
    pub(crate) fn byte_symbol(&self, byte: u8) -> Symbol {
        self.tables.bytes[usize::from(byte)]
    }

    /// The symbol of a token.
    #[inline(always)]
    pub(crate) fn symbol(&self, id: TokenId) -> Symbol {
        self.tables.symbol(id)
    }

    /// The token that two neighbours merge to, or [`NONE`].
    #[inline(always)]
    pub(crate) fn merged(&self, left: TokenId, right: TokenId) -> TokenId {
        match self.merged_symbols(self.symbol(left), self.symbol(right)) {
            NONE => NONE,
            merged => merged >> SIDES,
        }
    }

    /// The symbol that two neighbours merge to, or [`NONE`].
    #[inline(always)]
    pub(crate) fn merged_symbols(&self, left: Symbol, right: Symbol) -> Symbol {
        if (left | right) >> SIDES < 256 {
            return self.tables.grid[(left >> SIDES) as usize][(right >> SIDES) as usize];
        }
        self.answer(pairs::ask(&self.tables.pairs, left, right))
    }

    /// Asks what two neighbours merge to, and fetches where the [answer](Self::answer) is.
    #[inline(always)]
    pub(crate) fn ask(&self, left: Symbol, right: Symbol) -> pairs::Question {
        let question = pairs::ask(&self.tables.pairs, left, right);
        prefetch_index(&*self.tables.pairs, question.bucket as usize);
        question
    }

    #[inline(always)]
    pub(crate) fn answer(&self, question: pairs::Question) -> Symbol {
        pairs::answer(&self.tables.pairs, question)
    }

    /// Whether merging the bytes of two tokens together gives just these two again.
    pub(crate) fn stay_apart(&self, left: TokenId, right: TokenId) -> bool {
        let is_late = |id: TokenId| self.late.get(id as usize) == Some(&true);
        if !self.late.is_empty() && (is_late(left) || is_late(right)) {
            return self.are_left_apart(left, right);
        }
        tables::stay_apart(
            left,
            right,
            |l, r| self.merged(l, r),
            |id| Parts(&self.parts).get(id),
        )
    }

    /// The same, found by merging: the order of ranks is not that of the merges.
    #[cold]
    fn are_left_apart(&self, left: TokenId, right: TokenId) -> bool {
        let bytes = [left, right]
            .into_iter()
            .filter_map(|id| self.token(id))
            .flatten();
        let mut symbols: Vec<TokenId> = bytes.map(|byte| self.byte(*byte)).collect();
        derive::merge(&mut symbols, &mut Vec::new(), |left, right| {
            Some(self.merged(left, right)).filter(|merged| *merged != NONE)
        });
        symbols == [left, right]
    }

    /// The parts of characters, and where tokens cross from one to the next. Built as they are met.
    #[inline]
    pub(crate) fn chars(&self) -> &Chars {
        self.chars.get_or_init(|| Chars::new(self))
    }

    pub(crate) fn common(&self) -> &[u64; common::LEN] {
        &self.tables.common
    }

    pub(crate) fn slots(&self) -> &[slots::Bucket] {
        &self.tables.slots
    }

    /// The first 16 bytes of each token; at [`no_row`](Self::no_row) what is equal to no piece.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.tables.rows
    }

    pub(crate) fn no_row(&self) -> u32 {
        self.tables.lengths.len() as u32
    }

    /// The length of each token, 0 for an id that no token has.
    pub(crate) fn lengths(&self) -> &[u8] {
        &self.tables.lengths
    }

    /// The bytes of a token, 0 if there is none.
    #[inline]
    pub(crate) fn len(&self, id: TokenId) -> usize {
        #[cfg(feature = "custom")]
        if let Some(general) = &self.general {
            return general.token(id).map_or(0, <[u8]>::len);
        }
        let len = self.tables.lengths.get(id as usize);
        len.copied().unwrap_or(0).into()
    }

    /// The bytes of some tokens together.
    pub(crate) fn total_len(&self, ids: &[TokenId]) -> usize {
        ids.iter().map(|id| self.len(*id)).sum()
    }

    /// The bytes of a token.
    #[inline]
    pub(crate) fn token(&self, id: TokenId) -> Option<&[u8]> {
        #[cfg(feature = "custom")]
        if let Some(general) = &self.general {
            return general.token(id);
        }
        let len = usize::from(*self.tables.lengths.get(id as usize)?);
        match self.tables.rows.get(id as usize)?.get(..len) {
            Some([]) => None,
            Some(token) => Some(token),
            None => self.odd().token(id),
        }
    }

    fn odd(&self) -> &Odd {
        self.odd.get_or_init(|| {
            Odd::build(
                Parts(&self.parts),
                &self.whole,
                &self.tables.rows,
                &self.tables.lengths,
            )
        })
    }

    /// The largest id, 0 if there is no token.
    pub(crate) fn max_id(&self) -> TokenId {
        #[cfg(feature = "custom")]
        if let Some(general) = &self.general {
            return general.tokens().last().map_or(0, |(id, _)| id);
        }
        (self.parts.len() as TokenId).saturating_sub(1)
    }

    /// The bytes of the longest token.
    pub(crate) fn max_token_len(&self) -> usize {
        self.max_token_len
    }

    /// The ids and bytes of all tokens by id.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        let ids = 0..self.parts.len() as TokenId;
        let tokens = ids.filter_map(|id| Some((id, self.token(id)?)));
        #[cfg(feature = "custom")]
        let tokens = tokens.chain(self.general.iter().flat_map(General::tokens));
        tokens
    }

    /// The ids and bytes of all merges that are not all ASCII, by id.
    pub(crate) fn beyond_ascii(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        const HIGH_BITS: u128 = u128::MAX / 0xFF * 0x80;
        let rows = self.tables.rows.iter().zip(&*self.tables.lengths);
        let may_be = |row: &Row, len: u8| {
            let bytes = u128::from_le_bytes(*row) & !FILL[usize::from(len.min(16))];
            len > 1 && (len > 16 || bytes & HIGH_BITS != 0)
        };
        (0..)
            .zip(rows)
            .filter(move |(_, (row, len))| may_be(row, **len))
            .filter_map(|(id, _)| Some((id, self.token(id)?)))
            .filter(|(id, token)| !token.is_ascii() && self.is_merged(*id))
    }

    /// How many bytes of a token are its left part, of a token that has parts.
    pub(crate) fn seam(&self, id: TokenId) -> usize {
        self.tables.lengths[Parts(&self.parts).get(id).0 as usize].into()
    }

    /// The ids in the order of their tokens' bytes. Sorted on first use.
    pub(crate) fn sorted(&self) -> &[TokenId] {
        self.sorted.get_or_init(|| {
            let mut ids: Vec<TokenId> = self.tokens().map(|(id, _)| id).collect();
            ids.sort_unstable_by_key(|&id| self.token(id));
            ids
        })
    }

    /// The lengths of the tokens of more than 16 bytes that may end some bytes, longest first.
    pub(crate) fn long_endings(&self, bytes: &[u8]) -> &[u8] {
        let ending = bytes.last_chunk::<16>();
        let lengths = ending.and_then(|ending| self.endings().get(&u128::from_le_bytes(*ending)));
        lengths.map_or(&[], Vec::as_slice)
    }

    fn endings(&self) -> &Endings {
        self.endings.get_or_init(|| {
            let mut endings = Endings::with_hasher(Keyed::new());
            for (id, len) in (0..).zip(self.lengths()) {
                let ending = self.token(id).and_then(|token| token.last_chunk::<16>());
                if let Some(ending) = ending.filter(|_| *len > 16) {
                    let ending = u128::from_le_bytes(*ending);
                    endings.entry(ending).or_default().push(*len);
                }
            }
            for lengths in endings.values_mut() {
                lengths.sort_unstable_by(|a, b| b.cmp(a));
            }
            endings
        })
    }

    /// The ids of the tokens that begin with `prefix`, in the order of their bytes.
    pub(crate) fn with_prefix<'v>(
        &'v self,
        prefix: &'v [u8],
    ) -> impl Iterator<Item = TokenId> + 'v {
        let sorted = self.sorted();
        let first = sorted.partition_point(|&id| self.token(id) < Some(prefix));
        let rest = sorted.get(first..).unwrap_or_default();
        rest.iter().copied().take_while(move |&id| {
            self.token(id)
                .is_some_and(|token| token.starts_with(prefix))
        })
    }
}

/// The key of a piece of `len` bytes at `start`; a piece of more than 16 bytes has a key that is no token's.
///
/// Fast where 16 bytes are readable, whatever they are behind the piece.
#[inline(always)]
#[allow(clippy::indexing_slicing)] // the index is at most the last
pub(crate) fn piece_key(buffer: &[u8], start: usize, len: usize) -> u128 {
    let window = match buffer.get(start..start + 16) {
        Some(window) => window.first_chunk().copied().unwrap_or_default(),
        None => last_window(buffer.get(start..).unwrap_or_default()),
    };
    u128::from_le_bytes(window) | FILL[len.min(17)]
}

/// The last bytes of a buffer, and zeros.
#[cold]
fn last_window(rest: &[u8]) -> [u8; 16] {
    let mut window = [0; 16];
    for (byte, known) in window.iter_mut().zip(rest) {
        *byte = *known;
    }
    window
}
