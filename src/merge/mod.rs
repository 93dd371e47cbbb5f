//! Pieces to ids. Knows no text.
#![allow(clippy::indexing_slicing)] // positions in a piece are below its length, those in `ids` were taken from it

pub(crate) mod cache;
mod heap;
mod long;
pub(crate) mod plain;
mod short;

use fearless_simd::Level;

use crate::token_id::TokenId;
use crate::utf8::{decode, is_continuation};
use crate::vocab::chars::{Char, CharBlock, Chars};
use crate::vocab::crossings::Side;
use crate::vocab::tables::{NONE, SIDES, Symbol};
use crate::vocab::{Regular, Vocabulary};
use short::{Jobs, LARGE, LARGEST, SMALL};

/// In place of a symbol that a merge took away.
const HOLE: Symbol = NONE;

/// Ids are read in blocks of this many; so many can be read behind the ids of every piece.
pub(crate) const BLOCK_IDS: usize = 8;

/// More ids than a batch of ordinary pieces has.
const MAX_IDS_KEPT: usize = 1 << 16;

/// More parts than such pieces have.
const MAX_OPEN_KEPT: usize = 1 << 12;

/// Memory that merging works in: the pieces of a batch, and their ids.
pub(crate) struct Scratch {
    level: Level,
    small: Jobs<SMALL>,
    large: Jobs<LARGE>,
    largest: Jobs<LARGEST>,
    blocks: long::Blocks,
    /// The ids of the pieces, one after the other; before [`merge`](Self::merge) the symbols of those to be merged.
    ids: Vec<u32>,
    /// Where the ids of each piece are.
    pieces: Vec<Range>,
    /// The ranges that are still to be merged, in a small job, a large one, and one of the largest.
    open: [Vec<Open>; 3],
    /// The pieces that are merged in parts.
    parted: Vec<u32>,
}

/// A range of [`Scratch::ids`].
#[derive(Clone, Copy)]
struct Range {
    start: u32,
    len: u32,
}

/// A range that is to be merged, and the piece if it is all of it.
#[derive(Clone, Copy)]
struct Open {
    range: Range,
    piece: u32,
}

/// In place of a piece: the range is a part of one.
const PART_OF_PIECE: u32 = u32::MAX;

impl Scratch {
    pub(crate) fn new(level: Level) -> Self {
        Self {
            level,
            small: Jobs::default(),
            large: Jobs::default(),
            largest: Jobs::default(),
            blocks: long::Blocks::default(),
            ids: Vec::new(),
            pieces: Vec::new(),
            open: Default::default(),
            parted: Vec::new(),
        }
    }

    /// Forgets the pieces of the last batch.
    pub(crate) fn clear(&mut self) {
        self.ids.clear();
        self.pieces.clear();
        self.parted.clear();
        self.open.iter_mut().for_each(Vec::clear);
    }

    /// Gives back what one huge piece took.
    pub(crate) fn give_back(&mut self) {
        if self.ids.capacity() > MAX_IDS_KEPT {
            self.ids = Vec::new();
        }
        let open = self.open.iter_mut();
        for open in open.filter(|open| open.capacity() > MAX_OPEN_KEPT) {
            *open = Vec::new();
        }
    }

    /// An upper bound of the number of ids of all pieces, and of what their last blocks take.
    pub(crate) fn len(&self) -> usize {
        self.ids.len() + BLOCK_IDS * self.pieces.len()
    }

    /// The ids of a piece, of which whole blocks are readable, and their number.
    #[inline(always)]
    pub(crate) fn ids(&self, piece: usize) -> (&[TokenId], usize) {
        let Range { start, len } = self.pieces[piece];
        (&self.ids[start as usize..], len as usize)
    }

    /// Adds a piece that is a token.
    #[inline(always)]
    pub(crate) fn add_id(&mut self, id: TokenId) {
        self.ids.push(id);
        self.add_piece(self.ids.len() - 1);
    }

    /// Adds the piece `buffer[start..end]`, a text that is no token.
    pub(crate) fn add(&mut self, buffer: &[u8], start: usize, end: usize, vocab: &Regular) {
        let piece = buffer.get(start..end).unwrap_or_default();
        let (first, number) = (self.ids.len(), self.pieces.len() as u32);
        let in_one_job = piece.len() <= MOST_BYTES;
        if in_one_job && piece.is_ascii() {
            self.ids
                .extend(piece.iter().map(|byte| vocab.byte_symbol(*byte)));
            self.open(first, number);
        } else if in_one_job && !has_long_chars(piece) {
            self.add_uncut(piece, vocab);
            self.open(first, number);
        } else if !piece.is_ascii() {
            self.add_chars(piece, vocab);
            self.parted.push(number);
        } else {
            let mut ids = std::mem::take(&mut self.ids);
            long::merge_long(piece, vocab, self, &mut ids);
            self.ids = ids;
        }
        self.add_piece(first);
    }

    /// Ends a piece, which has what is in `ids` from `start` on.
    #[inline(always)]
    fn add_piece(&mut self, start: usize) {
        self.pieces.push(Range {
            start: start as u32,
            len: (self.ids.len() - start) as u32,
        });
    }

    /// Adds a piece as one range of symbols, without looking for places to cut it.
    fn add_uncut(&mut self, piece: &[u8], vocab: &Regular) {
        let chars = vocab.chars();
        let start = self.ids.len();
        // a character has no more symbols than bytes; four are written at a time
        self.ids.resize(start + piece.len() + 4, 0);
        let places = &mut self.ids[start..];
        let (mut len, mut next) = (0, 0);
        while next < piece.len() {
            let (code_point, char_len) = decode(&piece[next..]);
            let block = chars.block(code_point, vocab);
            let char = block.get(code_point);
            if let Some(symbol) = char.single() {
                places[len] = symbol;
                len += 1;
            } else {
                let symbols = block
                    .other(char)
                    .within(lowest_partial(piece, next, chars, vocab));
                places[len..len + 4].copy_from_slice(&symbols.symbols);
                len += symbols.len;
            }
            next += char_len;
        }
        self.ids.truncate(start + len);
    }

    /// Adds a piece of one character at least. It is cut where no token can cross, and the parts are merged on their own.
    ///
    /// A character that no token shares with a neighbour but as a whole merges as if it were alone: every merge with a
    /// neighbour has a token for the whole character as one side, so that it has a higher rank and comes later.
    fn add_chars(&mut self, piece: &[u8], vocab: &Regular) {
        let chars = vocab.chars();
        let (mut char, mut side, mut next) = char_at(piece, 0, chars, vocab);
        // where the part begins, in `ids` and in the piece; where the character
        // begins, and what of its fragments may cross there
        let (mut first, mut from, mut begin, mut fragments) = (self.ids.len(), 0, 0, NONE);
        while next < piece.len() {
            let at = next;
            let (next_char, after, end) = char_at(piece, at, chars, vocab);
            let partial = chars.crossings.partial(side, after);
            self.push(char, partial.min(fragments));
            if partial == NONE
                && (side.last | after.lead) >= 0x80
                && !chars.crossings.whole(side, after)
            {
                // a character alone is merged already
                if from != begin {
                    self.close(first, &piece[from..at], vocab);
                }
                (first, from) = (self.ids.len(), at);
            }
            (char, side, begin, next, fragments) = (next_char, after, at, end, partial);
        }
        self.push(char, fragments);
        if from != begin {
            self.close(first, &piece[from..], vocab);
        }
    }

    #[inline(always)]
    fn push(&mut self, (block, char): (&CharBlock, Char), partial: TokenId) {
        match char.single() {
            Some(symbol) => self.ids.push(symbol),
            None => block.other(char).within(partial).push_to(&mut self.ids),
        }
    }

    /// Ends a part of a piece, which has its symbols from `first` on.
    #[inline(always)]
    fn close(&mut self, first: usize, part: &[u8], vocab: &Regular) {
        match self.ids[first..] {
            [] | [_] => {}
            [left, right] => {
                let merged = vocab.merged_symbols(left, right);
                if merged != NONE {
                    self.ids.truncate(first);
                    self.ids.push(merged);
                }
            }
            _ if self.ids.len() - first <= short::max(LARGEST) => self.open(first, PART_OF_PIECE),
            _ => {
                self.ids.truncate(first);
                let mut ids = Vec::new();
                long::merge_long(part, vocab, self, &mut ids);
                self.ids.extend(ids.iter().map(|id| id << SIDES));
            }
        }
    }

    #[inline(always)]
    fn open(&mut self, first: usize, piece: u32) {
        let len = self.ids.len() - first;
        let size = usize::from(len > short::max(SMALL)) + usize::from(len > short::max(LARGE));
        self.open[size].push(Open {
            range: Range {
                start: first as u32,
                len: len as u32,
            },
            piece,
        });
    }

    /// Merges what is still open.
    pub(crate) fn merge(&mut self, vocab: &Regular) {
        let (ids, pieces, [small, large, largest]) = (&mut self.ids, &mut self.pieces, &self.open);
        merge_open(&mut self.small, self.level, small, ids, pieces, vocab);
        merge_open(&mut self.large, self.level, large, ids, pieces, vocab);
        merge_open(&mut self.largest, self.level, largest, ids, pieces, vocab);
        for &piece in &self.parted {
            let Range { start, len } = &mut pieces[piece as usize];
            *len = close_up(&mut ids[*start as usize..][..*len as usize]) as u32;
        }
        ids.resize(ids.len() + BLOCK_IDS, 0);
    }
}

/// The most bytes of a piece that surely fits a job.
const MOST_BYTES: usize = short::max(LARGEST);

/// Whether a character of the piece has three bytes or more. Those scripts are worth cutting.
#[inline(always)]
fn has_long_chars(piece: &[u8]) -> bool {
    piece.iter().copied().fold(0, u8::max) >= 0xE0
}

/// Symbols to ids, without the holes among them; how many there are.
#[inline(always)]
fn close_up(symbols: &mut [Symbol]) -> usize {
    let mut len = 0;
    for i in 0..symbols.len() {
        let symbol = symbols[i];
        symbols[len] = symbol >> SIDES;
        len += usize::from(symbol != HOLE);
    }
    len
}

/// The lowest rank of a token that joins fragments of the character at `at` to a neighbour.
fn lowest_partial(piece: &[u8], at: usize, chars: &Chars, vocab: &Regular) -> TokenId {
    let (_, side, end) = char_at(piece, at, chars, vocab);
    let mut lowest = NONE;
    if let Some(before) = (0..at).rev().find(|at| !is_continuation(piece[*at])) {
        let (_, before, _) = char_at(piece, before, chars, vocab);
        lowest = chars.crossings.partial(before, side);
    }
    if end < piece.len() {
        let (_, after, _) = char_at(piece, end, chars, vocab);
        lowest = lowest.min(chars.crossings.partial(side, after));
    }
    lowest
}

/// The character of a piece that begins at `at`, and where it ends.
#[inline(always)]
fn char_at<'c>(
    piece: &[u8],
    at: usize,
    chars: &'c Chars,
    vocab: &Regular,
) -> ((&'c CharBlock, Char), Side, usize) {
    let (code_point, len) = decode(&piece[at..]);
    let block = chars.block(code_point, vocab);
    let char = block.get(code_point);
    let side = Side {
        code_point,
        flags: char.flags(),
        lead: piece[at],
        last: piece[at + len - 1],
    };
    ((block, char), side, at + len)
}

fn merge_open<const N: usize>(
    jobs: &mut Jobs<N>,
    level: Level,
    open: &[Open],
    ids: &mut [u32],
    pieces: &mut [Range],
    vocab: &Regular,
) {
    for group in open.chunks(short::BATCH) {
        let symbols = |Range { start, len }| &ids[start as usize..][..len as usize];
        jobs.start(group.iter().map(|open| symbols(open.range)), vocab);
        jobs.run(level, vocab);
        for (open, merged) in group.iter().zip(jobs.finish()) {
            let Range { start, len } = open.range;
            let places = &mut ids[start as usize..][..len as usize];
            if let Some(piece) = pieces.get_mut(open.piece as usize) {
                piece.len = merged.len() as u32;
                for (place, symbol) in places.iter_mut().zip(merged) {
                    *place = symbol >> SIDES;
                }
            } else {
                for (i, place) in places.iter_mut().enumerate() {
                    *place = merged.get(i).copied().unwrap_or(HOLE);
                }
            }
        }
    }
}

/// Appends the ids of a piece: its own id if it is a token, or else those it merges to.
pub(crate) fn encode_piece(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    match vocab.id(piece) {
        Some(id) => ids.push(id),
        None => merge_piece(piece, vocab, ids),
    }
}

/// Appends the ids of a piece that is no token.
///
/// Linear in its bytes for all but pieces made against it, and O(n log n) for those.
pub(crate) fn merge_piece(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    match vocab {
        Vocabulary::Regular(regular) => merge_regular(piece, regular, ids),
        Vocabulary::Irregular(irregular) => irregular.merge(piece, ids),
    }
}

/// Appends the ids of a piece that is no token, by the tables of a regular vocabulary.
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
