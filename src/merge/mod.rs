//! Pieces to ids. Nothing here depends on the text around a piece.
#![allow(clippy::indexing_slicing)] // positions in a piece are below its length, ranges of `ids` were taken from it

pub(crate) mod cache;
pub(crate) mod cutter;
mod heap;
mod long;
pub(crate) mod one_pass;
pub(crate) mod plain;
mod short;

use fearless_simd::Level;

use crate::repetition::is_repetitive;
use crate::token_id::TokenId;
use crate::utf8::decode;
use crate::vocab::chars::{Char, Chars};
use crate::vocab::crossings::Side;
use crate::vocab::tables::{NONE, SIDES, Symbol, sure};
use crate::vocab::{Regular, Vocabulary};
use short::{Jobs, LARGE, LARGEST, SMALL};

/// Stands in [`Scratch::ids`] for a symbol that a merge took away.
const REMOVED_SYMBOL: Symbol = NONE;

/// Ids are copied in blocks of this many: a block is readable from the first id of every piece on.
///
/// In `r50k_base`, a newline with its indentation is a piece of up to 16 ids. With blocks of 8, each such piece needed a
/// second copy of a length that is hard to predict. With blocks of 16, Python,
/// Rust and JSON mostly take 1 to 4 % less time there, and Russian 4 to 9 %. A second block of 8 for 9 to 16 ids gained
/// nothing (AMD EPYC with AVX2, November 2026).
pub(crate) const BLOCK_IDS: usize = 16;

/// The most ids whose memory is kept after a batch: more than ordinary pieces have.
const MAX_IDS_KEPT: usize = 1 << 16;

/// The most unmerged ranges whose memory is kept after a batch: more than ordinary pieces have.
const MAX_RANGES_KEPT: usize = 1 << 12;

/// The memory for merging the pieces of a batch, and their ids.
pub(crate) struct Scratch {
    level: Level,
    small: Jobs<SMALL>,
    large: Jobs<LARGE>,
    largest: Jobs<LARGEST>,
    blocks: long::Blocks,
    /// The ids of the pieces, one after another. Before [`merge`](Self::merge), the symbols of those that it will merge.
    ids: Vec<u32>,
    /// The range of each piece in `ids`.
    pieces: Vec<Range>,
    /// The ranges that are still to be merged: in a small job, a large one, and one of the largest.
    unmerged: [Vec<Unmerged>; 3],
    /// The pieces that are merged in parts: merging leaves [`REMOVED_SYMBOL`] among their symbols.
    cut_pieces: Vec<u32>,
}

/// A range of [`Scratch::ids`].
#[derive(Clone, Copy)]
struct Range {
    start: u32,
    len: u32,
}

/// A range that is to be merged.
#[derive(Clone, Copy)]
struct Unmerged {
    range: Range,
    /// The piece that has this range, or [`PART_OF_PIECE`].
    piece: u32,
    /// Whether sure joins were made.
    is_mixed: bool,
}

/// Stands for the piece of a range that is only a part of one.
const PART_OF_PIECE: u32 = u32::MAX;

impl Scratch {
    /// Creates memory without pieces.
    pub(crate) fn new(level: Level) -> Self {
        Self {
            level,
            small: Jobs::default(),
            large: Jobs::default(),
            largest: Jobs::default(),
            blocks: long::Blocks::default(),
            ids: Vec::new(),
            pieces: Vec::new(),
            unmerged: Default::default(),
            cut_pieces: Vec::new(),
        }
    }

    /// Forgets the pieces of the last batch.
    pub(crate) fn clear(&mut self) {
        self.ids.clear();
        self.pieces.clear();
        self.cut_pieces.clear();
        self.unmerged.iter_mut().for_each(Vec::clear);
    }

    /// Frees the memory that a huge piece took.
    pub(crate) fn give_back(&mut self) {
        if self.ids.capacity() > MAX_IDS_KEPT {
            self.ids = Vec::new();
        }
        for ranges in &mut self.unmerged {
            if ranges.capacity() > MAX_RANGES_KEPT {
                *ranges = Vec::new();
            }
        }
    }

    /// Returns an upper bound of the number of ids of all pieces, with the blocks that copying them may fill.
    pub(crate) fn len(&self) -> usize {
        self.ids.len() + BLOCK_IDS * self.pieces.len()
    }

    /// Returns the ids of a piece, which are followed by at least a block of others, and their number.
    #[inline(always)]
    pub(crate) fn ids(&self, piece: usize) -> (&[TokenId], usize) {
        let Range { start, len } = self.pieces[piece];
        (&self.ids[start as usize..], len as usize)
    }

    /// Adds a piece that is one token.
    #[inline(always)]
    pub(crate) fn add_id(&mut self, id: TokenId) {
        self.ids.push(id);
        self.add_piece(self.ids.len() - 1);
    }

    /// Adds the piece `buffer[start..end]`, which is UTF-8 and not a token.
    pub(crate) fn add(&mut self, buffer: &[u8], start: usize, end: usize, vocab: &Regular) {
        let piece = buffer.get(start..end).unwrap_or_default();
        let (first, number) = (self.ids.len(), self.pieces.len() as u32);
        let in_one_job = piece.len() <= MAX_ONE_JOB_BYTES;
        if in_one_job && piece.is_ascii() {
            let is_mixed = push_ascii(piece, vocab, &mut self.ids);
            self.queue(first, number, is_mixed);
        } else if in_one_job && vocab.take_first_chars() {
            self.add_bytes(piece, vocab);
            self.queue(first, number, false);
        } else if in_one_job && !has_long_chars(piece) {
            self.add_short_chars(piece, vocab);
            self.queue(first, number, false);
        } else if !piece.is_ascii() && !is_repetitive(piece) {
            self.add_chars(piece, vocab);
            self.cut_pieces.push(number);
        } else {
            let mut ids = std::mem::take(&mut self.ids);
            long::merge_long(piece, vocab, self, &mut ids);
            self.ids = ids;
        }
        self.add_piece(first);
    }

    /// Ends a piece: its symbols or ids are those from `start` on.
    #[inline(always)]
    fn add_piece(&mut self, start: usize) {
        self.pieces.push(Range {
            start: start as u32,
            len: (self.ids.len() - start) as u32,
        });
    }

    /// Adds the symbols of a piece whose characters have up to two bytes: those of characters, or bytes if that is faster.
    #[inline(never)]
    fn add_short_chars(&mut self, piece: &[u8], vocab: &Regular) {
        let ascii = piece.iter().filter(|byte| byte.is_ascii()).count();
        if vocab.chars().are_worth_it(piece.len(), ascii) {
            self.add_uncut(piece, vocab);
        } else {
            self.add_bytes(piece, vocab);
        }
    }

    /// Adds the symbols of the bytes of a piece.
    #[inline(always)]
    fn add_bytes(&mut self, piece: &[u8], vocab: &Regular) {
        let symbols = piece.iter().map(|byte| vocab.byte_symbol(*byte));
        self.ids.extend(symbols);
    }

    /// Adds the symbols of a piece without cutting it. No character has more than two bytes.
    fn add_uncut(&mut self, piece: &[u8], vocab: &Regular) {
        let chars = vocab.chars();
        let start = self.ids.len();
        // a character has no more symbols than bytes; two are written at a time
        self.ids.resize(start + piece.len() + 1, 0);
        let places = &mut self.ids[start..];
        // the character before this one, and the place of its symbols
        let (mut before, mut code_point_before, mut place_before) = (Char::default(), 0, 0);
        let (mut len, mut next) = (0, 0);
        while let Some(&lead) = piece.get(next) {
            let last = piece.get(next + 1).copied().unwrap_or_default();
            let (code_point, char_len) = if lead < 0x80 {
                (u32::from(lead), 1)
            } else {
                (u32::from(lead & 0x1F) << 6 | u32::from(last & 0x3F), 2)
            };
            let char = chars.get(code_point, vocab);
            let mut may_fall_apart = char.number() == 0;
            let side = Chars::side(code_point_before, before);
            if chars.crossings.may_cross_partly(side, lead) {
                let rival = chars.crossings.partial(side, lead);
                let falls_apart = rival <= before.highest_rank().max(char.highest_rank());
                may_fall_apart |= falls_apart;
                if falls_apart && !before.is_single() {
                    let bytes = [piece[next - 2], piece[next - 1]];
                    len = place_before + put_bytes(bytes, &mut places[place_before..], vocab);
                }
            }
            place_before = len;
            if may_fall_apart && !char.is_single() {
                len += put_bytes([lead, last], &mut places[len..], vocab);
            } else {
                places[len..len + 2].copy_from_slice(&char.two_symbols());
                len += char.number();
            }
            (before, code_point_before) = (char, code_point);
            next += char_len;
        }
        self.ids.truncate(start + len);
    }

    /// Adds a piece of at least one character. Cuts it where no token can cross: the parts are merged separately.
    ///
    /// Some characters are shared with a neighbour only as a whole. They merge as if they were alone: every merge with a
    /// neighbour has a token for the whole character as one side, so it has a higher rank and comes later.
    fn add_chars(&mut self, piece: &[u8], vocab: &Regular) {
        let chars = vocab.chars();
        let (mut char, mut side, mut next) = char_at(piece, 0, chars, vocab);
        // the start of the part in `ids` and in the piece
        let (mut first, mut from) = (self.ids.len(), 0);
        // the start of the character, and the lowest rank of a token that crosses there with a fragment
        let (mut begin, mut rival_before) = (0, NONE);
        while next < piece.len() {
            let at = next;
            let lead = piece[at];
            let (next_char, after, end) = char_at(piece, at, chars, vocab);
            let rival_after = chars.crossings.partial(side, lead);
            let rival = rival_after.min(rival_before);
            self.push(char, &piece[begin..at], rival, vocab);
            if rival_after == NONE
                && (side.code_point | after.code_point) >= 0x80
                && !chars.crossings.whole(side, after)
            {
                // a part of one character is merged already, if its word has ids
                if from != begin || char.number() == 0 {
                    self.end_part(first, &piece[from..at], vocab);
                }
                (first, from) = (self.ids.len(), at);
            }
            (char, side, begin, next) = (next_char, after, at, end);
            rival_before = rival_after;
        }
        self.push(char, &piece[begin..], rival_before, vocab);
        if from != begin || char.number() == 0 {
            self.end_part(first, &piece[from..], vocab);
        }
    }

    /// Appends the symbols of a character, with the lowest rank of a token that takes a fragment of it.
    #[inline(always)]
    fn push(&mut self, char: Char, bytes: &[u8], rival: TokenId, vocab: &Regular) {
        if char.is_single() {
            self.ids.push(char.two_symbols()[0]);
        } else {
            let symbols = vocab.chars().against(rival, char, bytes, vocab);
            symbols.append_to(&mut self.ids);
        }
    }

    /// Ends a part of a piece, with its symbols from `first` on. Merges it at once if two symbols or too many are left.
    #[inline(always)]
    fn end_part(&mut self, first: usize, part: &[u8], vocab: &Regular) {
        match self.ids[first..] {
            [] | [_] => {}
            [left, right] => {
                let merged = vocab.merged_symbols(left, right);
                if merged != NONE {
                    self.ids.truncate(first);
                    self.ids.push(merged);
                }
            }
            _ if self.ids.len() - first <= short::max_symbols(LARGEST) => {
                self.queue(first, PART_OF_PIECE, false);
            }
            _ => {
                self.ids.truncate(first);
                let mut ids = Vec::new();
                long::merge_long(part, vocab, self, &mut ids);
                self.ids.extend(ids.iter().map(|id| id << SIDES));
            }
        }
    }

    /// Queues the symbols from `first` on to be merged in a job of the right size. `is_mixed` says that sure joins are done.
    #[inline(always)]
    fn queue(&mut self, first: usize, piece: u32, is_mixed: bool) {
        let len = self.ids.len() - first;
        let size = usize::from(len > short::max_symbols(SMALL))
            + usize::from(len > short::max_symbols(LARGE));
        self.unmerged[size].push(Unmerged {
            range: Range {
                start: first as u32,
                len: len as u32,
            },
            piece,
            is_mixed,
        });
    }

    /// Merges the ranges that are still unmerged: then `ids` has ids only.
    pub(crate) fn merge(&mut self, vocab: &Regular) {
        let (ids, pieces) = (&mut self.ids, &mut self.pieces);
        let [small, large, largest] = &self.unmerged;
        merge_ranges(&mut self.small, self.level, small, ids, pieces, vocab);
        merge_ranges(&mut self.large, self.level, large, ids, pieces, vocab);
        merge_ranges(&mut self.largest, self.level, largest, ids, pieces, vocab);
        for &piece in &self.cut_pieces {
            let Range { start, len } = &mut pieces[piece as usize];
            *len = remove_gaps(&mut ids[*start as usize..][..*len as usize]) as u32;
        }
        ids.resize(ids.len() + BLOCK_IDS, 0);
    }
}

/// Appends the symbols of an ASCII piece of up to [`LARGEST`] bytes, with the joins done that are sure. Returns whether there
/// are such joins.
#[inline(always)]
fn push_ascii(piece: &[u8], vocab: &Regular, symbols: &mut Vec<Symbol>) -> bool {
    let Some(table) = vocab.sure() else {
        symbols.extend(piece.iter().map(|byte| vocab.byte_symbol(*byte)));
        return false;
    };
    let mut joined = [0; LARGEST];
    let len = sure::join(table, vocab.byte_symbols(), piece, &mut joined);
    symbols.extend_from_slice(&joined[..len]);
    len < piece.len()
}

/// The most bytes of a piece that fits into one job, whatever its symbols are.
const MAX_ONE_JOB_BYTES: usize = short::max_symbols(LARGEST);

/// The first lead byte of characters of three bytes.
const THREE_BYTE_LEAD: u8 = 0xE0;

/// Returns whether a character of the piece has three bytes or more. Text in such scripts is worth cutting.
#[inline(always)]
fn has_long_chars(piece: &[u8]) -> bool {
    piece.iter().copied().fold(0, u8::max) >= THREE_BYTE_LEAD
}

/// Turns symbols into ids, without removed ones, and returns how many there are.
#[inline(always)]
fn remove_gaps(symbols: &mut [Symbol]) -> usize {
    let mut len = 0;
    for i in 0..symbols.len() {
        let symbol = symbols[i];
        symbols[len] = symbol >> SIDES;
        len += usize::from(symbol != REMOVED_SYMBOL);
    }
    len
}

/// Writes the symbols of two bytes, and returns their number.
#[inline(always)]
fn put_bytes(bytes: [u8; 2], places: &mut [Symbol], vocab: &Regular) -> usize {
    places[..2].copy_from_slice(&bytes.map(|byte| vocab.byte_symbol(byte)));
    2
}

/// Returns the character of a piece that begins at `at`, its properties, and its end.
#[inline(always)]
fn char_at(piece: &[u8], at: usize, chars: &Chars, vocab: &Regular) -> (Char, Side, usize) {
    let (code_point, len) = decode(&piece[at..]);
    let char = chars.get(code_point, vocab);
    (char, Chars::side(code_point, char), at + len)
}

/// Merges some ranges of `ids` in jobs of one size. Ranges of whole pieces become ids, those of parts stay symbols.
fn merge_ranges<const N: usize>(
    jobs: &mut Jobs<N>,
    level: Level,
    ranges: &[Unmerged],
    ids: &mut [u32],
    pieces: &mut [Range],
    vocab: &Regular,
) {
    for group in ranges.chunks(short::MAX_JOBS) {
        let symbols = |Range { start, len }| &ids[start as usize..][..len as usize];
        let symbols = group
            .iter()
            .map(|unmerged| (symbols(unmerged.range), unmerged.is_mixed));
        jobs.start(symbols, vocab);
        jobs.run(level, vocab);
        for (unmerged, merged) in group.iter().zip(jobs.finish()) {
            let Range { start, len } = unmerged.range;
            let places = &mut ids[start as usize..][..len as usize];
            if let Some(piece) = pieces.get_mut(unmerged.piece as usize) {
                piece.len = merged.len() as u32;
                for (place, symbol) in places.iter_mut().zip(merged) {
                    *place = symbol >> SIDES;
                }
            } else {
                for (i, place) in places.iter_mut().enumerate() {
                    *place = merged.get(i).copied().unwrap_or(REMOVED_SYMBOL);
                }
            }
        }
    }
}

/// Appends the ids of a piece: its own id if it is a token, otherwise those that it merges to.
pub(crate) fn encode_piece(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    match vocab.id(piece) {
        Some(id) => ids.push(id),
        None => merge_piece(piece, vocab, ids),
    }
}

/// Appends the ids of a piece that is not a token.
///
/// # Complexity
/// Linear in its bytes, except O(n log n) for adversarial pieces, bytes that are not UTF-8 and irregular vocabularies.
pub(crate) fn merge_piece(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    match vocab {
        Vocabulary::Regular(regular) => merge_regular(piece, regular, ids),
        Vocabulary::Irregular(irregular) => irregular.merge(piece, ids),
    }
}

/// Appends the ids of a piece that is not a token, with the tables of a regular vocabulary.
pub(crate) fn merge_regular(piece: &[u8], vocab: &Regular, ids: &mut Vec<TokenId>) {
    if std::str::from_utf8(piece).is_err() {
        return heap::merge_heap(piece, vocab, ids);
    }
    let mut scratch = Scratch::new(Level::new());
    scratch.add(piece, 0, piece.len(), vocab);
    scratch.merge(vocab);
    let (merged, len) = scratch.ids(0);
    ids.extend_from_slice(&merged[..len]);
}
