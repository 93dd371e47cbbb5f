//! Tables of buckets: four entries that sit in one cache line.
//!
//! What comes first is found with one access. Where a bucket is full, what comes later goes on to the next one, and a bit
//! of the last entry says so.

use std::ops::BitOrAssign;

/// The entries of a bucket.
pub(super) const LEN: usize = 4;

/// How many buckets so many entries take: most keep a free place.
pub(super) fn count(entries: usize) -> usize {
    (entries / 3).next_power_of_two().max(2)
}

/// A table that is being filled.
pub(super) struct Filling<T> {
    pub(super) buckets: Vec<[T; LEN]>,
    /// How many entries each bucket has. With these at hand an insertion only writes to the table, and writing does not
    /// wait for memory as reading does.
    taken: Vec<u8>,
    /// Turns the bucket behind the last one into the first.
    mask: usize,
    spilled: T,
}

impl<T: Copy + BitOrAssign> Filling<T> {
    /// An empty table of `count` buckets that go round, and `more` beside them; `spilled` is the bit that says so.
    pub(super) fn new(count: usize, more: usize, empty: T, spilled: T) -> Self {
        Self {
            buckets: vec![[empty; LEN]; count + more],
            taken: vec![0; count],
            mask: count - 1,
            spilled,
        }
    }

    /// Puts an entry into the first bucket from `at` on that has a place for it.
    #[inline(always)]
    pub(super) fn insert(&mut self, mut at: usize, entry: T) {
        loop {
            let (bucket, taken) = (&mut self.buckets[at], &mut self.taken[at]);
            if let Some(free) = bucket.get_mut(usize::from(*taken)) {
                *free = entry;
                *taken += 1;
                return;
            }
            bucket[LEN - 1] |= self.spilled;
            at = (at + 1) & self.mask;
        }
    }
}

/// Whether entries that want these buckets go on for long to other ones. `wanted` says how many want each.
pub(super) fn is_crowded(wanted: &[u32]) -> bool {
    let mut waiting = 0;
    // twice: what goes on behind the last one begins again
    let most = wanted.iter().chain(wanted).map(|wanted| {
        waiting = (waiting + *wanted as usize).saturating_sub(LEN);
        waiting
    });
    most.max() > Some(MAX_WAITING)
}

/// More than chance makes wait for a place.
const MAX_WAITING: usize = 256;
