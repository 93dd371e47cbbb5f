//! The merge of short pieces: a fixed array of parts, and many pieces abreast.
//!
//! What a merge waits for is memory: the next step cannot begin before the last one's look-ups are back. So the pieces of
//! a batch take their steps in turn, and while one waits the others go on.
#![allow(clippy::indexing_slicing)] // places are below N by their masks, jobs below the size of the batch

use fearless_simd::{Level, Simd, dispatch};

use crate::TokenId;
use crate::vocab::Vocabulary;
use crate::vocab::tables::NONE;

/// The most parts that a piece may have: with one mark before and one behind them, they fill the places of a job.
pub(crate) const MAX: usize = N - 2;

/// Whether a piece has few enough parts to begin with.
pub(crate) fn fits(piece: &[u8], vocab: &Vocabulary) -> bool {
    if piece.len() <= MAX {
        return true;
    }
    // a character has a part for each of its bytes at most, and one at least
    if piece.len() > 4 * MAX || piece.is_ascii() {
        return false;
    }
    let chars = vocab.chars();
    let (mut n, mut at) = (0, 0);
    while at < piece.len() {
        let (parts, len) = if piece[at] < 0x80 {
            ([0, NONE, NONE, NONE], 1)
        } else {
            chars.at(&piece[at..], vocab)
        };
        n += parts.iter().filter(|id| **id != NONE).count();
        at += len;
    }
    n <= MAX
}

/// How many pieces are merged abreast: their jobs stay in the first-level cache.
pub(crate) const BATCH: usize = 32;

const N: usize = 32;

/// A token that no vocabulary has.
const NO_PART: TokenId = (1 << 21) - 1;

/// A piece that is being merged.
///
/// Each part knows what it and its right neighbour merge to, in a word with its place below the rank, so that the
/// smallest word is the merge to do next: lowest rank, then leftmost.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Job {
    joins: [u32; N],
    /// Places 0 and n + 1 hold a mark that merges with nothing, so that no part has to ask whether it has neighbours.
    parts: [TokenId; N],
    /// The places that hold parts or marks.
    alive: u32,
    n: u32,
}

/// The memory for a batch.
pub(crate) struct Jobs(Box<[Job; BATCH]>);

impl Default for Jobs {
    fn default() -> Self {
        Self(Box::new(
            [Job {
                joins: [NONE; N],
                parts: [NO_PART; N],
                alive: 0,
                n: 0,
            }; BATCH],
        ))
    }
}

impl Jobs {
    /// Merges pieces that [fit](fits), at most [`BATCH`] of them, and hands the ids of each to `done`: those of
    /// [`plain::merge`](super::plain::merge).
    pub(crate) fn merge<'p>(
        &mut self,
        level: Level,
        vocab: &Vocabulary,
        pieces: impl Iterator<Item = &'p [u8]>,
        mut done: impl FnMut(usize, &[TokenId]),
    ) {
        let mut count = 0;
        for (job, piece) in self.0.iter_mut().zip(pieces) {
            job.start(piece, vocab);
            count += 1;
        }
        let jobs = &mut self.0[..count];
        dispatch!(level, simd => run(simd, jobs, vocab));
        for (i, job) in jobs.iter_mut().enumerate() {
            done(i, job.finish());
        }
    }
}

/// Steps through all jobs in turn until none has a merge left.
#[inline(always)]
fn run<S: Simd>(_: S, jobs: &mut [Job], vocab: &Vocabulary) {
    let mut active: [u8; BATCH] = std::array::from_fn(|i| i as u8);
    let mut count = jobs.len();
    while count > 0 {
        let mut left = 0;
        for i in 0..count {
            let job = active[i];
            active[left] = job;
            left += usize::from(jobs[usize::from(job)].step(vocab));
        }
        count = left;
    }
}

impl Job {
    /// Takes a piece whose parts fit: one for each byte, but for characters that can be merged before.
    fn start(&mut self, piece: &[u8], vocab: &Vocabulary) {
        self.joins = [NONE; N];
        let n = if piece.is_ascii() {
            self.start_ascii(piece, vocab)
        } else {
            self.start_unicode(piece, vocab)
        };
        self.n = n as u32;
        self.alive = ((1_u64 << (n + 2)) - 1) as u32;
        self.parts[n + 1] = NO_PART;
    }

    #[inline(always)]
    fn start_ascii(&mut self, piece: &[u8], vocab: &Vocabulary) -> usize {
        for (part, byte) in self.parts[1..].iter_mut().zip(piece) {
            *part = vocab.byte(*byte);
        }
        for (i, pair) in (1..).zip(piece.windows(2)) {
            self.joins[i] = word(vocab.merged_bytes(pair[0], pair[1]), i);
        }
        piece.len()
    }

    fn start_unicode(&mut self, piece: &[u8], vocab: &Vocabulary) -> usize {
        let chars = vocab.chars();
        let (mut n, mut at) = (0, 0);
        while at < piece.len() && n < MAX {
            if piece[at] < 0x80 {
                n += 1;
                self.parts[n] = vocab.byte(piece[at]);
                at += 1;
                continue;
            }
            let (parts, len) = chars.at(&piece[at..], vocab);
            for id in parts {
                if id == NONE {
                    break;
                }
                n += 1;
                self.parts[n & (N - 1)] = id;
            }
            at += len;
        }
        for i in 1..n {
            self.joins[i] = word(vocab.merged(self.parts[i], self.parts[i + 1]), i);
        }
        n
    }

    /// Does the next merge, if there is one.
    #[inline(always)]
    fn step(&mut self, vocab: &Vocabulary) -> bool {
        let best = self.joins.iter().fold(NONE, |best, join| best.min(*join));
        if best == NONE {
            return false;
        }
        let (merged, at) = (best >> 5, (best & 31) as usize);
        let right = next(self.alive, at);
        self.alive &= !(1 << right);
        self.joins[right] = NONE;
        self.parts[at] = merged;
        let (before, after) = (previous(self.alive, at), next(self.alive, at));
        self.joins[at] = word(vocab.merged(merged, self.parts[after]), at);
        self.joins[before] = word(vocab.merged(self.parts[before], merged), before);
        true
    }

    /// Moves the ids to the front.
    #[inline(always)]
    fn finish(&mut self) -> &[TokenId] {
        let mut places = self.alive & !1 & !(1 << (self.n + 1));
        let mut len = 0;
        while places != 0 {
            self.parts[len + 1] = self.parts[places.trailing_zeros() as usize & (N - 1)];
            places &= places - 1;
            len += 1;
        }
        &self.parts[1..=len]
    }
}

#[inline(always)]
fn word(merged: TokenId, at: usize) -> u32 {
    if merged == NONE {
        NONE
    } else {
        merged << 5 | at as u32
    }
}

/// The place of the next part behind `at`.
#[inline(always)]
fn next(alive: u32, at: usize) -> usize {
    (alive & (!1 << at)).trailing_zeros() as usize & (N - 1)
}

/// The place of the part before `at`, which is not 0.
#[inline(always)]
fn previous(alive: u32, at: usize) -> usize {
    31 - (alive & ((1 << at) - 1) | 1).leading_zeros() as usize
}
