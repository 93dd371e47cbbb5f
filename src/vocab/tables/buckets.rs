//! Hash tables of buckets: four entries that share one cache line.
//!
//! The entries that are inserted first are found with one access. When a bucket is full, later entries go to the next one,
//! and a bit of the full bucket's last entry says so.

use std::ops::BitOrAssign;

/// The number of entries of a bucket.
pub(super) const BUCKET_LEN: usize = 4;

/// The index of the entry whose spilled bit speaks for the whole bucket.
pub(super) const LAST: usize = BUCKET_LEN - 1;

/// Returns how many buckets this many entries take: a power of two, so that most buckets keep a free place.
pub(super) fn count(entries: usize) -> usize {
    (entries / 3).next_power_of_two().max(2)
}

/// A table that is being filled.
pub(super) struct Filling<T> {
    pub(super) buckets: Vec<[T; BUCKET_LEN]>,
    /// How many entries each bucket has. With these at hand an insertion only writes to the table, and writing does not
    /// wait for memory as reading does. A page of fresh memory that is read before it is written also faults twice:
    /// counting the entries in the bucket made cl100k_base's tables 1.5 ms dearer (AMD EPYC with AVX2, November 2026).
    taken: Vec<u8>,
    /// Maps the index after the last bucket to the first.
    mask: usize,
    spilled: T,
}

impl<T: Copy + BitOrAssign> Filling<T> {
    /// Creates a table from empty buckets. The first `count` of them wrap around, and any others stay empty. `spilled` is
    /// the bit of an entry that says that some entries went on to the next bucket.
    pub(super) fn new(buckets: Vec<[T; BUCKET_LEN]>, count: usize, spilled: T) -> Self {
        Self {
            buckets,
            taken: vec![0; count],
            mask: count - 1,
            spilled,
        }
    }

    /// Inserts an entry into the first bucket from `at` on that has a free place.
    #[inline(always)]
    pub(super) fn insert(&mut self, mut at: usize, entry: T) {
        loop {
            let (bucket, taken) = (&mut self.buckets[at], &mut self.taken[at]);
            if let Some(free) = bucket.get_mut(usize::from(*taken)) {
                *free = entry;
                *taken += 1;
                return;
            }
            bucket[LAST] |= self.spilled;
            at = (at + 1) & self.mask;
        }
    }
}

/// Returns whether long runs of entries spill into later buckets. `wanted` is the number of entries that hash to each
/// bucket.
pub(super) fn is_crowded(wanted: &[u32]) -> bool {
    let mut waiting = 0;
    // twice: entries that spill from the last bucket go on in the first one
    let most = wanted.iter().chain(wanted).map(|wanted| {
        waiting = (waiting + *wanted as usize).saturating_sub(BUCKET_LEN);
        waiting
    });
    most.max() > Some(MAX_SPILLED_ENTRIES)
}

/// The most entries that may spill from one bucket into later ones. Chance does not make this many, crafted tokens do.
const MAX_SPILLED_ENTRIES: usize = 256;
