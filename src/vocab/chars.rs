//! Characters of more than one byte, merged as far as nothing around them can matter.
//!
//! Inside a text the bytes of a character compete with its neighbours: a token may end with the first bytes of a
//! character, or begin with its last ones. But mostly such tokens have a higher rank than the character's own merges,
//! which then always come first. So a merge can begin with the parts found here in place of single bytes.

#![allow(clippy::indexing_slicing)] // blocks have 256 entries, a character at most four parts

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::Regular;
use super::crossings::Crossings;
use super::tables::{NONE, SIDES, Symbol};
use crate::token_id::TokenId;
use crate::utf8::{char_len, decode, is_continuation};

/// What a character is merged to: one symbol, or an index into [`CharBlock::others`], with bits above it.
#[derive(Clone, Copy)]
pub(crate) struct Char(u32);

/// The bits of a symbol or an index.
const SYMBOL_BITS: u32 = 24;
const SYMBOL_MASK: u32 = (1 << SYMBOL_BITS) - 1;
/// The character is one symbol wherever it stands.
const SINGLE: u32 = 1 << SYMBOL_BITS;
/// Above it, what [`crossings`](super::crossings) says of the character.
const FLAGS: u32 = SYMBOL_BITS + 1;

impl Char {
    /// The symbol that it is wherever it stands.
    #[inline(always)]
    pub(crate) fn single(self) -> Option<Symbol> {
        (self.0 & SINGLE != 0).then_some(self.0 & SYMBOL_MASK)
    }

    #[inline(always)]
    pub(crate) fn flags(self) -> u8 {
        (self.0 >> FLAGS) as u8
    }
}

/// How many characters are made at a time. Smaller blocks are more cache lines on the way to a character.
const BLOCK_LEN: u32 = 256;

/// Characters with the same upper bits.
pub(crate) struct CharBlock {
    chars: [Char; BLOCK_LEN as usize],
    others: Vec<Other>,
}

/// A character of several symbols.
#[derive(PartialEq)]
pub(crate) struct Other {
    /// Its merge where no token joins fragments of it to its neighbours, or none of so low a rank that it comes first.
    whole: Symbols,
    /// Its merge as far as it is the same everywhere.
    pub(crate) parts: Symbols,
    /// The highest rank among the merges to `whole`.
    rank: TokenId,
}

impl Other {
    /// Its merge where the lowest rank of a token that joins fragments of it to its neighbours is this.
    #[inline(always)]
    pub(crate) fn within(&self, partial: TokenId) -> &Symbols {
        if partial > self.rank {
            &self.whole
        } else {
            &self.parts
        }
    }
}

impl CharBlock {
    #[inline(always)]
    pub(crate) fn get(&self, code_point: u32) -> Char {
        self.chars[(code_point % BLOCK_LEN) as usize]
    }

    /// A character of this block that is no [single](Char::single) symbol.
    #[inline(always)]
    pub(crate) fn other(&self, char: Char) -> &Other {
        &self.others[(char.0 & SYMBOL_MASK) as usize]
    }
}

/// At most one symbol for each byte of a character.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Symbols {
    pub(crate) symbols: [Symbol; 4],
    pub(crate) len: usize,
}

impl Symbols {
    #[inline(always)]
    pub(crate) fn push_to(&self, symbols: &mut Vec<Symbol>) {
        let len = symbols.len() + self.len;
        symbols.extend_from_slice(&self.symbols);
        symbols.truncate(len);
    }
}

/// All characters, made a block at a time when one of them is first met; some 4 MB if all of them are.
pub(crate) struct Chars {
    rivals: Rivals,
    pub(crate) crossings: Crossings,
    blocks: Box<[OnceLock<Box<CharBlock>>]>,
}

/// The lowest rank of a token that joins a fragment of a character to its neighbour.
#[derive(Default)]
struct Rivals {
    /// By the last bytes of a character, which are the first ones of such a token.
    begin: FxHashMap<u32, TokenId>,
    /// By the first bytes of a character, which are the last ones of such a token.
    end: FxHashMap<u32, TokenId>,
}

impl Chars {
    pub(crate) fn new(vocab: &Regular) -> Self {
        let (mut rivals, mut crossings) = (Rivals::default(), Crossings::empty());
        for (id, token) in vocab.beyond_ascii() {
            rivals.add(id, token);
            crossings.add(id, token.split_at(vocab.seam(id)), token);
        }
        let blocks = (0..=u32::from(char::MAX) / BLOCK_LEN)
            .map(|_| OnceLock::new())
            .collect();
        Self {
            rivals,
            crossings,
            blocks,
        }
    }

    /// The block that a character is in.
    #[inline(always)]
    pub(crate) fn block(&self, code_point: u32, vocab: &Regular) -> &CharBlock {
        self.blocks[(code_point / BLOCK_LEN) as usize]
            .get_or_init(|| self.make(code_point / BLOCK_LEN, vocab))
    }

    #[cold]
    fn make(&self, number: u32, vocab: &Regular) -> Box<CharBlock> {
        let mut block = Box::new(CharBlock {
            chars: [Char(0); BLOCK_LEN as usize],
            others: Vec::new(),
        });
        for i in 0..BLOCK_LEN {
            let code_point = number * BLOCK_LEN + i;
            let other = self.merge(code_point, vocab);
            let flags = u32::from(self.crossings.flags(code_point)) << FLAGS;
            let single = other.whole == other.parts && other.whole.len == 1;
            block.chars[i as usize] = if single {
                Char(flags | SINGLE | other.whole.symbols[0])
            } else {
                block.others.push(other);
                Char(flags | (block.others.len() - 1) as u32)
            };
        }
        block
    }

    fn merge(&self, code_point: u32, vocab: &Regular) -> Other {
        let mut bytes = [0; 4];
        let bytes = char::from_u32(code_point)
            .map_or(&[][..], |char| char.encode_utf8(&mut bytes).as_bytes());
        Merging::new(bytes, vocab).merge(bytes, &self.rivals, vocab)
    }

    /// Appends the symbols of any bytes: the parts of the characters, single bytes where there is none.
    pub(crate) fn push(&self, mut bytes: &[u8], vocab: &Regular, symbols: &mut Vec<Symbol>) {
        while let Some(&lead) = bytes.first() {
            let (code_point, len) = decode(bytes);
            if len > 1 {
                let block = self.block(code_point, vocab);
                let char = block.get(code_point);
                match char.single() {
                    Some(symbol) => symbols.push(symbol),
                    None => block.other(char).parts.push_to(symbols),
                }
            } else {
                symbols.push(vocab.byte_symbol(lead));
            }
            bytes = &bytes[len..];
        }
    }
}

/// A character that is being merged.
struct Merging {
    symbols: Symbols,
    /// The bytes of each symbol.
    lens: [usize; 4],
    /// The highest rank of the merges done.
    highest: TokenId,
}

impl Merging {
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
            highest: 0,
        }
    }

    /// Merges as far as it goes. The merge is the same everywhere up to the first one that a rival may come before.
    fn merge(mut self, char: &[u8], rivals: &Rivals, vocab: &Regular) -> Other {
        let mut parts = None;
        while let Some((merged, left)) = self.best(vocab) {
            let rank = merged >> SIDES;
            if parts.is_none() && rank >= rivals.lowest(self.ends(char)) {
                parts = Some(self.symbols);
            }
            let right = left + 1;
            self.symbols.symbols[left] = merged;
            self.lens[left] += self.lens[right];
            self.symbols.symbols.copy_within(right + 1.., right);
            self.lens.copy_within(right + 1.., right);
            self.symbols.len -= 1;
            self.highest = rank.max(self.highest);
        }
        Other {
            whole: self.symbols,
            parts: parts.unwrap_or(self.symbols),
            rank: self.highest,
        }
    }

    /// The bytes of the first symbol and of the last.
    fn ends<'c>(&self, char: &'c [u8]) -> (&'c [u8], &'c [u8]) {
        let last = self.lens[self.symbols.len - 1];
        (&char[..self.lens[0]], &char[char.len() - last..])
    }

    /// The lowest merge of two neighbours, and where it is.
    fn best(&self, vocab: &Regular) -> Option<(Symbol, usize)> {
        let symbols = &self.symbols.symbols[..self.symbols.len];
        let merges = symbols
            .windows(2)
            .map(|pair| vocab.merged_symbols(pair[0], pair[1]));
        let best = merges.zip(0..).min();
        best.filter(|(merged, _)| *merged != NONE)
    }
}

impl Rivals {
    fn add(&mut self, id: TokenId, token: &[u8]) {
        let begins_inside = token
            .iter()
            .take_while(|byte| is_continuation(**byte))
            .count();
        if begins_inside > 0 && begins_inside < token.len() && begins_inside < 4 {
            keep_lowest(&mut self.begin, token.get(..begins_inside), id);
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
            keep_lowest(&mut self.end, token.get(lead..), id);
        }
    }

    /// The lowest rank of a token that takes the first fragment of a character to the left, or the last to the right.
    fn lowest(&self, (first, last): (&[u8], &[u8])) -> TokenId {
        let of =
            |map: &FxHashMap<u32, TokenId>, bytes| map.get(&packed(bytes)).copied().unwrap_or(NONE);
        of(&self.end, first).min(of(&self.begin, last))
    }
}

fn keep_lowest(map: &mut FxHashMap<u32, TokenId>, bytes: Option<&[u8]>, id: TokenId) {
    let lowest = map.entry(packed(bytes.unwrap_or_default())).or_insert(id);
    *lowest = id.min(*lowest);
}

/// At most four bytes in a word; 0 is in front of none of them, as no fragment begins with it.
fn packed(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |word, byte| word << 8 | u32::from(*byte))
}
