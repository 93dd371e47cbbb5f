//! The merge of short pieces: each has a fixed array of parts, and many pieces are merged side by side.
//!
//! A merge waits for memory: its next join cannot begin before the look-ups of the last one have arrived. So up to
//! [`MAX_JOBS`] pieces take their joins in turn, and while one waits the others go on.
//!
//! Most pieces have three to eight symbols. Loops of always eight turns, over marks at the end, were tried against
//! mispredicted loop ends: they took 2 % longer on new text. One loop over the symbols of all pieces of a group, for the
//! first look-ups, took 4 % longer (both on an AMD EPYC with AVX2, November 2026).
//!
//! A join is a word. The smallest word of a piece is its next join: lowest rank, then leftmost.
//!
//! ```text
//!  31         26 25                 8 7       6 5         0
//! +-------------+--------------------+---------+-----------+
//! |    zero     |    id and rank     |  sides  |   place   |
//! +-------------+--------------------+---------+-----------+
//!               |<---------- symbol ---------->|
//! ```
#![allow(clippy::indexing_slicing)] // places are below N by their masks, jobs below their number

use fearless_simd::{Level, Simd, dispatch};

use crate::vocab::Regular;
use crate::vocab::tables::{GRID_IDS, ID_BITS, NONE, SIDES, Symbol, pairs};

/// The places of a job for a piece of few symbols, like most pieces: its next join is found in half the time.
pub(crate) const SMALL: usize = 16;
/// The places of a job for a longer piece.
pub(crate) const LARGE: usize = 32;
/// The places of a job for any other short piece.
pub(crate) const LARGEST: usize = 64;

/// Returns the most symbols of a piece in a job with this many places: one place before and one after them hold a mark.
pub(crate) const fn max_symbols(places: usize) -> usize {
    places - 2
}

/// How many pieces are merged side by side: their jobs stay in the first-level cache.
pub(crate) const MAX_JOBS: usize = 32;

/// The bits of a place in a join.
const JOB_PLACE_BITS: u32 = LARGEST.ilog2();

/// The mark at either end of the parts: a symbol that no vocabulary has and that is joined with nothing.
const END_MARK: Symbol = ((1 << ID_BITS) - 1) << SIDES;

/// A piece that is being merged.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Job<const N: usize> {
    /// By place, the join of a part and its right neighbour, or [`NONE`].
    joins: [u32; N],
    /// Places 0 and n + 1 hold [`END_MARK`], so that every part has two neighbours.
    parts: [Symbol; N],
    /// A bit for each place that holds a part or a mark.
    alive: u64,
    /// How many symbols the piece began with.
    n: u32,
    /// Whether sure joins are done.
    is_mixed: bool,
    /// The look-ups that the last join started.
    asked: Asked,
    /// By place, the look-up of the symbol and its right neighbour that [`take`](Self::take) started.
    first_asked: [pairs::Question; N],
}

/// The memory for the jobs of a group of pieces.
pub(crate) struct Jobs<const N: usize> {
    jobs: Box<[Job<N>; MAX_JOBS]>,
    count: usize,
}

impl<const N: usize> Default for Jobs<N> {
    fn default() -> Self {
        Self {
            jobs: Box::new(
                [Job {
                    joins: [NONE; N],
                    parts: [END_MARK; N],
                    alive: 0,
                    n: 0,
                    is_mixed: false,
                    asked: Asked::default(),
                    first_asked: [pairs::Question::default(); N],
                }; MAX_JOBS],
            ),
            count: 0,
        }
    }
}

impl<const N: usize> Jobs<N> {
    /// Takes up to [`MAX_JOBS`] pieces of up to [`max_symbols`] symbols, and whether sure joins are done in each.
    #[inline(always)]
    pub(crate) fn start<'p>(
        &mut self,
        pieces: impl Iterator<Item = (&'p [Symbol], bool)>,
        vocab: &Regular,
    ) {
        self.count = 0;
        for (job, (symbols, is_mixed)) in self.jobs.iter_mut().zip(pieces) {
            job.take(symbols, is_mixed, vocab);
            self.count += 1;
        }
    }

    /// Merges the pieces that were taken.
    pub(crate) fn run(&mut self, level: Level, vocab: &Regular) {
        let jobs = &mut self.jobs[..self.count];
        dispatch!(level, simd => run(simd, jobs, vocab));
    }

    /// Returns the symbols of each piece in order, as slices of the jobs' memory.
    #[inline(always)]
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = &[Symbol]> {
        self.jobs[..self.count].iter_mut().map(Job::finish)
    }
}

/// Steps through all jobs in turn until none has a join left.
#[inline(always)]
fn run<S: Simd, const N: usize>(_: S, jobs: &mut [Job<N>], vocab: &Regular) {
    let mut active: [u8; MAX_JOBS] = std::array::from_fn(|i| i as u8);
    let mut bests = [NONE; MAX_JOBS];
    let mut count = jobs.len();
    for job in jobs.iter_mut() {
        job.start(vocab);
    }
    while count > 0 {
        let mut left = 0;
        // all next joins are found before the first is done: without a branch, so no end of a job is mispredicted. New
        // words take 1 to 3 % less time so (AMD EPYC with AVX2, November 2026)
        for i in 0..count {
            let job = active[i];
            let best = jobs[usize::from(job)].best();
            (active[left], bests[left]) = (job, best);
            left += usize::from(best != NONE);
        }
        for (job, best) in active[..left].iter().zip(&bests) {
            jobs[usize::from(*job)].join(*best, vocab);
        }
        for job in &active[..left] {
            jobs[usize::from(*job)].answer(vocab);
        }
        count = left;
    }
}

/// The look-ups of a new part with its two neighbours, and the places that the answers go to.
#[derive(Clone, Copy, Default)]
struct Asked {
    before: pairs::Question,
    after: pairs::Question,
    at: [u8; 2],
}

impl<const N: usize> Job<N> {
    /// Takes the symbols of a piece, and starts the look-ups of neighbours for [`start`](Self::start).
    ///
    /// Two bytes have a table of their own. But where sure joins are done, bytes and other symbols are mixed, and the branch
    /// would be mispredicted: there, the table of pairs is asked for all neighbours.
    #[inline(always)]
    fn take(&mut self, symbols: &[Symbol], is_mixed: bool, vocab: &Regular) {
        let n = symbols.len().min(max_symbols(N));
        let mut left = END_MARK;
        let places = self.parts[1..].iter_mut().zip(&mut self.first_asked);
        for (&symbol, (part, asked)) in symbols[..n].iter().zip(places) {
            if is_mixed || (left | symbol) >> SIDES >= GRID_IDS {
                *asked = vocab.ask(left, symbol);
            }
            (*part, left) = (symbol, symbol);
        }
        self.n = n as u32;
        self.is_mixed = is_mixed;
        // the symbols and both marks
        self.alive = u64::MAX >> (u64::BITS as usize - (n + 2));
        self.parts[n + 1] = END_MARK;
    }

    /// Finishes the look-ups that [`take`](Self::take) started.
    #[inline(always)]
    fn start(&mut self, vocab: &Regular) {
        self.joins = [NONE; N];
        for i in 1..(self.n as usize).min(max_symbols(N)) {
            let (left, right) = (self.parts[i], self.parts[i + 1]);
            let merged = if self.is_mixed || (left | right) >> SIDES >= GRID_IDS {
                vocab.answer(self.first_asked[i])
            } else {
                vocab.merged_symbols(left, right)
            };
            self.joins[i] = join_word(merged, i);
        }
    }

    /// Returns the next join, [`NONE`] if there is none.
    #[inline(always)]
    fn best(&self) -> u32 {
        self.joins.iter().fold(NONE, |best, join| best.min(*join))
    }

    /// Does a join, and starts the look-ups of the new part with its neighbours.
    #[inline(always)]
    fn join(&mut self, best: u32, vocab: &Regular) {
        let (merged, at) = (best >> JOB_PLACE_BITS, best as usize & (N - 1));
        let right = next(self.alive, at) & (N - 1);
        self.alive &= !(1 << right);
        self.joins[right] = NONE;
        self.parts[at] = merged;
        let (before, after) = (
            previous(self.alive, at) & (N - 1),
            next(self.alive, at) & (N - 1),
        );
        self.asked = Asked {
            before: vocab.ask(self.parts[before], merged),
            after: vocab.ask(merged, self.parts[after]),
            at: [before as u8, at as u8],
        };
    }

    /// Finishes the look-ups that [`join`](Self::join) started.
    #[inline(always)]
    fn answer(&mut self, vocab: &Regular) {
        let Asked { before, after, at } = self.asked;
        let [left, at] = at.map(|at| usize::from(at) & (N - 1));
        self.joins[at] = join_word(vocab.answer(after), at);
        self.joins[left] = join_word(vocab.answer(before), left);
    }

    /// Moves the symbols to the front and returns them.
    #[inline(always)]
    fn finish(&mut self) -> &[Symbol] {
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

/// Returns the join of a symbol at a place, [`NONE`] if there is none.
#[inline(always)]
fn join_word(merged: Symbol, at: usize) -> u32 {
    if merged == NONE {
        NONE
    } else {
        merged << JOB_PLACE_BITS | at as u32
    }
}

/// Returns the place of the next part after `at`.
#[inline(always)]
fn next(alive: u64, at: usize) -> usize {
    (alive & (!1 << at)).trailing_zeros() as usize
}

/// Returns the place of the part before `at`, which must not be 0.
#[inline(always)]
fn previous(alive: u64, at: usize) -> usize {
    (u64::BITS - 1) as usize - (alive & ((1 << at) - 1) | 1).leading_zeros() as usize
}
