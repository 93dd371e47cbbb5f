//! Characters of more than one byte, merged as far as the text around them cannot matter.
//!
//! Inside a text, a character competes with its neighbours for its bytes: a token may end with the first bytes of a
//! character, or begin with its last ones. Here such a token is called a *rival*. Mostly its rank is higher than those of
//! the character's own merges, which then always come first. So a merge can begin with the symbols found here instead of
//! single bytes.
//!
//! A character is a word of 32 bits, a [`Char`]. The flags are those of [`crossings`](super::crossings):
//!
//! ```text
//!  31          25  24 23                             0
//! +--------------+---+--------------------------------+
//! |    flags     | 1 |             symbol             |   one symbol in all surroundings
//! +--------------+---+--------------------------------+
//! |    flags     | 0 |  index in `CharBlock::multi`   |   up to four symbols
//! +--------------+---+--------------------------------+
//! ```

#![allow(clippy::indexing_slicing)] // blocks have 256 entries, a character at most four symbols

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::Regular;
use super::crossings::Crossings;
use super::tables::{NONE, SIDES, Symbol};
use crate::token_id::TokenId;
use crate::utf8::{char_len, decode, is_continuation};

/// The merge of a character, in the layout at the head of this file.
#[derive(Clone, Copy)]
pub(crate) struct Char(u32);

/// The bits of a symbol or an index: symbols have 20 (18 of the id, 2 of the sides).
const SYMBOL_BITS: u32 = 24;
const SYMBOL_MASK: u32 = (1 << SYMBOL_BITS) - 1;
/// Says that the character is one symbol in all surroundings.
const SINGLE: u32 = 1 << SYMBOL_BITS;
/// Where the flags begin.
const FLAGS_SHIFT: u32 = SYMBOL_BITS + 1;

impl Char {
    /// Returns the symbol of the character, if it is one symbol in all surroundings.
    #[inline(always)]
    pub(crate) fn single(self) -> Option<Symbol> {
        (self.0 & SINGLE != 0).then_some(self.0 & SYMBOL_MASK)
    }

    /// Returns the flags of the character, see [`crossings`](super::crossings).
    #[inline(always)]
    pub(crate) fn flags(self) -> u8 {
        (self.0 >> FLAGS_SHIFT) as u8
    }
}

/// How many characters are merged at a time. With smaller blocks, more cache lines are on the way to a character.
const BLOCK_LEN: u32 = 256;

/// Characters with the same upper bits.
pub(crate) struct CharBlock {
    chars: [Char; BLOCK_LEN as usize],
    multi: Vec<MultiSymbolChar>,
}

/// A character that is not one symbol in all surroundings.
#[derive(PartialEq)]
pub(crate) struct MultiSymbolChar {
    /// The symbols of the character merged alone: right wherever no rival comes before one of its merges.
    alone: Symbols,
    /// The symbols up to where a rival may come first: right in all surroundings.
    pub(crate) everywhere: Symbols,
    /// The highest rank among the merges that lead to `alone`.
    highest_rank: TokenId,
}

impl MultiSymbolChar {
    /// Returns the symbols to begin a merge with, where `rival` is the lowest rank of a rival, or [`NONE`].
    #[inline(always)]
    pub(crate) fn against(&self, rival: TokenId) -> &Symbols {
        if rival > self.highest_rank {
            &self.alone
        } else {
            &self.everywhere
        }
    }
}

impl CharBlock {
    /// Returns the character with this code point, which must be in this block.
    #[inline(always)]
    pub(crate) fn get(&self, code_point: u32) -> Char {
        self.chars[(code_point % BLOCK_LEN) as usize]
    }

    /// Returns the symbols of a character of this block that is not a [single](Char::single) one.
    #[inline(always)]
    pub(crate) fn multi(&self, char: Char) -> &MultiSymbolChar {
        &self.multi[(char.0 & SYMBOL_MASK) as usize]
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

/// All characters. A block is merged when a text first has one of its characters; all blocks together take about 4 MB.
pub(crate) struct Chars {
    rivals: Rivals,
    pub(crate) crossings: Crossings,
    blocks: Box<[OnceLock<Box<CharBlock>>]>,
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

    /// Returns the block that a character is in, and merges its characters on the first call.
    #[inline(always)]
    pub(crate) fn block(&self, code_point: u32, vocab: &Regular) -> &CharBlock {
        self.blocks[(code_point / BLOCK_LEN) as usize]
            .get_or_init(|| self.make(code_point / BLOCK_LEN, vocab))
    }

    /// Merges the characters of a block.
    #[cold]
    fn make(&self, number: u32, vocab: &Regular) -> Box<CharBlock> {
        let mut block = Box::new(CharBlock {
            chars: [Char(0); BLOCK_LEN as usize],
            multi: Vec::new(),
        });
        for i in 0..BLOCK_LEN {
            let code_point = number * BLOCK_LEN + i;
            let merged = self.merge(code_point, vocab);
            let flags = u32::from(self.crossings.flags(code_point)) << FLAGS_SHIFT;
            let single = merged.alone == merged.everywhere && merged.alone.len == 1;
            block.chars[i as usize] = if single {
                Char(flags | SINGLE | merged.alone.symbols[0])
            } else {
                block.multi.push(merged);
                Char(flags | (block.multi.len() - 1) as u32)
            };
        }
        block
    }

    /// Merges a character; a surrogate, which is none, has no symbols.
    fn merge(&self, code_point: u32, vocab: &Regular) -> MultiSymbolChar {
        let mut bytes = [0; 4];
        let bytes = char::from_u32(code_point)
            .map_or(&[][..], |char| char.encode_utf8(&mut bytes).as_bytes());
        Merging::new(bytes, vocab).merge(bytes, &self.rivals, vocab)
    }

    /// Appends the symbols to begin the merge of any bytes with, where nothing is known of rivals. Bytes of no character
    /// become single bytes.
    pub(crate) fn push(&self, mut bytes: &[u8], vocab: &Regular, symbols: &mut Vec<Symbol>) {
        while let Some(&lead) = bytes.first() {
            let (code_point, len) = decode(bytes);
            if len > 1 {
                let block = self.block(code_point, vocab);
                let char = block.get(code_point);
                match char.single() {
                    Some(symbol) => symbols.push(symbol),
                    None => block.multi(char).everywhere.append_to(symbols),
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
    /// The length of each symbol in bytes.
    lens: [usize; 4],
    /// The highest rank of the merges done so far.
    highest_rank: TokenId,
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
            highest_rank: 0,
        }
    }

    /// Merges until no two symbols merge. Up to the first merge that a rival may precede, the symbols are right in all
    /// surroundings.
    fn merge(mut self, char: &[u8], rivals: &Rivals, vocab: &Regular) -> MultiSymbolChar {
        let mut everywhere = None;
        while let Some((merged, left)) = self.best(vocab) {
            let rank = merged >> SIDES;
            if everywhere.is_none() && rank >= rivals.lowest(self.ends(char)) {
                everywhere = Some(self.symbols);
            }
            let right = left + 1;
            self.symbols.symbols[left] = merged;
            self.lens[left] += self.lens[right];
            self.symbols.symbols.copy_within(right + 1.., right);
            self.lens.copy_within(right + 1.., right);
            self.symbols.len -= 1;
            self.highest_rank = rank.max(self.highest_rank);
        }
        MultiSymbolChar {
            alone: self.symbols,
            everywhere: everywhere.unwrap_or(self.symbols),
            highest_rank: self.highest_rank,
        }
    }

    /// Returns the bytes of the first symbol and of the last.
    fn ends<'c>(&self, char: &'c [u8]) -> (&'c [u8], &'c [u8]) {
        let last = self.lens[self.symbols.len - 1];
        (&char[..self.lens[0]], &char[char.len() - last..])
    }

    /// Returns the merge of the lowest rank and the index of its left symbol.
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
