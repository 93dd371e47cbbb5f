//! The merge of Chinese and Japanese pieces: many of a batch at once, cut where no token can cross.
//!
//! In these scripts most neighbouring characters are in no token together. Most groups that are in one are a token
//! themselves. So a piece is mostly written down, and hardly ever merged:
//!
//! 1. [`Run`] lists the characters of all pieces and looks up the word of each, see [`chars`](crate::vocab::chars).
//! 2. [`Boundaries`] decides for each boundary between two characters whether a token may cross it.
//! 3. What is left between cut boundaries is a *part*. Parts of several characters are looked up as tokens, all together.
//! 4. A part that is not a token may be known from before ([`Memos`]), or its characters may stay apart pairwise. The few
//!    others are merged in the jobs of the scratch memory.
//! 5. The ids are written one character after another. A token of several characters stands in the word of its first one,
//!    and the words of the others are zero.
//!
//! ```text
//! characters     A   B   C   D   E   F
//! boundaries       |   +   |   +   +        + may be crossed, | is cut
//! parts         (A) (B   C) (D   E   F)
//! words          a   bc  0   SLOW 0  0      BC is a token; the ids of DEF are with a piece of the scratch memory
//! ```
//!
//! Why cutting is exact is said at [`Boundaries`]. A part that is a token is its own merge, because only vocabularies
//! [in order](Regular::is_in_order) come here. A part whose characters stay apart pairwise is their ids one after another,
//! by the seam theorem of the guide.
#![allow(clippy::indexing_slicing)] // positions are those of characters that were listed, groups are below their number

mod boundaries;
mod memos;
mod run;

use fearless_simd::{Simd, dispatch};
use prefetch_index::prefetch_index;

use super::short::{LARGEST, max_symbols};
use super::{BLOCK_IDS, MAX_IDS_KEPT, Scratch};
use crate::token_id::TokenId;
use crate::vocab::Regular;
use crate::vocab::chars::Char;
use crate::vocab::regular::{piece_key, window_at};
use crate::vocab::tables::{ROW_BYTES, hash, slots};
use boundaries::Boundaries;
use memos::{MAX_SERIAL, Memos};
use run::{FIRST, Run, bit_at};

/// In place of the word of a character: the ids of the part that it begins are those of this piece of the scratch memory.
/// No character has this bit.
const SLOW: u64 = 1 << 63;

/// The longest piece that is cut here. A longer one would make the memory of a run grow without need. The limit is of
/// November 2026; no measurement is recorded.
const MAX_PIECE_BYTES: usize = 4096;
/// The shortest piece: one character is a token, or its own merge.
const MIN_PIECE_BYTES: usize = 4;

/// The most characters that fit into one job, whatever their symbols are.
const MAX_JOB_CHARS: usize = max_symbols(LARGEST) / 4;

/// The memory for cutting pieces, and the ids of those of a batch. Allocates nothing before the first piece.
#[derive(Default)]
pub(crate) struct Cutter {
    run: Run,
    boundaries: Boundaries,
    /// The parts of several characters.
    parts: Vec<Part>,
    /// The indices of the parts that the look-up did not find, and of the others of more than two characters.
    missed: Vec<u32>,
    longer: Vec<u32>,
    memos: Memos,
    /// The parts that are being merged, with their pieces of the scratch memory.
    merging: Vec<(u32, u32)>,
    /// The ids of the pieces, one after another.
    ids: Vec<TokenId>,
    /// The end of the ids of each piece.
    ends: Vec<u32>,
    /// How many pieces were added since the last [`clear`](Self::clear).
    pieces: usize,
}

/// Neighbouring characters between two cut boundaries.
#[derive(Clone, Copy, Default)]
struct Part {
    key: u128,
    /// The first of its characters in the run, and their number.
    first: u32,
    count: u32,
    /// Its range in the buffer.
    start: u32,
    end: u32,
    /// The upper half of the hash of its key.
    hash: u32,
    /// The token that it may be.
    candidate: TokenId,
    /// Whether it may be a token of a later bucket.
    is_undecided: bool,
    /// Whether a token may take a fragment of one of its characters before that is whole.
    may_fall_apart: bool,
}

impl Part {
    fn len(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Returns whether a miss is Chinese or Japanese, and can be cut: one of the first two characters is of these scripts.
///
/// Korean, Hindi, Thai and rare symbols took 3 to 8 % more time here than with the piece cache: they have few cuts and
/// short pieces (Intel Xeon with AVX-512, November 2026).
#[inline(always)]
pub(crate) fn is_worth_cutting(piece: &[u8]) -> bool {
    let Some(first) = piece.first_chunk() else {
        return false;
    };
    let is_of_length = (MIN_PIECE_BYTES..=MAX_PIECE_BYTES).contains(&piece.len());
    begins_east_asian(u32::from_le_bytes(*first)) & is_of_length
}

/// Returns whether one of the first two characters is Chinese or Japanese, by the first four bytes of a piece.
///
/// A byte of ASCII may come before the first such character, and the second one begins at the fourth byte. So this is the
/// case if one of these three bytes is in `E3..=E9`.
#[inline(always)]
pub(crate) fn begins_east_asian(first: u32) -> bool {
    let low = first & 0x7F7F_7F7F;
    (low + 0x1D1D_1D1D) & !(low + 0x1616_1616) & first & 0x8000_8080 != 0
}

/// Returns whether a text has a byte in `E3..=E9`, which begins the characters of these scripts.
#[inline(always)]
pub(crate) fn has_east_asian<S: Simd>(_: S, text: &[u8]) -> bool {
    text.iter().fold(false, |any, byte| {
        any | (byte.wrapping_sub(0xE3) <= 0xE9 - 0xE3)
    })
}

/// Returns whether pieces of a vocabulary can be cut here. In others, a part that is a token may not be its merge.
pub(crate) fn can_cut(vocab: &Regular) -> bool {
    vocab.is_in_order() && vocab.serial() < MAX_SERIAL
}

impl Cutter {
    /// Forgets the pieces of the last batch.
    pub(crate) fn clear(&mut self) {
        self.pieces = 0;
    }

    /// Frees the memory that a huge batch took.
    pub(crate) fn give_back(&mut self) {
        if self.ids.capacity() > MAX_IDS_KEPT {
            self.ids = Vec::new();
        }
    }

    /// Returns the number of ids of all pieces, with the block that copying them may fill.
    pub(crate) fn len(&self) -> usize {
        BLOCK_IDS + self.ends.get(self.pieces).map_or(0, |end| *end as usize)
    }

    /// Returns the ids of a piece, which are followed by at least a block of others, and their number.
    #[inline(always)]
    pub(crate) fn ids(&self, piece: usize) -> (&[TokenId], usize) {
        let (start, end) = (self.ends[piece] as usize, self.ends[piece + 1] as usize);
        (&self.ids[start..], end - start)
    }

    /// Returns whether a piece with this start may be added before the next [`finish`](Self::finish).
    #[inline(always)]
    pub(crate) fn has_room(&self, start: usize) -> bool {
        self.run.has_room(start)
    }

    /// Adds a piece that is [worth it](is_worth_cutting), given by its range in the buffer. Returns its number.
    #[inline(always)]
    pub(crate) fn add(&mut self, range: (usize, usize)) -> usize {
        self.run.add(range);
        self.pieces += 1;
        self.pieces - 1
    }

    /// Finds the ids of the pieces that were added. Overwrites the scratch memory.
    pub(crate) fn finish(&mut self, buffer: &[u8], vocab: &Regular, scratch: &mut Scratch) {
        if self.run.pieces == 0 {
            return;
        }
        let parts = dispatch!(scratch.level, simd => self.list_parts(simd, buffer, vocab));
        scratch.clear();
        self.resolve(buffer, parts, vocab, scratch);
        if !scratch.pieces.is_empty() {
            scratch.merge(vocab);
            self.remember(scratch, vocab);
        }
        self.write_ids(scratch);
        self.run.clear();
    }

    /// Finds the parts of several characters, and the token that each may be. Returns their number.
    #[inline(always)]
    fn list_parts<S: Simd>(&mut self, simd: S, buffer: &[u8], vocab: &Regular) -> usize {
        self.run.list_chars(simd, buffer);
        self.run.decode(buffer, vocab);
        self.boundaries
            .find(simd, &self.run, &vocab.chars().crossings);
        let parts = self.list();
        find_candidates(&mut self.parts[..parts], buffer, vocab);
        parts
    }

    /// Lists the parts of several characters, and returns their number.
    #[inline(always)]
    fn list(&mut self) -> usize {
        let (run, joined, falls) = (&self.run, &*self.boundaries.joined, &*self.boundaries.falls);
        let parts = grow(&mut self.parts, run.count / 2 + 1);
        let mut count = 0;
        for group in 0..run.groups() {
            let (this, next) = (joined[group], joined[group + 1]);
            // characters that are joined to the next one, and not to the one before
            let mut firsts = !this & (this >> 1 | next << 63);
            while firsts != 0 {
                let bit = firsts.trailing_zeros();
                firsts &= firsts - 1;
                let first = 64 * group + bit as usize;
                // the boundaries after the first character
                let after = |this: u64, next: u64| this >> bit >> 1 | next << (63 - bit);
                let mut more = after(this, next).trailing_ones() as usize;
                let inner = u64::MAX.checked_shr(64 - more as u32).unwrap_or(0);
                let mut may_fall_apart = after(falls[group], falls[group + 1]) & inner != 0;
                if more == 64 {
                    more = ones_from(joined, first + 1);
                    may_fall_apart = true;
                }
                let last = first + more;
                parts[count] = Part {
                    first: first as u32,
                    count: more as u32 + 1,
                    start: run.start(first) as u32,
                    end: run.end(last) as u32,
                    may_fall_apart,
                    ..Part::default()
                };
                count += 1;
            }
        }
        count
    }

    /// Puts the ids of all parts of several characters in place of the words of their characters, or adds the parts to the
    /// scratch memory.
    fn resolve(&mut self, buffer: &[u8], parts: usize, vocab: &Regular, scratch: &mut Scratch) {
        self.merging.clear();
        if self.run.has_long_chars {
            self.add_wordless(buffer, vocab, scratch);
        }
        let missed = self.take_tokens(parts, vocab);
        for at in 0..missed {
            let index = self.missed[at];
            let part = self.parts[index as usize];
            let first = part.first as usize;
            let words = &mut self.run.words[first..first + part.count as usize];
            // two characters that both become whole first, and then are in no token together
            let is_plain = part.count == 2 && words[0].number() == 1 && words[1].number() == 1;
            if is_plain && !part.may_fall_apart && !part.is_undecided {
                continue;
            }
            let known = self.memos.part(part.key, part.hash, vocab.serial());
            let word = match known.or_else(|| later_token(&part, buffer, vocab)) {
                Some(word) => word,
                None if self.memos.stay_apart(words, vocab) => continue,
                None => {
                    let piece = scratch.pieces.len() as u32;
                    self.merging.push((index, piece));
                    self.add_part(&part, buffer, vocab, scratch);
                    Char(SLOW | u64::from(piece))
                }
            };
            let words = &mut self.run.words[first..first + part.count as usize];
            words.fill(Char::default());
            words[0] = word;
        }
    }

    /// Adds the characters to the scratch memory that are parts of their own and have no ids: some have four symbols.
    #[cold]
    fn add_wordless(&mut self, buffer: &[u8], vocab: &Regular, scratch: &mut Scratch) {
        for at in 0..self.run.count {
            let joined = |at: usize| bit_at(&self.boundaries.joined, at);
            if self.run.words[at].number() == 0 && !joined(at) && !joined(at + 1) {
                let part = Part {
                    first: at as u32,
                    count: 1,
                    ..Part::default()
                };
                let piece = scratch.pieces.len() as u64;
                self.add_part(&part, buffer, vocab, scratch);
                self.run.words[at] = Char(SLOW | piece);
            }
        }
    }

    /// Puts the ids of the parts that are their candidates in place of the words of their characters. Lists the other
    /// parts, and returns their number.
    fn take_tokens(&mut self, parts: usize, vocab: &Regular) -> usize {
        let rows = vocab.rows();
        let (missed, longer) = (
            grow(&mut self.missed, parts + 1),
            grow(&mut self.longer, parts + 1),
        );
        let (mut misses, mut others) = (0, 0);
        let words = &mut self.run.words;
        for (at, part) in self.parts[..parts].iter().enumerate() {
            let is_token = u128::from_le_bytes(rows[part.candidate as usize]) == part.key;
            let token = Char::of_id(part.candidate);
            // most parts have two characters: these are written without a branch
            if let Some([one, two]) = words[part.first as usize..].first_chunk_mut() {
                *one = if is_token { token } else { *one };
                *two = if is_token { Char::default() } else { *two };
            }
            missed[misses] = at as u32;
            misses += usize::from(!is_token);
            longer[others] = at as u32;
            others += usize::from(is_token & (part.count > 2));
        }
        for at in &longer[..others] {
            let part = &self.parts[*at as usize];
            let (first, count) = (part.first as usize, part.count as usize);
            words[first + 2..first + count].fill(Char::default());
        }
        misses
    }

    /// Adds a part to the scratch memory, as a piece that is to be merged.
    fn add_part(&self, part: &Part, buffer: &[u8], vocab: &Regular, scratch: &mut Scratch) {
        let (first, number) = (scratch.ids.len(), scratch.pieces.len() as u32);
        if part.count as usize > MAX_JOB_CHARS {
            scratch.add_chars(&buffer[part.start as usize..part.end as usize], vocab);
            scratch.cut_pieces.push(number);
            return scratch.add_piece(first);
        }
        let chars = vocab.chars();
        let falls = |at: usize| bit_at(&self.boundaries.falls, at);
        for at in part.first as usize..(part.first + part.count) as usize {
            let word = self.run.words[at];
            let bytes = &buffer[self.run.start(at)..self.run.end(at)];
            let symbols = if falls(at) || falls(at + 1) {
                chars.everywhere(word, bytes, vocab)
            } else {
                chars.alone(word, bytes, vocab)
            };
            symbols.append_to(&mut scratch.ids);
        }
        scratch.queue(first, number, false);
        scratch.add_piece(first);
    }

    /// Keeps the merges of parts for the next time.
    fn remember(&mut self, scratch: &Scratch, vocab: &Regular) {
        for &(part, piece) in &self.merging {
            let part = &self.parts[part as usize];
            let (ids, len) = scratch.ids(piece as usize);
            if part.len() <= ROW_BYTES {
                let ids = &ids[..len];
                self.memos.put(part.key, part.hash, vocab.serial(), ids);
            }
        }
    }

    /// Appends the ids of the pieces of the run.
    fn write_ids(&mut self, scratch: &Scratch) {
        let run = &self.run;
        let pieces_before = self.pieces - run.pieces;
        let ends = grow(&mut self.ends, self.pieces + 1);
        let mut len = if pieces_before == 0 {
            0
        } else {
            ends[pieces_before] as usize
        };
        // three ids are written at a time
        let most = len + 3 * run.count + scratch.len() + BLOCK_IDS;
        let ids = grow(&mut self.ids, most);
        let mut piece = pieces_before;
        for (word, start) in run.words[..run.count].iter().zip(&run.starts) {
            // the first character of the first piece ends none
            ends[piece] = len as u32;
            piece += usize::from(start & FIRST != 0);
            if word.0 & SLOW == 0 {
                if let Some(places) = ids[len..].first_chunk_mut() {
                    *places = word.ids();
                }
                len += word.number();
            } else {
                let (merged, count) = scratch.ids((word.0 ^ SLOW) as usize);
                ids[len..len + count].copy_from_slice(&merged[..count]);
                len += count;
            }
        }
        ends[piece] = len as u32;
    }
}

/// Takes a candidate id for each part, and prefetches its row.
#[inline(always)]
fn find_candidates(parts: &mut [Part], buffer: &[u8], vocab: &Regular) {
    let buckets = vocab.slots();
    let bits = buckets.len().trailing_zeros();
    for part in parts.iter_mut() {
        part.key = piece_key(window_at(buffer, part.start as usize), part.len());
        part.hash = slots::half(hash(part.key));
        prefetch_index(buckets, slots::bucket_of(part.hash, bits));
    }
    let (rows, none) = (vocab.rows(), vocab.no_row());
    for part in parts.iter_mut() {
        let bucket = &buckets[slots::bucket_of(part.hash, bits)];
        part.candidate = slots::candidate(bucket, part.hash, bits, none);
        part.is_undecided = slots::goes_on(bucket) | (part.candidate != none);
        prefetch_index(rows, part.candidate as usize);
    }
}

/// Returns the word of a part that is a token after all: one in a later bucket, or one longer than a row.
fn later_token(part: &Part, buffer: &[u8], vocab: &Regular) -> Option<Char> {
    let id = if part.len() > ROW_BYTES {
        vocab.id(&buffer[part.start as usize..part.end as usize])
    } else if part.is_undecided {
        vocab.id_of_key(part.key)
    } else {
        None
    };
    id.map(Char::of_id)
}

/// Returns how many bits are set from `from` on.
#[cold]
fn ones_from(mask: &[u64], from: usize) -> usize {
    (from..64 * mask.len())
        .take_while(|at| bit_at(mask, *at))
        .count()
}

/// Returns the first `len` values of a buffer that grows when needed.
#[inline(always)]
fn grow<T: Clone + Default>(values: &mut Vec<T>, len: usize) -> &mut [T] {
    if values.len() < len {
        enlarge(values, len);
    }
    &mut values[..len]
}

#[cold]
#[inline(never)]
fn enlarge<T: Clone + Default>(values: &mut Vec<T>, len: usize) {
    values.resize(len.next_power_of_two(), T::default());
}

#[cfg(all(test, feature = "cl100k_base"))]
mod tests {
    use fearless_simd::Level;

    use super::*;
    use crate::builtin::vocabularies::{self, all};
    use crate::merge::plain;
    use crate::texts::Random;
    use crate::vocab::Vocabulary;
    #[cfg(feature = "custom")]
    use crate::vocab::rank_file::Ranks;

    /// Checks that the pieces get the ids of plain merging, with other text between them.
    fn check(cutter: &mut Cutter, pieces: &[String], vocab: &Vocabulary) {
        let regular = vocab.as_regular().unwrap();
        let mut scratch = Scratch::new(Level::new());
        let buffer = pieces.join(" \u{1f642}");
        let (mut numbers, mut start) = (Vec::new(), 0);
        cutter.clear();
        for piece in pieces {
            let end = start + piece.len();
            if !cutter.has_room(start) {
                cutter.finish(buffer.as_bytes(), regular, &mut scratch);
            }
            numbers.push(cutter.add((start, end)));
            start = end + " \u{1f642}".len();
        }
        cutter.finish(buffer.as_bytes(), regular, &mut scratch);
        for (piece, number) in pieces.iter().zip(numbers) {
            let mut expected = Vec::new();
            plain::merge_plain(piece.as_bytes(), vocab, &mut expected);
            let (ids, len) = cutter.ids(number);
            assert_eq!(ids[..len], expected, "{piece:?}");
        }
    }

    /// Returns a piece of some characters of one or two scripts, or from a real text.
    fn piece(random: &mut Random, chars: usize) -> String {
        const SCRIPTS: [(u32, u32); 10] = [
            (0x4E00, 0x9FFF),
            (0x4E00, 0x5100),
            (0x3040, 0x30FF),
            (0x3000, 0x303F),
            (0xFF00, 0xFFEF),
            (0x41, 0x7A),
            (0x410, 0x44F),
            (0xAC00, 0xD7A3),
            (0x2_0000, 0x2_0400),
            (0x1_F600, 0x1_F640),
        ];
        const REAL: &str = "中华人民共和国国家发展和改革委员会、日本語の文章をトークンに分けるとき、国際連合は言いました。";
        let scripts = [(); 2].map(|()| SCRIPTS[random.below(SCRIPTS.len())]);
        let real: Vec<char> = REAL.chars().collect();
        (0..chars)
            .map(|_| match random.below(3) {
                0 => real[random.below(real.len())],
                i => {
                    let (first, last) = scripts[i - 1];
                    let code_point = first + random.below((last - first) as usize) as u32;
                    char::from_u32(code_point).unwrap_or('中')
                }
            })
            .collect()
    }

    #[test]
    fn cut_pieces_have_the_ids_of_plain_merging() {
        let mut random = Random::new(3);
        for vocab in all() {
            let mut cutter = Cutter::default();
            for _ in 0..60 {
                let count = 1 + random.below(60);
                let pieces: Vec<String> = (0..count)
                    .map(|_| {
                        let chars = 2 + random.below(20);
                        piece(&mut random, chars)
                    })
                    .collect();
                check(&mut cutter, &pieces, &vocab);
            }
        }
    }

    /// Checks parts of every length around those that a job or a mask of 64 bits holds, beside parts of one character.
    #[test]
    fn long_parts_have_the_ids_of_plain_merging() {
        for vocab in all() {
            let mut cutter = Cutter::default();
            for chars in (1..40).chain(60..70).chain(125..132) {
                let pieces = ["中国", "ab", "的", "アイ", "\u{20021}"].map(|part| {
                    let part: String = part.chars().cycle().take(chars).collect();
                    format!("龘{part}龘")
                });
                check(&mut cutter, &pieces, &vocab);
            }
        }
    }

    /// Checks that no memo of one vocabulary answers for another one.
    #[test]
    fn vocabularies_take_turns() {
        let mut random = Random::new(8);
        let mut cutter = Cutter::default();
        for _ in 0..20 {
            let pieces: Vec<String> = (0..40).map(|_| piece(&mut random, 6)).collect();
            for vocab in all() {
                check(&mut cutter, &pieces, &vocab);
            }
        }
    }

    /// Checks that the span of a run ends in time, at every distance between its first piece and a long one.
    #[test]
    fn runs_end_before_their_masks_do() {
        let vocab = vocabularies::cl100k_base();
        let mut cutter = Cutter::default();
        let long = "漢".repeat(MAX_PIECE_BYTES / 3);
        for chars in 2640..2660 {
            let pieces = [
                "中文".repeat(3),
                "あ".repeat(chars),
                long.clone(),
                "中文".into(),
            ];
            let regular = vocab.as_regular().unwrap();
            let mut scratch = Scratch::new(Level::new());
            let buffer = pieces.concat();
            let (mut start, mut numbers) = (0, Vec::new());
            cutter.clear();
            for piece in &pieces {
                if !cutter.has_room(start) {
                    cutter.finish(buffer.as_bytes(), regular, &mut scratch);
                }
                if piece.len() <= MAX_PIECE_BYTES {
                    numbers.push(cutter.add((start, start + piece.len())));
                }
                start += piece.len();
            }
            cutter.finish(buffer.as_bytes(), regular, &mut scratch);
            for (number, piece) in numbers.into_iter().zip([&pieces[0], &long, &pieces[3]]) {
                let mut expected = Vec::new();
                crate::merge::merge_piece(piece.as_bytes(), &vocab, &mut expected);
                let (ids, len) = cutter.ids(number);
                assert_eq!(ids[..len], expected);
            }
        }
    }

    /// The characters of custom vocabularies, some of which share bytes.
    #[cfg(feature = "custom")]
    const CUSTOM: &str = "中丮国é\u{e8}a한\u{1f642}\u{20021}";

    /// Returns a piece of these characters.
    #[cfg(feature = "custom")]
    fn custom_piece(random: &mut Random, chars: usize) -> String {
        let all: Vec<char> = CUSTOM.chars().collect();
        (0..chars).map(|_| all[random.below(all.len())]).collect()
    }

    /// Returns a vocabulary of bytes and of tokens that are made of two others, and swaps some of their ranks.
    #[cfg(feature = "custom")]
    fn custom_vocabulary(random: &mut Random, swaps: usize) -> Vocabulary {
        let text = custom_piece(random, 600);
        let mut tokens: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        for _ in 0..3000 {
            let half = |random: &mut Random| match random.below(2) * (tokens.len() - 256) {
                0 => vec![CUSTOM.as_bytes()[random.below(CUSTOM.len())]],
                made => tokens[256 + random.below(made)].clone(),
            };
            let token = [half(random), half(random)].concat();
            let occurs = text.as_bytes().windows(token.len()).any(|t| t == token);
            if occurs && token.len() <= 12 && tokens.len() < 256 + 40 && !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        for _ in 0..swaps {
            let [a, b] = [(); 2].map(|()| 256 + random.below(tokens.len() - 256));
            tokens.swap(a, b);
        }
        let mut ranks = Ranks::default();
        for (token, rank) in tokens.iter().zip(0..) {
            ranks.push(token, rank);
        }
        ranks.vocabulary(false).unwrap()
    }

    /// Checks vocabularies in which tokens take fragments of characters at all ranks, some with tokens out of order or that
    /// no merge gives.
    #[cfg(feature = "custom")]
    #[test]
    fn custom_vocabularies_have_the_ids_of_plain_merging() {
        let mut random = Random::new(12);
        let (mut cut, mut out_of_order) = (0, 0);
        for i in 0..150 {
            let vocab = custom_vocabulary(&mut random, i % 3);
            let pieces: Vec<String> = (0..40)
                .map(|_| {
                    let chars = 2 + random.below(30);
                    custom_piece(&mut random, chars)
                })
                .collect();
            for piece in &pieces {
                let (mut ids, mut expected) = (Vec::new(), Vec::new());
                crate::merge::merge_piece(piece.as_bytes(), &vocab, &mut ids);
                plain::merge_plain(piece.as_bytes(), &vocab, &mut expected);
                assert_eq!(ids, expected, "{piece:?} {i}");
            }
            if vocab.as_regular().is_some_and(can_cut) {
                check(&mut Cutter::default(), &pieces, &vocab);
                cut += 1;
            } else {
                out_of_order += usize::from(vocab.as_regular().is_some());
            }
        }
        assert!(
            cut > 10 && out_of_order > 10,
            "{cut} in order, {out_of_order} not"
        );
    }

    #[test]
    fn only_chinese_and_japanese_is_worth_cutting() {
        for (text, expected) in [
            ("中文", true),
            (" 中文", true),
            ("，中文", true),
            ("ひら", true),
            ("中", false),
            (" 中", true),
            ("한국어", false),
            ("русский", false),
            ("हिन्दी", false),
            ("word", false),
            ("abc中", true),
        ] {
            assert_eq!(is_worth_cutting(text.as_bytes()), expected, "{text:?}");
        }
    }
}
