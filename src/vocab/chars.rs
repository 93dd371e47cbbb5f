//! Characters of more than one byte, merged as far as nothing around them can matter.
//!
//! Inside a text the bytes of a character compete with its neighbours: a token may end with the first bytes of a
//! character, or begin with its last ones. But mostly such tokens have a higher rank than the character's own merges,
//! which then always come first. So a merge can begin with the parts found here in place of single bytes.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::Vocabulary;
use super::tables::NONE;
use crate::TokenId;

/// The parts of a character: its tokens, at most one for each of its bytes, then [`NONE`].
pub(crate) type CharParts = [TokenId; 4];

/// Characters from here on are rare: they are taken byte by byte.
const END: u32 = 0x2_0000;

/// The parts of characters, made for 256 of them at a time when one is first met; some 2 MB if all of them are.
pub(crate) struct Chars {
    rivals: Rivals,
    blocks: Box<[OnceLock<Box<[CharParts; 256]>>]>,
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
    pub(crate) fn new(vocab: &Vocabulary) -> Self {
        let mut rivals = Rivals::default();
        for (id, token) in vocab
            .tokens()
            .filter(|(_, token)| token.len() > 1 && !token.is_ascii())
        {
            rivals.add(id, token);
        }
        Self {
            rivals,
            blocks: (0..END >> 8).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The parts of the character that `bytes` begin with, and its length.
    #[inline]
    pub(crate) fn at(&self, bytes: &[u8], vocab: &Vocabulary) -> (CharParts, usize) {
        let (code_point, len) = decode(bytes);
        let block = self.blocks.get(code_point as usize >> 8);
        let parts = match block {
            Some(block) => {
                let block = block.get_or_init(|| self.block(code_point >> 8, vocab));
                block
                    .get((code_point & 0xFF) as usize)
                    .copied()
                    .unwrap_or([NONE; 4])
            }
            None => single_bytes(bytes.get(..len).unwrap_or(bytes), vocab),
        };
        (parts, len)
    }

    fn block(&self, number: u32, vocab: &Vocabulary) -> Box<[CharParts; 256]> {
        let mut block = Box::new([[NONE; 4]; 256]);
        for (code_point, parts) in (number << 8..).zip(block.iter_mut()) {
            if let Some(char) = char::from_u32(code_point) {
                *parts = self.merge(char.encode_utf8(&mut [0; 4]).as_bytes(), vocab);
            }
        }
        block
    }

    /// Merges the bytes of a character up to the first merge that a rival may come before.
    fn merge(&self, char: &[u8], vocab: &Vocabulary) -> CharParts {
        let mut parts: Vec<(TokenId, &[u8])> = char
            .iter()
            .zip(char.chunks(1))
            .map(|(byte, bytes)| (vocab.byte(*byte), bytes))
            .collect();
        while let Some((rank, left)) = best(&parts, vocab) {
            let first = parts.first().map_or(&[][..], |part| part.1);
            let last = parts.last().map_or(&[][..], |part| part.1);
            if rank >= self.rivals.lowest(first, last) {
                break;
            }
            let start: usize = parts.iter().take(left).map(|part| part.1.len()).sum();
            let len: usize = parts
                .iter()
                .skip(left)
                .take(2)
                .map(|part| part.1.len())
                .sum();
            parts.remove(left + 1);
            if let (Some(part), Some(bytes)) = (parts.get_mut(left), char.get(start..start + len)) {
                *part = (rank, bytes);
            }
        }
        let mut ids = [NONE; 4];
        for (id, (part, _)) in ids.iter_mut().zip(&parts) {
            *id = *part;
        }
        ids
    }
}

/// The lowest merge of two neighbours, and where it is.
fn best(parts: &[(TokenId, &[u8])], vocab: &Vocabulary) -> Option<(TokenId, usize)> {
    let neighbours = parts.iter().zip(parts.iter().skip(1));
    let merges = neighbours
        .map(|(left, right)| vocab.merged(left.0, right.0))
        .zip(0..);
    merges.min().filter(|(rank, _)| *rank != NONE)
}

impl Rivals {
    fn add(&mut self, id: TokenId, token: &[u8]) {
        let begins_inside = token
            .iter()
            .take_while(|byte| is_continuation(**byte))
            .count();
        if begins_inside > 0 && begins_inside < token.len() && begins_inside < 4 {
            lower(&mut self.begin, token.get(..begins_inside), id);
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
            lower(&mut self.end, token.get(lead..), id);
        }
    }

    /// The lowest rank of a token that takes the first fragment of a character to the left, or the last to the right.
    fn lowest(&self, first: &[u8], last: &[u8]) -> TokenId {
        let of =
            |map: &FxHashMap<u32, TokenId>, bytes| map.get(&word(bytes)).copied().unwrap_or(NONE);
        of(&self.end, first).min(of(&self.begin, last))
    }
}

fn lower(map: &mut FxHashMap<u32, TokenId>, bytes: Option<&[u8]>, id: TokenId) {
    let lowest = map.entry(word(bytes.unwrap_or_default())).or_insert(id);
    *lowest = id.min(*lowest);
}

/// At most four bytes in a word; 0 is in front of none of them, as no fragment begins with it.
fn word(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |word, byte| word << 8 | u32::from(*byte))
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

fn char_len(lead: u8) -> usize {
    match lead {
        ..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// The code point that `bytes` begin with, and its length; a code point beyond [`END`] for what is no character.
#[inline(always)]
fn decode(bytes: &[u8]) -> (u32, usize) {
    let tail = |byte: u8| u32::from(byte & 0x3F);
    match *bytes {
        [a @ 0xC0..0xE0, b, ..] => (u32::from(a & 0x1F) << 6 | tail(b), 2),
        [a @ 0xE0..0xF0, b, c, ..] => (u32::from(a & 0x0F) << 12 | tail(b) << 6 | tail(c), 3),
        [a @ 0xF0..=0xFF, b, c, d, ..] => (
            u32::from(a & 0x07) << 18 | tail(b) << 12 | tail(c) << 6 | tail(d),
            4,
        ),
        _ => (u32::MAX, 1),
    }
}

fn single_bytes(bytes: &[u8], vocab: &Vocabulary) -> CharParts {
    let mut parts = [NONE; 4];
    for (part, byte) in parts.iter_mut().zip(bytes) {
        *part = vocab.byte(*byte);
    }
    parts
}
