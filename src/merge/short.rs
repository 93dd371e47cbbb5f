//! The merge of short pieces: a fixed array of parts, and many pieces abreast.
//!
//! What a merge waits for is memory: the next step cannot begin before the last one's look-ups are back. So the pieces of
//! a batch take their steps in turn, and while one waits the others go on.
#![allow(clippy::indexing_slicing)] // places are below N by their masks, jobs below the size of the batch

use fearless_simd::{Level, Simd, dispatch};

use crate::vocab::Regular;
use crate::vocab::tables::{NONE, SIDES, Symbol, pairs};

/// The places of the job of a piece of few symbols, as most are: the next merge is found in half the time.
pub(crate) const SMALL: usize = 16;
/// The places of the job of a longer piece.
pub(crate) const LARGE: usize = 32;
/// The places of the job of any other short piece.
pub(crate) const LARGEST: usize = 64;

/// The most symbols of a piece: with one mark before and one behind them, they fill the places of a job.
pub(crate) const fn max(places: usize) -> usize {
    places - 2
}

/// How many pieces are merged abreast: their jobs stay in the first-level cache.
pub(crate) const BATCH: usize = 32;

/// The bits of a place below the symbol that merges there.
const PLACE_BITS: u32 = LARGEST.ilog2();

/// A token that no vocabulary has, and that merges with nothing.
const NO_PART: Symbol = ((1 << 18) - 1) << SIDES;

/// A piece that is being merged.
///
/// Each part knows what it and its right neighbour merge to, in a word with its place below the rank, so that the
/// smallest word is the merge to do next: lowest rank, then leftmost.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Job<const N: usize> {
    joins: [u32; N],
    /// Places 0 and n + 1 hold a mark that merges with nothing, so that no part has to ask whether it has neighbours.
    parts: [Symbol; N],
    /// The places that hold parts or marks.
    alive: u64,
    n: u32,
    /// What the last merge asks.
    asked: Asked,
}

/// The memory for a batch.
pub(crate) struct Jobs<const N: usize> {
    jobs: Box<[Job<N>; BATCH]>,
    count: usize,
}

impl<const N: usize> Default for Jobs<N> {
    fn default() -> Self {
        Self {
            jobs: Box::new(
                [Job {
                    joins: [NONE; N],
                    parts: [NO_PART; N],
                    alive: 0,
                    n: 0,
                    asked: Asked::default(),
                }; BATCH],
            ),
            count: 0,
        }
    }
}

impl<const N: usize> Jobs<N> {
    /// Takes pieces of at most [`max`] symbols, at most [`BATCH`] of them.
    #[inline(always)]
    pub(crate) fn start<'p>(
        &mut self,
        pieces: impl Iterator<Item = &'p [Symbol]>,
        vocab: &Regular,
    ) {
        self.count = 0;
        for (job, symbols) in self.jobs.iter_mut().zip(pieces) {
            job.take(symbols, vocab);
            self.count += 1;
        }
    }

    /// Merges them.
    pub(crate) fn run(&mut self, level: Level, vocab: &Regular) {
        let jobs = &mut self.jobs[..self.count];
        dispatch!(level, simd => run(simd, jobs, vocab));
    }

    /// Hands over the symbols of each piece in order, in a slice that can be overwritten.
    #[inline(always)]
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = &[Symbol]> {
        self.jobs[..self.count].iter_mut().map(Job::finish)
    }
}

/// Steps through all jobs in turn until none has a merge left.
#[inline(always)]
fn run<S: Simd, const N: usize>(_: S, jobs: &mut [Job<N>], vocab: &Regular) {
    let mut active: [u8; BATCH] = std::array::from_fn(|i| i as u8);
    let mut count = jobs.len();
    for job in jobs.iter_mut() {
        job.start(vocab);
    }
    while count > 0 {
        let mut left = 0;
        for i in 0..count {
            let job = active[i];
            let best = jobs[usize::from(job)].best();
            if best != NONE {
                active[left] = job;
                jobs[usize::from(job)].join(best, vocab);
                left += 1;
            }
        }
        for job in &active[..left] {
            jobs[usize::from(*job)].answer(vocab);
        }
        count = left;
    }
}

/// What a new part and its neighbours are asked, and the places that the answers go to.
#[derive(Clone, Copy, Default)]
struct Asked {
    before: pairs::Question,
    after: pairs::Question,
    at: [u8; 2],
}

impl<const N: usize> Job<N> {
    /// Takes the symbols of a piece, and fetches what [`start`](Self::start) looks up.
    #[inline(always)]
    fn take(&mut self, symbols: &[Symbol], vocab: &Regular) {
        let n = symbols.len().min(max(N));
        let mut left = NO_PART;
        for (part, &symbol) in self.parts[1..].iter_mut().zip(&symbols[..n]) {
            if (left | symbol) >> SIDES >= 256 {
                vocab.ask(left, symbol);
            }
            (*part, left) = (symbol, symbol);
        }
        self.n = n as u32;
        self.alive = u64::MAX >> (62 - n);
        self.parts[n + 1] = NO_PART;
    }

    #[inline(always)]
    fn start(&mut self, vocab: &Regular) {
        self.joins = [NONE; N];
        for i in 1..(self.n as usize).min(max(N)) {
            self.joins[i] = word(vocab.merged_symbols(self.parts[i], self.parts[i + 1]), i);
        }
    }

    /// The next merge, [`NONE`] if there is none.
    #[inline(always)]
    fn best(&self) -> u32 {
        self.joins.iter().fold(NONE, |best, join| best.min(*join))
    }

    /// Does a merge, and asks what comes of it.
    #[inline(always)]
    fn join(&mut self, best: u32, vocab: &Regular) {
        let (merged, at) = (best >> PLACE_BITS, best as usize & (N - 1));
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

    /// Takes the answers.
    #[inline(always)]
    fn answer(&mut self, vocab: &Regular) {
        let Asked { before, after, at } = self.asked;
        let [left, at] = at.map(|at| usize::from(at) & (N - 1));
        self.joins[at] = word(vocab.answer(after), at);
        self.joins[left] = word(vocab.answer(before), left);
    }

    /// Moves the symbols to the front.
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

#[inline(always)]
fn word(merged: Symbol, at: usize) -> u32 {
    if merged == NONE {
        NONE
    } else {
        merged << PLACE_BITS | at as u32
    }
}

/// The place of the next part behind `at`.
#[inline(always)]
fn next(alive: u64, at: usize) -> usize {
    (alive & (!1 << at)).trailing_zeros() as usize
}

/// The place of the part before `at`, which is not 0.
#[inline(always)]
fn previous(alive: u64, at: usize) -> usize {
    63 - (alive & ((1 << at) - 1) | 1).leading_zeros() as usize
}
