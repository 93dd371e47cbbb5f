//! Pieces to ids. Knows no text.

pub(crate) mod cache;
mod heap;
mod long;
pub(crate) mod plain;
mod short;

use fearless_simd::Level;

use crate::TokenId;
use crate::vocab::{Vocabulary, piece_key};

/// Memory that merging works in.
pub(crate) struct Scratch {
    level: Level,
    jobs: short::Jobs,
    blocks: long::Blocks,
    /// The parts of all pieces of a batch, in order.
    parts: Vec<Part>,
    /// Those of them that are still to be merged.
    open: Vec<Open>,
    /// The ids of the parts.
    ids: Vec<TokenId>,
}

/// The ids of a part: a range of [`Scratch::ids`].
#[derive(Clone, Copy, Default)]
struct Part {
    start: u32,
    len: u32,
}

/// A part without ids: which one, and its bytes.
#[derive(Clone, Copy)]
struct Open {
    part: u32,
    start: u32,
    len: u32,
}

impl Scratch {
    pub(crate) fn new(level: Level) -> Self {
        Self {
            level,
            jobs: short::Jobs::default(),
            blocks: long::Blocks::default(),
            parts: Vec::new(),
            open: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// Forgets the pieces of the last batch.
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
        self.open.clear();
        self.ids.clear();
    }

    /// How many parts the batch has.
    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// An upper bound of the number of ids of the batch.
    pub(crate) fn total(&self) -> usize {
        self.ids.len()
    }

    /// Adds a piece whose ids are known.
    pub(crate) fn add_known(&mut self, ids: &[TokenId]) {
        let start = self.ids.len() as u32;
        self.ids.extend_from_slice(ids);
        self.parts.push(Part {
            start,
            len: ids.len() as u32,
        });
    }

    /// Adds the piece `buffer[start..end]`, which is no token.
    ///
    /// It is cut where no token can cross. Parts that are tokens are known then, and long ones are merged at once.
    pub(crate) fn add(&mut self, buffer: &[u8], start: usize, end: usize, vocab: &Vocabulary) {
        let piece = buffer.get(start..end).unwrap_or_default();
        if short::fits(piece, vocab) {
            return self.add_open(start, end);
        }
        if piece.is_ascii() {
            return self.add_long(buffer, start, end, vocab);
        }
        let crossings = vocab.crossings();
        let mut at = 0;
        while at < piece.len() {
            let next = crossings.part_end(piece, at);
            let (from, to) = (start + at, start + next);
            match known(buffer, from, to - from, vocab) {
                Some(id) => self.add_known(&[id]),
                None if short::fits(piece.get(at..next).unwrap_or_default(), vocab) => {
                    self.add_open(from, to);
                }
                None => self.add_long(buffer, from, to, vocab),
            }
            at = next;
        }
    }

    fn add_open(&mut self, start: usize, end: usize) {
        let part = self.parts.len() as u32;
        self.parts.push(Part::default());
        self.open.push(Open {
            part,
            start: start as u32,
            len: (end - start) as u32,
        });
    }

    fn add_long(&mut self, buffer: &[u8], start: usize, end: usize, vocab: &Vocabulary) {
        let mut ids = std::mem::take(&mut self.ids);
        let before = ids.len();
        long::merge(
            buffer.get(start..end).unwrap_or_default(),
            vocab,
            self,
            &mut ids,
        );
        self.parts.push(Part {
            start: before as u32,
            len: (ids.len() - before) as u32,
        });
        self.ids = ids;
    }

    /// Merges what is still open.
    pub(crate) fn merge(&mut self, buffer: &[u8], vocab: &Vocabulary) {
        for group in self.open.chunks(short::BATCH) {
            let pieces = group.iter().map(|open| {
                let start = open.start as usize;
                buffer
                    .get(start..start + open.len as usize)
                    .unwrap_or_default()
            });
            self.jobs.merge(self.level, vocab, pieces, |i, ids| {
                let start = self.ids.len() as u32;
                self.ids.extend_from_slice(ids);
                if let Some(part) = group
                    .get(i)
                    .and_then(|open| self.parts.get_mut(open.part as usize))
                {
                    *part = Part {
                        start,
                        len: ids.len() as u32,
                    };
                }
            });
        }
    }

    /// The ids of a part of the batch.
    #[inline]
    pub(crate) fn part(&self, part: usize) -> &[TokenId] {
        let Part { start, len } = self.parts.get(part).copied().unwrap_or_default();
        self.ids
            .get(start as usize..start as usize + len as usize)
            .unwrap_or_default()
    }
}

/// The id of a part, if it is a token.
#[inline]
fn known(buffer: &[u8], start: usize, len: usize, vocab: &Vocabulary) -> Option<TokenId> {
    match len {
        1 => buffer.get(start).map(|byte| vocab.byte(*byte)),
        ..=16 => vocab.id_of_key(piece_key(buffer, start, len)),
        _ => vocab.id(buffer.get(start..start + len)?),
    }
}

/// The longest piece that is not UTF-8 and that the plain merge is good for.
const SHORT: usize = 64;

/// Appends the ids of a piece that is no token, and need not be UTF-8.
///
/// Linear in its bytes for all text but such as is made against it, and O(n log n) for that.
pub(crate) fn merge(piece: &[u8], vocab: &Vocabulary, ids: &mut Vec<TokenId>) {
    if std::str::from_utf8(piece).is_err() {
        // what is known of characters does not hold
        return if piece.len() <= SHORT {
            plain::merge(piece, vocab, ids);
        } else {
            heap::merge(piece, vocab, ids);
        };
    }
    let mut scratch = Scratch::new(Level::new());
    scratch.add(piece, 0, piece.len(), vocab);
    scratch.merge(piece, vocab);
    for part in 0..scratch.parts() {
        ids.extend_from_slice(scratch.part(part));
    }
}
