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
    self, FILL, GRID_IDS, Halves, Made, NONE, Row, SIDES, Symbol, Tables, Unmergeable, hash,
    key_of, pairs, slots, sure,
};
use crate::token_id::TokenId;
use crate::utf8::padded;

/// How many pieces with characters of more than one byte are merged byte by byte before the table of characters is built.
///
/// Building it takes 0.5 ms with cl100k_base and 3.5 ms with o200k_base, which is much for a few dashes and accents in
/// an English text. The 256 are an estimate (AMD EPYC with AVX2, November 2026). Unit tests make small vocabularies for
/// a few pieces, which must reach the table.
const MAX_FIRST_CHARS: u32 = if cfg!(test) { 2 } else { 256 };

/// Lengths of tokens by their last 16 bytes.
type Endings = HashMap<u128, Vec<u8>, Keyed>;

/// A vocabulary with lookup tables.
pub(crate) struct Regular {
    halves: Table<[[u8; 6]]>,
    tables: Tables,
    /// The tokens that no merge gives, sorted by id.
    unmergeable: Vec<Unmergeable>,
    /// By id, whether a token is out of order, or made of one that is; empty if no token is.
    out_of_order: Vec<bool>,
    max_token_len: usize,
    /// The number of this vocabulary in the process.
    serial: u32,
    keyless: OnceLock<Keyless>,
    chars: OnceLock<Chars>,
    /// How many pieces with characters of more than one byte were merged without `chars`.
    first_chars: AtomicU32,
    pub(super) sorted: OnceLock<Vec<TokenId>>,
    /// The lengths of all tokens of more than 16 bytes by their last 16 bytes, longest first.
    endings: OnceLock<Endings>,
    sure: OnceLock<Option<Box<sure::Sure>>>,
}

#[allow(clippy::indexing_slicing)] // ids come from the tables, which have a row for each
impl Regular {
    /// Creates a vocabulary from the halves of its tokens.
    pub(crate) fn new(halves: Table<[[u8; 6]]>) -> Self {
        let tables = Tables::build(Halves(&halves), &[]);
        Self::with_tables(halves, tables, OnceLock::new())
    }

    /// Creates a vocabulary from the halves of its tokens, the tokens that have none, and flags by id of those that are out
    /// of order.
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
            first_chars: AtomicU32::new(0),
            sorted: OnceLock::new(),
            endings: OnceLock::new(),
            sure: OnceLock::new(),
        }
    }

    /// Builds now everything that is otherwise built on first use, except the merges of characters.
    pub(super) fn prepare(&self) {
        self.keyless();
        self.chars();
        self.endings();
        self.sure();
    }

    /// Returns a number that no other vocabulary of the process has.
    pub(crate) fn serial(&self) -> u32 {
        self.serial
    }

    /// Returns the id of the token with exactly these bytes.
    pub(crate) fn id(&self, token: &[u8]) -> Option<TokenId> {
        match *token {
            [] => None,
            [byte] => Some(self.byte(byte)),
            _ if token.len() > self.max_token_len => None,
            _ if token.len() <= 16 && !token.ends_with(&[0xFF]) => self.id_of_key(key_of(token)),
            _ => self.keyless().id(token),
        }
    }

    /// Returns the id of the token with exactly these bytes, if merging gives it.
    pub(crate) fn merged_id(&self, token: &[u8]) -> Option<TokenId> {
        self.id(token).filter(|id| self.is_merged(*id))
    }

    /// Returns the two tokens whose merge gives this one, if a merge gives it.
    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn halves(&self, id: TokenId) -> Option<(TokenId, TokenId)> {
        match Halves(&self.halves).made(id) {
            Made::Merge(left, right) => Some((left, right)),
            _ => None,
        }
    }

    /// Returns whether merging its bytes gives a token. Unmergeable tokens are found only as whole pieces.
    fn is_merged(&self, id: TokenId) -> bool {
        Halves(&self.halves).made(id) != Made::Gap
    }

    /// Returns the id of the token with this key.
    #[inline]
    pub(crate) fn id_of_key(&self, key: u128) -> Option<TokenId> {
        let id = slots::find(&self.tables.slots, slots::half(hash(key)), |id| {
            self.key(id) == key
        });
        (id != NONE).then_some(id)
    }

    /// Returns the key of a token: its row.
    #[inline(always)]
    fn key(&self, id: TokenId) -> u128 {
        self.tables
            .rows
            .get(id as usize)
            .map_or(0, |row| u128::from_le_bytes(*row))
    }

    /// Returns the id of the token of one byte.
    #[inline(always)]
    pub(crate) fn byte(&self, byte: u8) -> TokenId {
        self.byte_symbol(byte) >> SIDES
    }

    /// Returns the symbol of the token of one byte.
    #[inline(always)]
    pub(crate) fn byte_symbol(&self, byte: u8) -> Symbol {
        self.tables.bytes[usize::from(byte)]
    }

    /// Returns the symbols of the tokens of one byte.
    #[inline(always)]
    pub(crate) fn byte_symbols(&self) -> &[Symbol; 256] {
        &self.tables.bytes
    }

    /// Returns the sure joins of ASCII bytes, or `None` if some tokens are out of order. Builds the table on the first call.
    #[inline(always)]
    pub(crate) fn sure(&self) -> Option<&sure::Sure> {
        self.sure.get_or_init(|| self.build_sure()).as_deref()
    }

    /// Builds the table of sure joins, which needs ranks above those of the halves.
    #[cold]
    fn build_sure(&self) -> Option<Box<sure::Sure>> {
        let symbol = |id| self.symbol(id);
        let is_ordered = self.out_of_order.is_empty();
        is_ordered.then(|| sure::build(Halves(&self.halves), &self.tables.lengths, symbol))
    }

    /// Returns the symbol of a token.
    #[inline(always)]
    pub(crate) fn symbol(&self, id: TokenId) -> Symbol {
        self.tables.symbol(id)
    }

    /// Returns the token that two neighbours merge to, or [`NONE`].
    #[inline(always)]
    pub(crate) fn merged(&self, left: TokenId, right: TokenId) -> TokenId {
        match self.merged_symbols(self.symbol(left), self.symbol(right)) {
            NONE => NONE,
            merged => merged >> SIDES,
        }
    }

    /// Returns the symbol that two neighbours merge to, or [`NONE`].
    #[inline(always)]
    pub(crate) fn merged_symbols(&self, left: Symbol, right: Symbol) -> Symbol {
        if (left | right) >> SIDES < GRID_IDS {
            return self.tables.grid[(left >> SIDES) as usize][(right >> SIDES) as usize];
        }
        self.answer(pairs::ask(&self.tables.pairs, left, right))
    }

    /// Starts the look-up of a merge, and prefetches the bucket that the [answer](Self::answer) is in.
    #[inline(always)]
    pub(crate) fn ask(&self, left: Symbol, right: Symbol) -> pairs::Question {
        let question = pairs::ask(&self.tables.pairs, left, right);
        prefetch_index(&*self.tables.pairs, question.bucket as usize);
        question
    }

    /// Returns the symbol of the merge that was asked for, or [`NONE`].
    #[inline(always)]
    pub(crate) fn answer(&self, question: pairs::Question) -> Symbol {
        pairs::answer(&self.tables.pairs, question)
    }

    /// Returns whether merging the bytes of two tokens together gives just these two again.
    pub(crate) fn stay_apart(&self, left: TokenId, right: TokenId) -> bool {
        let is_out_of_order = |id: TokenId| self.out_of_order.get(id as usize) == Some(&true);
        if !self.out_of_order.is_empty() && (is_out_of_order(left) || is_out_of_order(right)) {
            return self.stay_apart_when_merged(left, right);
        }
        tables::stay_apart(
            left,
            right,
            |l, r| self.merged(l, r),
            |id| Halves(&self.halves).get(id),
        )
    }

    /// Returns whether two tokens [stay apart](Self::stay_apart), by merging their bytes. This is needed where the
    /// order of ranks is not that of the merges.
    #[cold]
    fn stay_apart_when_merged(&self, left: TokenId, right: TokenId) -> bool {
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

    /// Returns whether merging the bytes of each token gives it, with tokens of ever higher ranks on the way. All built-in
    /// vocabularies are like this.
    pub(crate) fn is_in_order(&self) -> bool {
        self.unmergeable.is_empty() && self.out_of_order.is_empty()
    }

    /// Returns the ids of all out-of-order tokens and of their halves.
    pub(super) fn out_of_order_parts(&self) -> impl Iterator<Item = TokenId> {
        let all = (0..).zip(&self.out_of_order);
        let out_of_order = all.filter(|(_, is_out_of_order)| **is_out_of_order);
        out_of_order.flat_map(|(id, _)| {
            let (left, right) = Halves(&self.halves).get(id);
            [id, left, right]
        })
    }

    /// Returns the merges of characters and the crossings between them. Collects the crossings on the first call.
    #[inline]
    pub(crate) fn chars(&self) -> &Chars {
        self.chars.get_or_init(|| Chars::new(self))
    }

    /// Returns whether one more piece may be merged byte by byte because the [`chars`](Self::chars) are not there yet.
    /// Counts that piece.
    #[inline]
    pub(crate) fn take_first_chars(&self) -> bool {
        self.chars.get().is_none() && self.count_first_chars()
    }

    /// Counts a piece that would need the characters, and returns whether it is one of the first.
    #[cold]
    fn count_first_chars(&self) -> bool {
        self.first_chars.fetch_add(1, Ordering::Relaxed) < MAX_FIRST_CHARS
    }

    /// Returns the table that finds a token by its bytes.
    pub(crate) fn slots(&self) -> &[slots::Bucket] {
        &self.tables.slots
    }

    /// Returns the first 16 bytes of each token by id; the row at [`no_row`](Self::no_row) equals no key of a piece.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.tables.rows
    }

    /// Returns the index of the row that equals no key of a piece.
    pub(crate) fn no_row(&self) -> u32 {
        self.tables.lengths.len() as u32
    }

    /// Returns the length of each token in bytes by id, 0 for an id that no token has.
    pub(crate) fn lengths(&self) -> &[u8] {
        &self.tables.lengths
    }

    /// Returns the length of a token in bytes, 0 if there is none.
    #[inline]
    pub(crate) fn len(&self, id: TokenId) -> usize {
        let len = self.tables.lengths.get(id as usize);
        len.copied().unwrap_or(0).into()
    }

    /// Returns the length of several tokens together, in bytes.
    pub(crate) fn total_len(&self, ids: &[TokenId]) -> usize {
        ids.iter().map(|id| self.len(*id)).sum()
    }

    /// Returns the bytes of a token.
    #[inline]
    pub(crate) fn token(&self, id: TokenId) -> Option<&[u8]> {
        let len = usize::from(*self.tables.lengths.get(id as usize)?);
        match self.tables.rows.get(id as usize)?.get(..len) {
            Some([]) => None,
            Some(token) => Some(token),
            None => self.keyless().token(id),
        }
    }

    /// Returns the tokens without a key. Builds their tables on the first call.
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

    /// Returns the halves of all tokens.
    #[cfg(test)]
    pub(crate) fn all_halves(&self) -> &[[u8; 6]] {
        &self.halves
    }

    /// Returns the largest id, 0 if there is no token.
    pub(crate) fn max_id(&self) -> TokenId {
        (self.halves.len() as TokenId).saturating_sub(1)
    }

    /// Returns the length of the longest token in bytes.
    pub(crate) fn max_token_len(&self) -> usize {
        self.max_token_len
    }

    /// Returns the ids and bytes of all tokens by id.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (TokenId, &[u8])> {
        let ids = 0..self.halves.len() as TokenId;
        ids.filter_map(|id| Some((id, self.token(id)?)))
    }

    /// Returns the ids and bytes of all merges that are not all ASCII, by id.
    ///
    /// Their rows tell most of the others apart, so the pass over the vocabulary is quick.
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

    /// Returns the length in bytes of the left half of a token that has halves.
    pub(crate) fn seam(&self, id: TokenId) -> usize {
        self.tables.lengths[Halves(&self.halves).get(id).0 as usize].into()
    }

    /// Returns the lengths of the tokens of more than 16 bytes with which `bytes` may end, longest first.
    pub(crate) fn long_endings(&self, bytes: &[u8]) -> &[u8] {
        let ending = bytes.last_chunk::<16>();
        let lengths = ending.and_then(|ending| self.endings().get(&u128::from_le_bytes(*ending)));
        lengths.map_or(&[], Vec::as_slice)
    }

    /// Returns the lengths of long tokens by their endings. Collects them on the first call.
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

/// Returns the key of a piece of `len` bytes from its [`window_at`] the start. A piece of more than 16 bytes has a key that
/// is no token's: all ones.
#[inline(always)]
#[allow(clippy::indexing_slicing)] // the index is at most the last
pub(crate) fn piece_key(window: u128, len: usize) -> u128 {
    window | FILL[len.min(17)]
}

/// Returns the 16 bytes of a buffer from `start` on. Zeros follow the end of the buffer, but that is slow.
#[inline(always)]
pub(crate) fn window_at(buffer: &[u8], start: usize) -> u128 {
    let window = match buffer.get(start..start + 16) {
        Some(window) => window.first_chunk().copied().unwrap_or_default(),
        None => padded(buffer.get(start..).unwrap_or_default()),
    };
    u128::from_le_bytes(window)
}

/// Returns the eight bytes of a buffer from `start` on, like [`window_at`].
#[inline(always)]
pub(crate) fn low_window_at(buffer: &[u8], start: usize) -> u64 {
    match buffer.get(start..start + 8) {
        Some(window) => u64::from_le_bytes(window.first_chunk().copied().unwrap_or_default()),
        None => u64::from_le_bytes(padded(buffer.get(start..).unwrap_or_default())),
    }
}

#[cfg(all(test, feature = "prebuilt"))]
impl Regular {
    /// Checks that prebuilt tables equal those that are built from the halves.
    pub(crate) fn assert_tables_are_built_ones(&self) {
        assert!(matches!(self.tables.pairs, Table::Embedded(_)));
        let (ids, halves) = (self.halves.len(), Halves(&self.halves));
        assert!(self.tables == Tables::build(halves, &[]), "{ids} ids");
        let keyless = Keyless::build(halves, &[], &self.tables.rows, &self.tables.lengths);
        assert!(self.keyless.get() == Some(&keyless), "{ids} ids");
    }
}
