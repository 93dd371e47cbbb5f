//! Characters of more than one byte, merged as far as the text around them cannot matter.
//!
//! Inside a text, a character competes with its neighbours for its bytes: a token may end with the first bytes of a
//! character, or begin with its last ones. Here such a token is called a *rival*. Mostly its rank is higher than those of
//! the character's own merges, which then always come first. So a merge can begin with the symbols found here instead of
//! single bytes.
//!
//! A character is a word of 64 bits, a [`Char`]: the ids that it merges to alone, with room for three.
//!
//! ```text
//!  63  62   61     60    59     58   57  56 55   54 53      36 35      18 17       0
//! +---+----+------+-----+------+-----+------+------+----------+----------+----------+
//! | 0 |MADE|BEGINS|AFTER|BEFORE|ASCII| sure |number| third id |second id | first id |
//! +---+----+------+-----+------+-----+------+------+----------+----------+----------+
//!     |<-------- flags ------->|
//! ```
//!
//! - `number` is how many ids there are. Zero says that the word has none: the character must be merged with its bytes.
//!   This is so for characters of four symbols, and for those of out-of-order tokens.
//! - `sure` is how many of the character's merges are right in all surroundings; three says that all are.
//! - The flags are those of [`crossings`](super::crossings). Bit 63 is free for those that use a copy of the byte.
//! - A character of up to two ids keeps the sides of their symbols in the lowest bits of the third.

#![allow(clippy::indexing_slicing)] // a character has at most four symbols

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Regular;
use super::crossings::{ASCII, Crossings, MADE, Side};
use super::tables::{ID_BITS, NONE, SIDES, Symbol};
use crate::token_id::TokenId;
use crate::utf8::{char_len, decode, is_continuation};

/// The merge of a character, in the layout at the head of this file.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub(crate) struct Char(pub(crate) u64);

const ID_MASK: u64 = (1 << ID_BITS) - 1;
const SIDES_MASK: u64 = (1 << SIDES) - 1;
/// Where the sides of the first symbol are in a word of up to two ids; those of the second follow.
const SIDES_SHIFT: u32 = 2 * ID_BITS;
const NUMBER_SHIFT: u32 = 3 * ID_BITS;
const SURE_SHIFT: u32 = NUMBER_SHIFT + 2;
const FLAGS_SHIFT: u32 = SURE_SHIFT;
/// The most ids of a word, which are also the most merges of a character.
const MAX_IDS: usize = 3;
/// Says that all merges of a character are sure.
const ALL_SURE: u64 = 3;
/// The two fields of a character that is one symbol in all surroundings.
const SINGLE: u64 = ALL_SURE << 2 | 1;

impl Char {
    /// Creates a word of one id without flags.
    #[inline(always)]
    pub(crate) fn of_id(id: TokenId) -> Self {
        Self(u64::from(id) | 1 << NUMBER_SHIFT)
    }

    /// Creates a word without flags from up to three ids.
    pub(crate) fn of_ids(ids: &[TokenId]) -> Self {
        let number = (ids.len() as u64) << NUMBER_SHIFT;
        let ids = ids.iter().rev();
        Self(number | ids.fold(0, |word, id| word << ID_BITS | u64::from(*id)))
    }

    /// Returns the number of ids, 0 if the word has none.
    #[inline(always)]
    pub(crate) fn number(self) -> usize {
        (self.0 >> NUMBER_SHIFT & 3) as usize
    }

    /// Returns the three places for ids, of which the first [`number`](Self::number) are used.
    #[inline(always)]
    pub(crate) fn ids(self) -> [TokenId; MAX_IDS] {
        [self.0, self.0 >> ID_BITS, self.0 >> (2 * ID_BITS)].map(|id| (id & ID_MASK) as TokenId)
    }

    /// Returns the last id of a word that has one.
    #[inline(always)]
    pub(crate) fn last_id(self) -> TokenId {
        let last = self.number().saturating_sub(1) as u32;
        (self.0 >> (ID_BITS * last) & ID_MASK) as TokenId
    }

    /// Returns two symbols of a word of up to two ids.
    #[inline(always)]
    pub(crate) fn two_symbols(self) -> [Symbol; 2] {
        let symbol =
            |ids: u64, sides: u64| ((ids & ID_MASK) << SIDES | sides & SIDES_MASK) as Symbol;
        let sides = self.0 >> SIDES_SHIFT;
        [
            symbol(self.0, sides),
            symbol(self.0 >> ID_BITS, sides >> SIDES),
        ]
    }

    /// Returns whether the character is one symbol in all surroundings.
    #[inline(always)]
    pub(crate) fn is_single(self) -> bool {
        self.0 >> NUMBER_SHIFT & 0xF == SINGLE
    }

    /// Returns a bound of the ranks of the character's own merges, if they lead to one symbol: then it is the rank of that.
    /// For other characters it is above all ranks, and below [`NONE`].
    #[inline(always)]
    pub(crate) fn highest_rank(self) -> TokenId {
        if self.number() == 1 {
            (self.0 & ID_MASK) as TokenId
        } else {
            NONE - 1
        }
    }

    /// Returns the flags of the character, see [`crossings`](super::crossings).
    #[inline(always)]
    pub(crate) fn flags(self) -> u8 {
        (self.0 >> FLAGS_SHIFT) as u8
    }
}

/// The symbols of a character, up to one for each byte.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Symbols {
    pub(crate) symbols: [Symbol; 4],
    pub(crate) len: usize,
}

impl Symbols {
    /// Appends the symbols: always four are copied, which needs no branch, and those too many cut off.
    #[inline(always)]
    pub(crate) fn append_to(&self, symbols: &mut Vec<Symbol>) {
        let len = symbols.len() + self.len;
        symbols.extend_from_slice(&self.symbols);
        symbols.truncate(len);
    }
}

/// The first code point of characters of four bytes.
const LONG_CHARS: u32 = 1 << 16;

/// With fewer characters of two bytes as tokens than this, merges begin with their bytes: most characters would be two
/// symbols anyway. These are a tenth of all.
///
/// r50k_base has 126 of them, cl100k_base 259, and o200k_base 644. Beginning with bytes, new Russian takes 3 % less time
/// with r50k_base, but 4 % more with cl100k_base and 11 % more with o200k_base (AMD EPYC with AVX2, November 2026). The
/// small vocabularies of unit tests must reach the merge of characters.
const MIN_TWO_BYTE_CHARS: usize = if cfg!(test) { 1 } else { (0x800 - 0x80) / 10 };

/// How many characters of four bytes are in a block: those with the same first two bytes.
const BLOCK_LEN: usize = 1 << BLOCK_BITS;
const BLOCK_BITS: u32 = 12;

/// The words of some characters, zero where none was made yet.
type Words = Box<[AtomicU64]>;

/// All characters. Each is merged when a text first has it, so a text pays only for its own.
///
/// Those of up to three bytes are in one table of 512 KB. Longer ones are rare, so their blocks of 32 KB are made when one of
/// their characters is met.
pub(crate) struct Chars {
    rivals: Rivals,
    pub(crate) crossings: Crossings,
    /// Tokens that are a half of an out-of-order token, or are out of order: no merge may begin with them.
    unsure: FxHashSet<TokenId>,
    /// Whether enough characters of two bytes are tokens, see [`MIN_TWO_BYTE_CHARS`].
    has_two_byte_tokens: bool,
    words: Words,
    longer: Box<[OnceLock<Words>]>,
}

/// The lowest ranks of rivals, by the fragment of a character that they take. Keys are [`packed`] bytes.
#[derive(Default)]
struct Rivals {
    /// By the last bytes of a character: a token begins with them and has more.
    by_end: FxHashMap<u32, TokenId>,
    /// By the first bytes of a character: a token ends with them and has more.
    by_start: FxHashMap<u32, TokenId>,
}

impl Chars {
    /// Collects the rivals and crossings of a vocabulary, in one pass over its tokens that are not ASCII.
    pub(crate) fn new(vocab: &Regular) -> Self {
        let (mut rivals, mut crossings) = (Rivals::default(), Crossings::empty());
        let mut two_byte_chars = 0;
        for (id, token) in vocab.beyond_ascii() {
            two_byte_chars += usize::from(token.len() == 2 && std::str::from_utf8(token).is_ok());
            rivals.add(id, token);
            crossings.add(id, token.split_at(vocab.seam(id)), token);
        }
        let blocks = LONG_CHARS >> BLOCK_BITS..=u32::from(char::MAX) >> BLOCK_BITS;
        Self {
            rivals,
            crossings,
            unsure: vocab.out_of_order_parts().collect(),
            has_two_byte_tokens: two_byte_chars >= MIN_TWO_BYTE_CHARS,
            words: empty_words(LONG_CHARS as usize),
            longer: blocks.map(|_| OnceLock::new()).collect(),
        }
    }

    /// Returns whether the merge of a piece of `len` bytes is faster if it begins with characters of two bytes than if it
    /// begins with bytes. `ascii` is how many of the bytes are ASCII.
    ///
    /// Pieces that are mostly ASCII, like words with an accent, begin with bytes: new text in several languages takes 2 %
    /// less time with cl100k_base (AMD EPYC with AVX2, November 2026).
    #[inline(always)]
    pub(crate) fn are_worth_it(&self, len: usize, ascii: usize) -> bool {
        self.has_two_byte_tokens && 2 * ascii < len
    }

    /// Returns a character, and merges it on the first call. A number that is not a code point has no ids.
    #[inline(always)]
    pub(crate) fn get(&self, code_point: u32, vocab: &Regular) -> Char {
        let word = match self.words.get(code_point as usize) {
            // one word, and always the same: no order is needed
            Some(word) => word.load(Ordering::Relaxed),
            None => self.long_char(code_point),
        };
        if word == 0 {
            return self.make(code_point, vocab);
        }
        Char(word)
    }

    /// Returns the word of a character of four bytes, 0 if it was not made yet.
    fn long_char(&self, code_point: u32) -> u64 {
        let block = self.block_of(code_point).and_then(OnceLock::get);
        block.map_or(0, |words| {
            words[code_point as usize % BLOCK_LEN].load(Ordering::Relaxed)
        })
    }

    /// Returns the block of a character of four bytes.
    fn block_of(&self, code_point: u32) -> Option<&OnceLock<Words>> {
        let at = code_point.checked_sub(LONG_CHARS)? >> BLOCK_BITS;
        self.longer.get(at as usize)
    }

    /// Merges a character and keeps it.
    #[cold]
    #[inline(never)]
    fn make(&self, code_point: u32, vocab: &Regular) -> Char {
        let mut bytes = [0; 4];
        let bytes = char::from_u32(code_point)
            .map_or(&[][..], |char| char.encode_utf8(&mut bytes).as_bytes());
        let ascii = ASCII * u8::from(bytes.len() == 1);
        let flags = self.crossings.flags(code_point) | MADE | ascii;
        let merged = Char(self.merge(bytes, vocab).0 | u64::from(flags) << FLAGS_SHIFT);
        let word = self.words.get(code_point as usize).or_else(|| {
            let block = self.block_of(code_point)?;
            block
                .get_or_init(|| empty_words(BLOCK_LEN))
                .get(code_point as usize % BLOCK_LEN)
        });
        if let Some(word) = word {
            word.store(merged.0, Ordering::Relaxed);
        }
        merged
    }

    /// Merges a character alone, up to the end. Up to the first merge that a rival may precede, the symbols are right in
    /// all surroundings.
    fn merge(&self, bytes: &[u8], vocab: &Regular) -> Char {
        let mut merging = Merging::new(bytes, vocab);
        let (mut sure, mut merges) = (None, 0);
        let mut is_in_order = true;
        while let Some((merged, left)) = merging.best(vocab) {
            let rank = merged >> SIDES;
            is_in_order &= !self.unsure.contains(&rank);
            if sure.is_none() && (!is_in_order || rank >= self.rivals.lowest(merging.ends(bytes))) {
                sure = Some(merges);
            }
            merging.join(merged, left);
            merges += 1;
        }
        let sure = sure.unwrap_or(ALL_SURE) << SURE_SHIFT;
        let symbols = merging.symbols();
        if !is_in_order || symbols.len() > MAX_IDS {
            return Char(sure);
        }
        let ids: Vec<TokenId> = symbols.iter().map(|symbol| symbol >> SIDES).collect();
        let mut word = Char::of_ids(&ids).0 | sure;
        if let [first, rest @ ..] = symbols
            && rest.len() < 2
        {
            let second = rest.first().copied().unwrap_or(0);
            word |= u64::from(first & SIDES_MASK as u32) << SIDES_SHIFT;
            word |= u64::from(second & SIDES_MASK as u32) << (SIDES_SHIFT + SIDES);
        }
        Char(word)
    }

    /// Returns the symbols of a character merged alone: right wherever no rival comes before one of its merges. A character
    /// without ids has the symbols that it has in all surroundings.
    #[inline(always)]
    pub(crate) fn alone(&self, char: Char, bytes: &[u8], vocab: &Regular) -> Symbols {
        let [first, second] = char.two_symbols();
        match char.number() {
            0 => self.everywhere(char, bytes, vocab),
            len @ (1 | 2) => Symbols {
                symbols: [first, second, NONE, NONE],
                len,
            },
            len => {
                let [first, second, third] = char.ids().map(|id| vocab.symbol(id));
                Symbols {
                    symbols: [first, second, third, NONE],
                    len,
                }
            }
        }
    }

    /// Returns the symbols of a character up to where a rival may come first: right in all surroundings.
    #[inline(always)]
    pub(crate) fn everywhere(&self, char: Char, bytes: &[u8], vocab: &Regular) -> Symbols {
        let sure = char.0 >> SURE_SHIFT & ALL_SURE;
        if sure == ALL_SURE && char.number() > 0 {
            return self.alone(char, bytes, vocab);
        }
        first_merges(bytes, sure, vocab)
    }

    /// Returns the symbols to begin a merge with, where `rival` is the lowest rank of a rival, or [`NONE`].
    #[inline(always)]
    pub(crate) fn against(
        &self,
        rival: TokenId,
        char: Char,
        bytes: &[u8],
        vocab: &Regular,
    ) -> Symbols {
        if rival > char.highest_rank() {
            self.alone(char, bytes, vocab)
        } else {
            self.everywhere(char, bytes, vocab)
        }
    }

    /// Appends the symbols to begin the merge of any bytes with, where nothing is known of rivals. Bytes of no character
    /// become single bytes.
    pub(crate) fn push(&self, mut bytes: &[u8], vocab: &Regular, symbols: &mut Vec<Symbol>) {
        while let Some(&lead) = bytes.first() {
            let (code_point, len) = decode(bytes);
            if len > 1 {
                let char = self.get(code_point, vocab);
                self.everywhere(char, &bytes[..len], vocab)
                    .append_to(symbols);
            } else {
                symbols.push(vocab.byte_symbol(lead));
            }
            bytes = &bytes[len..];
        }
    }

    /// Returns the properties of a character that decide on crossings.
    #[inline(always)]
    pub(crate) fn side(code_point: u32, char: Char) -> Side {
        Side {
            code_point,
            flags: char.flags(),
        }
    }
}

/// Returns words of characters that were not made yet.
#[cold]
fn empty_words(len: usize) -> Words {
    (0..len).map(|_| AtomicU64::new(0)).collect()
}

/// Returns the symbols of a character after some of its merges.
#[cold]
fn first_merges(bytes: &[u8], merges: u64, vocab: &Regular) -> Symbols {
    let mut merging = Merging::new(bytes, vocab);
    for _ in 0..merges {
        let Some((merged, left)) = merging.best(vocab) else {
            break;
        };
        merging.join(merged, left);
    }
    merging.symbols
}

/// A character that is being merged.
struct Merging {
    symbols: Symbols,
    /// The length of each symbol in bytes.
    lens: [usize; 4],
}

impl Merging {
    /// Begins with the bytes of a character.
    fn new(char: &[u8], vocab: &Regular) -> Self {
        let mut symbols = [NONE; 4];
        for (symbol, byte) in symbols.iter_mut().zip(char) {
            *symbol = vocab.byte_symbol(*byte);
        }
        Self {
            symbols: Symbols {
                symbols,
                len: char.len(),
            },
            lens: [1; 4],
        }
    }

    /// Returns the symbols that are left.
    fn symbols(&self) -> &[Symbol] {
        &self.symbols.symbols[..self.symbols.len]
    }

    /// Joins a symbol and its right neighbour.
    fn join(&mut self, merged: Symbol, left: usize) {
        let right = left + 1;
        self.symbols.symbols[left] = merged;
        self.lens[left] += self.lens[right];
        self.symbols.symbols.copy_within(right + 1.., right);
        self.lens.copy_within(right + 1.., right);
        self.symbols.len -= 1;
    }

    /// Returns the bytes of the first symbol and of the last.
    fn ends<'c>(&self, char: &'c [u8]) -> (&'c [u8], &'c [u8]) {
        let last = self.lens[self.symbols.len - 1];
        (&char[..self.lens[0]], &char[char.len() - last..])
    }

    /// Returns the merge of the lowest rank and the index of its left symbol.
    fn best(&self, vocab: &Regular) -> Option<(Symbol, usize)> {
        let merges = self
            .symbols()
            .windows(2)
            .map(|pair| vocab.merged_symbols(pair[0], pair[1]));
        let best = merges.zip(0..).min();
        best.filter(|(merged, _)| *merged != NONE)
    }
}

impl Rivals {
    /// Adds a token, if it begins or ends inside a character and has bytes of another one.
    fn add(&mut self, id: TokenId, token: &[u8]) {
        let begins_inside = token
            .iter()
            .take_while(|byte| is_continuation(**byte))
            .count();
        if begins_inside > 0 && begins_inside < token.len() && begins_inside < 4 {
            keep_lowest(&mut self.by_end, token.get(..begins_inside), id);
        }
        let after_lead = token
            .iter()
            .rev()
            .take_while(|byte| is_continuation(**byte))
            .count();
        let Some(lead) = token
            .len()
            .checked_sub(after_lead + 1)
            .filter(|lead| *lead > 0)
        else {
            return;
        };
        if token
            .get(lead)
            .is_some_and(|byte| char_len(*byte) > after_lead + 1)
        {
            keep_lowest(&mut self.by_start, token.get(lead..), id);
        }
    }

    /// Returns the lowest rank of a rival that takes the first fragment of a character, or the last one; [`NONE`] if there
    /// is none.
    fn lowest(&self, (first, last): (&[u8], &[u8])) -> TokenId {
        let of =
            |map: &FxHashMap<u32, TokenId>, bytes| map.get(&packed(bytes)).copied().unwrap_or(NONE);
        of(&self.by_start, first).min(of(&self.by_end, last))
    }
}

/// Notes a rank for some bytes, unless they have a lower one.
fn keep_lowest(map: &mut FxHashMap<u32, TokenId>, bytes: Option<&[u8]>, id: TokenId) {
    let lowest = map.entry(packed(bytes.unwrap_or_default())).or_insert(id);
    *lowest = id.min(*lowest);
}

/// Packs up to four bytes into a word. No two fragments give the same word, because none begins with a zero byte.
fn packed(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |packed, byte| packed << 8 | u32::from(*byte))
}
