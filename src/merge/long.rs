//! The merge of long pieces, in time linear in their bytes.
//!
//! Take two lists of ids, each the merge of its own bytes. Together they are the merge of all the bytes if the two tokens
//! at the seam stay apart. That depends on these two alone, because every token is the merge of its own bytes.
//!
//! So a long piece is merged block by block. Where a seam does not hold, the two tokens at it are merged again as one
//! *region*. It grows by a token on either side until its own seams hold. Where the piece repeats itself, its tokens are
//! copied.

use fearless_simd::Level;

use super::short::{self, Jobs, LARGE, LARGEST};
use super::{Scratch, heap};
use crate::repetition::{MAX_PERIOD_BYTES, agreement, append_again, period_at};
use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::tables::{SIDES, Symbol};

/// The bytes of a block. Its symbols fit into a job of [`LARGE`] places, whatever they are. The 16 are of November
/// 2026; no measurement is recorded.
const BLOCK_BYTES: usize = 16;

/// The longest region. Beyond it the linear merge gives up, and the heap merges the whole piece in O(n log n).
const MAX_REGION_BYTES: usize = 1024;

/// The longest repetition that is looked for after each block, in tokens. Longer ones are looked for once before each
/// group of blocks.
const MAX_PERIOD_TOKENS: usize = 3;

/// The fewest bytes before and after a place where a longer repetition is looked for: fewer are merged as quickly. The
/// 128 are of November 2026; no measurement is recorded.
const MIN_REPEATED_BYTES: usize = 128;

/// How many tokens before such a place may be compared. Of some more tokens than a period has bytes, two begin at the
/// same place of it.
const MAX_CYCLE_TOKENS: usize = 2 * MAX_PERIOD_BYTES;

/// Memory for blocks and regions.
#[derive(Default)]
pub(crate) struct Blocks {
    /// The symbols of some blocks, one after another.
    symbols: Vec<Symbol>,
    /// The end of the symbols of each block in `symbols`.
    symbol_ends: Vec<usize>,
    /// The ids of these blocks.
    ids: Vec<TokenId>,
    /// The end of the ids of each block in `ids`.
    ends: Vec<usize>,
    /// The ids of the region around a seam.
    region: Vec<TokenId>,
}

impl Blocks {
    /// Merges each block separately.
    fn merge<'p>(
        &mut self,
        blocks: impl Iterator<Item = &'p [u8]>,
        vocab: &Regular,
        level: Level,
        jobs: &mut Jobs<LARGE>,
    ) {
        self.symbols.clear();
        self.symbol_ends.clear();
        for block in blocks {
            push_symbols(block, vocab, &mut self.symbols);
            self.symbol_ends.push(self.symbols.len());
        }
        let mut start = 0;
        let symbols = self.symbol_ends.iter().map(|&end| {
            let symbols = self.symbols.get(start..end).unwrap_or_default();
            start = end;
            (symbols, false)
        });
        self.ids.clear();
        self.ends.clear();
        jobs.start(symbols, vocab);
        jobs.run(level, vocab);
        for symbols in jobs.finish() {
            self.ids
                .extend(symbols.iter().map(|symbol| symbol >> SIDES));
            self.ends.push(self.ids.len());
        }
    }
}

/// Appends the symbols that the merge of some bytes can begin with.
///
/// ASCII bytes stay single. With sure joins done, a megabyte of random capitals or punctuation takes a fourth more time: few
/// are sure there, and the table of all pairs is asked instead of that of bytes (AMD EPYC with AVX2, November 2026).
fn push_symbols(bytes: &[u8], vocab: &Regular, symbols: &mut Vec<Symbol>) {
    if bytes.is_ascii() {
        symbols.extend(bytes.iter().map(|byte| vocab.byte_symbol(*byte)));
    } else {
        vocab.chars().push(bytes, vocab, symbols);
    }
}

/// Appends the ids of `piece`: those of [`plain::merge_plain`](super::plain::merge_plain), in linear time.
pub(super) fn merge_long(
    piece: &[u8],
    vocab: &Regular,
    scratch: &mut Scratch,
    ids: &mut Vec<TokenId>,
) {
    let first = ids.len();
    let mut list = List {
        piece,
        vocab,
        done: 0,
        first,
        ids,
    };
    // blocks are merged several at a time, but only one where the piece repeats itself: the others would not be needed
    let mut count = 1;
    while list.done < piece.len() {
        if list.repeat_cycle() {
            count = 1;
        }
        let rest = piece.get(list.done..).unwrap_or_default();
        let blocks = rest.chunks(BLOCK_BYTES).take(count);
        let memory = &mut scratch.blocks;
        memory.merge(blocks, vocab, scratch.level, &mut scratch.large);
        match list.add_blocks(memory, scratch.level, &mut scratch.largest) {
            Added::All => count = (2 * count).min(short::MAX_JOBS),
            Added::Repeated => count = 1,
            Added::GivenUp => {
                list.ids.truncate(first);
                return heap::merge_heap(piece, vocab, ids);
            }
        }
    }
}

/// The outcome of joining some blocks to the list.
enum Added {
    /// All blocks were joined.
    All,
    /// The piece repeats itself after one of the blocks: its tokens were copied, and the later blocks are void.
    Repeated,
    /// A seam moved too far.
    GivenUp,
}

/// The bytes around a seam, and the memory to merge them in.
struct Region<'m> {
    /// The ids that the region merges to.
    ids: &'m mut Vec<TokenId>,
    symbols: &'m mut Vec<Symbol>,
    level: Level,
    jobs: &'m mut Jobs<LARGEST>,
}

impl Region<'_> {
    /// Merges the bytes of the region.
    fn merge(&mut self, bytes: &[u8], vocab: &Regular) {
        self.ids.clear();
        if let Some(id) = vocab.merged_id(bytes) {
            self.ids.push(id);
        } else if bytes.len() <= short::max_symbols(LARGEST) {
            self.symbols.clear();
            push_symbols(bytes, vocab, self.symbols);
            self.jobs
                .start([(&self.symbols[..], false)].into_iter(), vocab);
            self.jobs.run(self.level, vocab);
            for symbols in self.jobs.finish() {
                self.ids
                    .extend(symbols.iter().map(|symbol| symbol >> SIDES));
            }
        } else {
            heap::merge_heap(bytes, vocab, self.ids);
        }
    }
}

/// Some tokens before the end of a list, which can come again.
struct Cycle {
    /// How many tokens come after them.
    dropped: usize,
    /// How many tokens they are.
    count: usize,
    /// Their end in the piece, and their length in bytes.
    end: usize,
    len: usize,
}

/// The ids of the beginning of a piece.
struct List<'a> {
    piece: &'a [u8],
    vocab: &'a Regular,
    /// How many bytes of the piece the ids have.
    done: usize,
    /// The index in `ids` of the first id of the piece.
    first: usize,
    ids: &'a mut Vec<TokenId>,
}

impl List<'_> {
    /// Joins the ids of the blocks to the list, one block after another.
    fn add_blocks(&mut self, blocks: &mut Blocks, level: Level, jobs: &mut Jobs<LARGEST>) -> Added {
        let Blocks {
            ids,
            ends,
            region,
            symbols,
            ..
        } = blocks;
        let mut region = Region {
            ids: region,
            symbols,
            level,
            jobs,
        };
        let mut begin = 0;
        for &end in &*ends {
            let block = ids.get(begin..end).unwrap_or_default();
            begin = end;
            if !self.add_block(block, &mut region) {
                return Added::GivenUp;
            }
            if self.repeat() {
                return Added::Repeated;
            }
        }
        Added::All
    }

    /// Joins the ids of the next block to the list. Returns false if it gives up.
    fn add_block(&mut self, block: &[TokenId], region: &mut Region<'_>) -> bool {
        let mut rest = block.iter();
        let mut start = self.done;
        let mut end = start;
        region.ids.clear();
        if let Some(&id) = rest.next() {
            region.ids.push(id);
            end += self.vocab.len(id);
        }
        loop {
            if let (Some(last), Some(&first)) = (self.last(), region.ids.first())
                && !self.vocab.stay_apart(last, first)
            {
                self.ids.pop();
                start -= self.vocab.len(last);
            } else if let (Some(&last), Some(&next)) = (region.ids.last(), rest.as_slice().first())
                && !self.vocab.stay_apart(last, next)
            {
                rest.next();
                end += self.vocab.len(next);
            } else {
                break;
            }
            if end - start > MAX_REGION_BYTES {
                return false;
            }
            region.merge(self.piece.get(start..end).unwrap_or_default(), self.vocab);
        }
        self.ids.extend_from_slice(region.ids);
        self.ids.extend_from_slice(rest.as_slice());
        self.done = end + self.vocab.total_len(rest.as_slice());
        true
    }

    /// Copies the last few tokens while their bytes come again. Returns whether they did.
    fn repeat(&mut self) -> bool {
        let mut period = 0;
        for count in 1..=MAX_PERIOD_TOKENS {
            let ids = self.ids.get(self.first..).unwrap_or_default();
            let Some(&id) = ids.len().checked_sub(count).and_then(|at| ids.get(at)) else {
                break;
            };
            period += self.vocab.len(id);
            if self.comes_again(period)
                && self
                    .last()
                    .is_some_and(|last| self.vocab.stay_apart(last, id))
            {
                self.copy_last(count, period);
                return true;
            }
        }
        false
    }

    /// Copies the last `count` tokens, which have `period` bytes and stay apart from themselves, while their bytes come
    /// again.
    fn copy_last(&mut self, count: usize, period: usize) {
        let times = agreement(self.piece, self.done, period) / period;
        append_again(self.ids, self.ids.len() - count, times);
        self.done += times * period;
    }

    /// Copies tokens while their bytes come again, where these have a period of up to [`MAX_PERIOD_BYTES`]. Returns
    /// whether they did.
    ///
    /// The tokens next to the end of the list are not yet those that repeat, because a block ended there. So the last few
    /// are dropped, up to a token that begins at the same place of the period as an earlier one:
    ///
    /// ```text
    /// bytes     a b c d e a b c d e a b c d e a b c d e …     period 5
    /// tokens   |a b c|d e a|b c d e|a b c|d e|
    ///                |<----------------->|   ^ done
    ///                  these come again
    /// ```
    fn repeat_cycle(&mut self) -> bool {
        let left = self.piece.len() - self.done;
        if self.done < MIN_REPEATED_BYTES || left < MIN_REPEATED_BYTES {
            return false;
        }
        let Some(period) = period_at(self.piece, self.done) else {
            return false;
        };
        let Some(Cycle {
            dropped,
            count,
            end,
            len,
        }) = self.cycle(period)
        else {
            return false;
        };
        let times = agreement(self.piece, end, len) / len;
        if end + times * len <= self.done {
            return false;
        }
        self.ids.truncate(self.ids.len() - dropped);
        self.done = end;
        self.copy_last(count, len);
        true
    }

    /// Returns tokens near the end of the list whose length is a multiple of `period`, and which stay apart from
    /// themselves.
    fn cycle(&self, period: usize) -> Option<Cycle> {
        let ids = self.ids.get(self.first..).unwrap_or_default();
        // by the place in the period, the last token that begins there: its position in the piece, and its index
        let mut begins = [None; MAX_PERIOD_BYTES];
        let mut begin = self.done;
        for (index, id) in ids.iter().enumerate().rev().take(MAX_CYCLE_TOKENS) {
            begin -= self.vocab.len(*id);
            let place = begins.get_mut(begin % period)?;
            let (end, next) = *place.get_or_insert((begin, index));
            let last = next.checked_sub(1).and_then(|last| ids.get(last));
            if end > begin && last.is_some_and(|last| self.vocab.stay_apart(*last, *id)) {
                return Some(Cycle {
                    dropped: ids.len() - next,
                    count: next - index,
                    end,
                    len: end - begin,
                });
            }
        }
        None
    }

    /// Returns whether the next bytes equal the last `period` merged ones.
    fn comes_again(&self, period: usize) -> bool {
        let (merged, ahead) = self.piece.split_at(self.done);
        let last = merged
            .len()
            .checked_sub(period)
            .and_then(|start| merged.get(start..));
        last.is_some() && last == ahead.get(..period)
    }

    /// Returns the last id of the piece so far.
    fn last(&self) -> Option<TokenId> {
        self.ids
            .get(self.first..)
            .and_then(<[TokenId]>::last)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::merge_regular;
    #[cfg(feature = "custom")]
    use crate::merge::plain;
    use crate::texts::{self, Random};

    const ALPHABETS: [&str; 8] = [
        "ab",
        "\n ",
        "中国最",
        "\u{301}\u{302}",
        "😀🎉\u{fe0f}",
        "the quick brown fox",
        "aé中😀",
        "=-*#/ ",
    ];

    fn chars(random: &mut Random, alphabet: &str, bytes: usize) -> String {
        let chars: Vec<char> = alphabet.chars().collect();
        let mut text = String::new();
        while text.len() < bytes {
            let c = chars[random.below(chars.len())];
            text.push(if text.len() + c.len_utf8() > bytes {
                'x'
            } else {
                c
            });
        }
        text
    }

    /// Returns a piece that repeats with a period, is broken once or twice, and may begin with something else.
    fn broken_repeats(random: &mut Random, alphabet: &str, period: usize) -> String {
        let unit = chars(random, alphabet, period);
        let mut piece = String::new();
        for _ in 0..=random.below(3) {
            let lead = [0, 1, 4, 30, 300][random.below(5)];
            piece += &chars(random, alphabet, lead);
            let bytes = [100, 300, 1000, 2000][random.below(4)] + random.below(100);
            piece += &unit.repeat(bytes / period + 1);
            let cut = random.below(period);
            texts::cut(&mut piece, bytes.saturating_sub(cut));
        }
        piece
    }

    #[test]
    fn repeated_tokens_are_those_of_the_heap() {
        for name in crate::list_encoding_names() {
            let Ok(encoding) = crate::get_encoding(name) else {
                continue;
            };
            let vocab = encoding.vocab().as_regular().unwrap();
            let mut random = Random::new(3);
            for period in 1..=MAX_PERIOD_BYTES + 1 {
                for alphabet in ALPHABETS {
                    let piece = broken_repeats(&mut random, alphabet, period);
                    let (mut ids, mut expected) = (Vec::new(), Vec::new());
                    merge_regular(piece.as_bytes(), vocab, &mut ids);
                    heap::merge_heap(piece.as_bytes(), vocab, &mut expected);
                    assert!(ids == expected, "{name} {piece:?}");
                }
            }
        }
    }

    /// Vocabularies of random tokens: some cannot be merged, and some have a lower rank than a half.
    #[cfg(feature = "custom")]
    #[test]
    fn repeated_tokens_of_random_vocabularies_are_those_of_the_plain_merge() {
        let mut regular = 0;
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let alphabet = ["ab", "abc", "a ", "=-", "é", "aé中"][seed as usize % 6];
            let mut tokens: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
            for _ in 0..random.below(60) {
                let len = 2 + random.below(8);
                let token = chars(&mut random, alphabet, len).into_bytes();
                if !tokens.contains(&token) {
                    tokens.push(token);
                }
            }
            let encoding = crate::Encoding::builder("random")
                .pattern(crate::split::Splitter::Cl100k.pattern())
                .ranks(tokens.into_iter().zip(0..))
                .build()
                .unwrap();
            let Some(vocab) = encoding.vocab().as_regular() else {
                continue;
            };
            regular += 1;
            for period in [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 17, 31, 32, 48, 61, 64] {
                let piece = broken_repeats(&mut random, alphabet, period);
                let (mut ids, mut expected) = (Vec::new(), Vec::new());
                merge_regular(piece.as_bytes(), vocab, &mut ids);
                plain::merge_plain(piece.as_bytes(), encoding.vocab(), &mut expected);
                assert!(ids == expected, "{seed} {piece:?}");
            }
        }
        assert!(regular > 200, "{regular}");
    }

    /// Checks a character whose rank is higher than that of a token which has it twice: it does not merge first.
    #[test]
    #[cfg(feature = "custom")]
    fn a_character_may_be_merged_late() {
        let bytes = (0..=255).map(|byte: u8| vec![byte]);
        let tokens = ["éééé", "éé", "ééé", "é"].map(|token| token.as_bytes().to_vec());
        let encoding = crate::Encoding::builder("late")
            .pattern(crate::split::Splitter::Cl100k.pattern())
            .ranks(bytes.chain(tokens).zip(0..))
            .build()
            .unwrap();
        for count in 1..200 {
            let piece = "é".repeat(count);
            let (mut ids, mut expected) = (Vec::new(), Vec::new());
            crate::merge::merge_piece(piece.as_bytes(), encoding.vocab(), &mut ids);
            plain::merge_plain(piece.as_bytes(), encoding.vocab(), &mut expected);
            assert_eq!(ids, expected, "{count}");
        }
    }

    #[test]
    fn repeats_may_break_anywhere() {
        for name in crate::list_encoding_names() {
            let Ok(encoding) = crate::get_encoding(name) else {
                continue;
            };
            let vocab = encoding.vocab().as_regular().unwrap();
            for unit in [
                "a",
                "ab",
                "\n ",
                "中",
                "e\u{301}",
                "qwertzuiop",
                "=-=-=--=",
                "😀",
            ] {
                let repeated = unit.repeat(900 / unit.len());
                for at in (0..=repeated.len()).filter(|at| repeated.is_char_boundary(*at)) {
                    let (before, after) = repeated.split_at(at);
                    let piece = format!("{before}x{after}");
                    let (mut ids, mut expected) = (Vec::new(), Vec::new());
                    merge_regular(piece.as_bytes(), vocab, &mut ids);
                    heap::merge_heap(piece.as_bytes(), vocab, &mut expected);
                    assert!(ids == expected, "{name} {piece:?}");
                }
            }
        }
    }
}
