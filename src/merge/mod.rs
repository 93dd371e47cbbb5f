//! Pieces to ids. Knows no text.
#![allow(clippy::indexing_slicing)] // positions in a piece are below its length, those in `ids` were taken from it

pub(crate) mod cache;
mod heap;
mod long;
pub(crate) mod plain;
mod short;

use fearless_simd::Level;

use crate::TokenId;
use crate::vocab::Vocabulary;
use crate::vocab::chars::{Char, Chars, Symbols, decode};
use crate::vocab::crossings::Side;
use crate::vocab::tables::NONE;
use short::{Jobs, LARGE, SMALL};

/// In place of an id that a merge took away.
pub(crate) const HOLE: TokenId = NONE;

/// Memory that merging works in.
pub(crate) struct Scratch {
    level: Level,
    small: Jobs<SMALL>,
    large: Jobs<LARGE>,
    blocks: long::Blocks,
    /// The pieces of a batch, one after the other: first their symbols, in the end their ids and holes.
    ids: Vec<TokenId>,
    /// The ranges of `ids` that are still to be merged, in a small job and in a large one.
    open: [Vec<Open>; 2],
}

/// A range of [`Scratch::ids`].
#[derive(Clone, Copy)]
struct Open {
    start: u32,
    len: u32,
}

impl Scratch {
    pub(crate) fn new(level: Level) -> Self {
        Self {
            level,
            small: Jobs::default(),
            large: Jobs::default(),
            blocks: long::Blocks::default(),
            ids: Vec::new(),
            open: Default::default(),
        }
    }

    /// Forgets the pieces of the last batch.
    pub(crate) fn clear(&mut self) {
        self.ids.clear();
        self.open.iter_mut().for_each(Vec::clear);
    }

    /// How many places the pieces of the batch take; an upper bound of the number of their ids.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The ids of the pieces at these places, with holes among them.
    #[inline]
    pub(crate) fn ids(&self, start: u32, end: u32) -> &[TokenId] {
        self.ids
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// Adds a piece that is a token.
    pub(crate) fn add_known(&mut self, id: TokenId) {
        self.ids.push(id);
    }

    /// Adds the piece `buffer[start..end]`, a text that is no token.
    pub(crate) fn add(&mut self, buffer: &[u8], start: usize, end: usize, vocab: &Vocabulary) {
        let piece = buffer.get(start..end).unwrap_or_default();
        if !piece.is_ascii() {
            return self.add_chars(piece, vocab);
        }
        let first = self.ids.len();
        if piece.len() <= short::max(LARGE) {
            self.ids.extend(piece.iter().map(|byte| vocab.byte(*byte)));
            self.open(first);
        } else {
            self.add_long(piece, vocab);
        }
    }

    /// Adds a piece of one character at least. It is cut where no token can cross, and the parts are merged on their own.
    ///
    /// A character that no token shares with a neighbour but as a whole merges as if it were alone: every merge with a
    /// neighbour has a token for the whole character as one side, so that it has a higher rank and comes later.
    fn add_chars(&mut self, piece: &[u8], vocab: &Vocabulary) {
        let chars = vocab.chars();
        let (mut char, mut side, mut next) = char_at(piece, 0, chars, vocab);
        // where the part begins, in `ids` and in the piece; where the character
        // begins, and whether fragments may cross there
        let (mut first, mut from, mut begin, mut fragments) = (self.ids.len(), 0, 0, false);
        while next < piece.len() {
            let at = next;
            let (next_char, after, end) = char_at(piece, at, chars, vocab);
            let partial = chars.crossings.partial(side, after);
            let symbols = if fragments | partial {
                char.parts
            } else {
                char.whole
            };
            self.push(symbols);
            if !partial && (side.last | after.lead) >= 0x80 && !chars.crossings.whole(side, after) {
                // a character alone is merged already
                if from != begin {
                    self.close(first, &piece[from..at], vocab);
                }
                (first, from) = (self.ids.len(), at);
            }
            (char, side, begin, next, fragments) = (next_char, after, at, end, partial);
        }
        self.push(if fragments { char.parts } else { char.whole });
        if from != begin {
            self.close(first, &piece[from..], vocab);
        }
    }

    #[inline(always)]
    fn push(&mut self, symbols: Symbols) {
        self.ids.extend_from_slice(&symbols.ids());
        self.ids.truncate(self.ids.len() - 4 + symbols.len());
    }

    /// Ends a part, which has its symbols from `first` on.
    #[inline(always)]
    fn close(&mut self, first: usize, part: &[u8], vocab: &Vocabulary) {
        match self.ids[first..] {
            [] | [_] => {}
            [left, right] => {
                let merged = vocab.merged_symbols(left, right);
                if merged != NONE {
                    self.ids.truncate(first);
                    self.ids.push(merged);
                }
            }
            _ if self.ids.len() - first <= short::max(LARGE) => self.open(first),
            _ => {
                self.ids.truncate(first);
                self.add_long(part, vocab);
            }
        }
    }

    #[inline(always)]
    fn open(&mut self, first: usize) {
        let len = self.ids.len() - first;
        self.open[usize::from(len > short::max(SMALL))].push(Open {
            start: first as u32,
            len: len as u32,
        });
    }

    fn add_long(&mut self, piece: &[u8], vocab: &Vocabulary) {
        let mut ids = std::mem::take(&mut self.ids);
        long::merge(piece, vocab, self, &mut ids);
        self.ids = ids;
    }

    /// Merges what is still open.
    pub(crate) fn merge(&mut self, vocab: &Vocabulary) {
        let [small, large] = &self.open;
        merge_open(&mut self.small, self.level, small, &mut self.ids, vocab);
        merge_open(&mut self.large, self.level, large, &mut self.ids, vocab);
    }
}

/// The character of a piece that begins at `at`, and where it ends.
#[inline(always)]
fn char_at(piece: &[u8], at: usize, chars: &Chars, vocab: &Vocabulary) -> (Char, Side, usize) {
    let (code_point, len) = decode(&piece[at..]);
    let char = chars.get(code_point, vocab);
    let side = Side {
        code_point,
        flags: char.whole.flags(),
        lead: piece[at],
        last: piece[at + len - 1],
    };
    (char, side, at + len)
}

fn merge_open<const N: usize>(
    jobs: &mut Jobs<N>,
    level: Level,
    open: &[Open],
    ids: &mut [TokenId],
    vocab: &Vocabulary,
) {
    for group in open.chunks(short::BATCH) {
        jobs.start(
            group
                .iter()
                .map(|open| &ids[open.start as usize..][..open.len as usize]),
            vocab,
        );
        jobs.run(level, vocab);
        for (open, merged) in group.iter().zip(jobs.finish()) {
            let places = &mut ids[open.start as usize..][..open.len as usize];
            for (i, place) in places.iter_mut().enumerate() {
                *place = merged.get(i).copied().unwrap_or(HOLE);
            }
        }
    }
}

/// Appends the ids of a piece that is no token.
///
/// Linear in its bytes for all but pieces made against it, and O(n log n) for those.
pub(crate) fn merge(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    if std::str::from_utf8(piece).is_err() {
        return heap::merge(piece, vocab, ids);
    }
    let mut scratch = Scratch::new(Level::new());
    scratch.add(piece, 0, piece.len(), vocab);
    scratch.merge(vocab);
    ids.extend(scratch.ids.iter().filter(|id| **id != HOLE));
}
