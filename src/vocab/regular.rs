//! Vocabularies with lookup tables: all built-in ones, and custom ones in which the tokens follow from merging.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use prefetch_index::prefetch_index;

use super::chars::Chars;
use super::derive;
use super::keyed::Keyed;
use super::tables::keyless::Keyless;
use super::tables::table::Table;
use super::tables::{
    self, FILL, Halves, Made, NONE, Row, SIDES, Symbol, Tables, Unmergeable, common, hash, key_of,
    pairs, slots,
};
use crate::token_id::TokenId;

/// Lengths by the last 16 bytes.
type Endings = HashMap<u128, Vec<u8>, Keyed>;

/// The mergeable tokens in tables.
pub(crate) struct Regular {
    halves: Table<[[u8; 6]]>,
    tables: Tables,
    /// The tokens that no merge gives, by id.
    unmergeable: Vec<Unmergeable>,
    /// By id, whether a token is made by way of one with a higher rank than its own; empty if there is no such token.
    out_of_order: Vec<bool>,
    max_token_len: usize,
    /// Tells the vocabularies of a process apart.
    serial: u32,
    keyless: OnceLock<Keyless>,
    chars: OnceLock<Chars>,
    pub(super) sorted: OnceLock<Vec<TokenId>>,
    /// The last 16 bytes of the tokens that are longer, and the lengths of those, longest first.
    endings: OnceLock<Endings>,
}

#[allow(clippy::indexing_slicing)] // ids come from the tables, which have a row for each
impl Regular {
    /// Creates a vocabulary from the halves of its tokens.
    #[cfg_attr(feature = "prebuilt", allow(dead_code))] // built-in vocabularies come with their tables then
    pub(crate) fn new(halves: Table<[[u8; 6]]>) -> Self {
        let tables = Tables::build(Halves(&halves), &[]);
        Self::with_tables(halves, tables, OnceLock::new())
    }

    /// Creates a vocabulary from the halves of its tokens and from those that have none, or whose order is not that of
    /// the merges.
    pub(crate) fn custom(
        halves: Table<[[u8; 6]]>,
        unmergeable: Vec<Unmergeable>,
        out_of_order: Vec<bool>,
    ) -> Self {
        let tables = Tables::build(Halves(&halves), &unmergeable);
        Self {
            unmergeable,
            out_of_order,
            ..Self::with_tables(halves, tables, OnceLock::new())
        }
    }

    /// Creates a vocabulary with tables that are built already.
    pub(crate) fn with_tables(
        halves: Table<[[u8; 6]]>,
        tables: Tables,
        keyless: OnceLock<Keyless>,
    ) -> Self {
        static SERIAL: AtomicU32 = AtomicU32::new(1);
        Self {
            halves,
            unmergeable: Vec::new(),
            out_of_order: Vec::new(),
            max_token_len: tables.lengths.iter().copied().max().unwrap_or(0).into(),
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            tables,
            keyless,
            chars: OnceLock::new(),
            sorted: OnceLock::new(),
            endings: OnceLock::new(),
        }
    }

    /// Builds now what is otherwise built on first use, except the blocks of characters.
    pub(super) fn prepare(&self) {
        self.keyless();
        self.chars();
        self.endings();
    }

    pub(crate) fn serial(&self) -> u32 {
        self.serial
    }

    /// The id of the token with exactly these bytes.
    pub(crate) fn id(&self, token: &[u8]) -> Option<TokenId> {
        match *token {
            [] => None,
            [byte] => Some(self.byte(byte)),
            _ if token.len() > self.max_token_len => None,
            _ if token.len() <= 16 && !token.ends_with(&[0xFF]) => self.id_of_key(key_of(token)),
            _ => self.keyless().id(token),
        }
    }

    /// The same, if merging these bytes gives it.
    pub(crate) fn merged_id(&self, token: &[u8]) -> Option<TokenId> {
        self.id(token).filter(|id| self.is_merged(*id))
    }

    /// Whether a token is what merging its bytes gives: the others are found only as whole pieces.
    fn is_merged(&self, id: TokenId) -> bool {
        Halves(&self.halves).made(id) != Made::Gap
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
        let is_out_of_order = |id: TokenId| self.out_of_order.get(id as usize) == Some(&true);
        if !self.out_of_order.is_empty() && (is_out_of_order(left) || is_out_of_order(right)) {
            return self.are_left_apart(left, right);
        }
        tables::stay_apart(
            left,
            right,
            |l, r| self.merged(l, r),
            |id| Halves(&self.halves).get(id),
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
        derive::merge_symbols(&mut symbols, &mut Vec::new(), |left, right| {
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
        let len = usize::from(*self.tables.lengths.get(id as usize)?);
        match self.tables.rows.get(id as usize)?.get(..len) {
            Some([]) => None,
            Some(token) => Some(token),
            None => self.keyless().token(id),
        }
    }

    fn keyless(&self) -> &Keyless {
        self.keyless.get_or_init(|| {
            Keyless::build(
                Halves(&self.halves),
                &self.unmergeable,
                &self.tables.rows,
                &self.tables.lengths,
            )
        })
    }

    /// The largest id, 0 if there is no token.
    pub(crate) fn max_id(&self) -> TokenId {
        (self.halves.len() as TokenId).saturating_sub(1)
    }

    /// The bytes of the longest token.
    pub(crate) fn max_token_len(&self) -> usize {
        self.max_token_len
    }

    /// The ids and bytes of all tokens by id.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        let ids = 0..self.halves.len() as TokenId;
        ids.filter_map(|id| Some((id, self.token(id)?)))
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
        self.tables.lengths[Halves(&self.halves).get(id).0 as usize].into()
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

#[cfg(all(test, feature = "prebuilt"))]
impl Regular {
    /// Compares tables that came ready-made with those that are built from the halves.
    pub(crate) fn assert_tables_are_built_ones(&self) {
        assert!(matches!(self.tables.pairs, Table::Embedded(_)));
        let (ids, halves) = (self.halves.len(), Halves(&self.halves));
        assert!(self.tables == Tables::build(halves, &[]), "{ids} ids");
        let keyless = Keyless::build(halves, &[], &self.tables.rows, &self.tables.lengths);
        assert!(self.keyless.get() == Some(&keyless), "{ids} ids");
    }
}
