//! Which boundaries between characters a token may cross.
#![allow(clippy::indexing_slicing)] // groups are below their number, bits are those of characters

use fearless_simd::{Simd, prelude::*, u8x64};

use super::grow;
use super::run::{CROSSED, Run};
use crate::vocab::chars::Chars;
use crate::vocab::crossings::{AFTER, ASCII, BEFORE, BEGINS, Crossings};
use crate::vocab::tables::NONE;

/// The boundaries of a run, as masks of 64 bits: a bit is the boundary before a character, zero at the start of a
/// piece.
///
/// # The rule
/// A boundary *falls* if a token may cross it partly before both characters are whole. Take the boundary between the
/// characters X and Y of one piece. Let `h(X)` be the highest rank among the merges of X alone if they end in one
/// token, else more than all ranks. Let `P` be the lowest rank of a token that crosses here *partly*: it takes a
/// fragment of X or of Y over the boundary. The boundary falls if there is such a token and `P <= max(h(X), h(Y))`. It
/// is cut unless
///
/// - some token holds both X and Y, or two characters of ASCII meet, which are not checked;
/// - or it falls;
/// - or a token crosses it partly, and the boundary before X or the one after Y falls.
///
/// # Why no merge crosses a cut boundary
/// If no token crosses partly, none crosses at all. Otherwise none of the three boundaries falls. So X and Y each
/// become one token alone. Every token that takes a fragment of X or Y, at any of its boundaries, has a higher rank
/// than its own merges. Look at the first merge that takes a fragment of X over one of its boundaries. Up to then, only
/// merges inside X touched its bytes, in the order in which X merges alone. X is not whole yet, so the next merge inside
/// it can be made. That one has a lower rank, so it comes first. So no merge takes a fragment of X, and X becomes whole.
/// The same holds for Y. After that, only a token that holds both could cross.
///
/// # Symbols to begin with
/// If neither boundary of a character falls, its neighbours cannot touch it before it is whole, or no token crosses
/// partly there. So the merge of its part may begin with the ids of the character merged alone. Other characters begin
/// with the symbols that are right in all surroundings.
#[derive(Default)]
pub(super) struct Boundaries {
    /// The boundaries that a token may cross. One more group than the run has, which is empty.
    pub(super) joined: Vec<u64>,
    /// The boundaries that fall. One more group, too.
    pub(super) falls: Vec<u64>,
    /// The boundaries that a token crosses partly.
    partly: Vec<u64>,
}

impl Boundaries {
    /// Finds the boundaries of a run.
    ///
    /// The flags of the characters become masks. They leave few boundaries to look at: those of two characters that may
    /// be in one token, and those that some token may cross partly.
    #[inline(always)]
    pub(super) fn find<S: Simd>(&mut self, simd: S, run: &Run, crossings: &Crossings) {
        let groups = run.groups();
        let joined = grow(&mut self.joined, groups + 1);
        let falls = grow(&mut self.falls, groups + 1);
        let partly = grow(&mut self.partly, groups + 1);
        // the masks of the group before
        let (mut before, mut begins, mut ascii) = (0, 0, 0);
        for group in 0..groups {
            let flags = u8x64::from_slice(simd, &run.flags[64 * group..][..64]);
            let has = |flag: u8| {
                (flags & u8x64::splat(simd, flag))
                    .simd_eq(u8x64::splat(simd, flag))
                    .to_bitmask()
            };
            let known = u64::MAX >> (64 - (run.count - 64 * group).min(64));
            let inner = !run.firsts[group] & known;
            let (this_before, this_begins, this_ascii) = (has(BEFORE), has(BEGINS), has(ASCII));
            let may_pair = previous(this_before, before) & has(AFTER) & inner;
            let may_partly = (previous(this_begins, begins) | has(CROSSED)) & inner;
            let both_ascii = previous(this_ascii, ascii) & this_ascii & inner;
            joined[group] = both_ascii | pairs(run, crossings, group, may_pair);
            (partly[group], falls[group]) = partial(run, crossings, group, may_partly);
            (before, begins, ascii) = (this_before, this_begins, this_ascii);
        }
        (joined[groups], falls[groups], partly[groups]) = (0, 0, 0);
        let mut fell = 0;
        for group in 0..groups {
            let (fall, next) = (falls[group], falls[group + 1]);
            let around = previous(fall, fell) | fall >> 1 | next << 63;
            joined[group] |= fall | partly[group] & around;
            fell = fall;
        }
    }
}

/// Returns the bits of the characters before those of a group.
#[inline(always)]
fn previous(group: u64, before: u64) -> u64 {
    group << 1 | before >> 63
}

/// Returns those of the boundaries that a token of both characters may cross.
#[inline(always)]
fn pairs(run: &Run, crossings: &Crossings, group: usize, mut boundaries: u64) -> u64 {
    let mut found = 0;
    while boundaries != 0 {
        let bit = boundaries.trailing_zeros();
        boundaries &= boundaries - 1;
        let at = 64 * group + bit as usize;
        found |= crossings.pair(run.code_points[at - 1], run.code_points[at]) << bit;
    }
    found
}

/// Returns those of the boundaries that a token crosses partly, and those that fall.
#[inline(always)]
fn partial(run: &Run, crossings: &Crossings, group: usize, mut boundaries: u64) -> (u64, u64) {
    let (mut partly, mut falls) = (0, 0);
    while boundaries != 0 {
        let bit = boundaries.trailing_zeros();
        boundaries &= boundaries - 1;
        let at = 64 * group + bit as usize;
        let (before, after) = (run.words[at - 1], run.words[at]);
        let side = Chars::side(run.code_points[at - 1], before);
        let rank = crossings.partial(side, run.leads[at]);
        let highest = before.highest_rank().max(after.highest_rank());
        partly |= u64::from(rank != NONE) << bit;
        falls |= u64::from(rank <= highest) << bit;
    }
    (partly, falls)
}
