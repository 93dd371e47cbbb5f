//! Turns the bytes of a fuzzer into values.

use tiktally::{Encoding, TokenId};

use super::letters::{ALPHABET, mend};

/// The bytes of an input, taken from the front. After the end come zeros, so that every input has a meaning.
pub(crate) struct Input<'i>(&'i [u8]);

impl<'i> Input<'i> {
    pub(crate) fn new(bytes: &'i [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    /// Returns a number below `n`, made of up to three bytes.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let (mut number, mut bound) = (0, 1);
        while bound < n && bound < 1 << 24 {
            number = number << 8 | usize::from(self.byte());
            bound <<= 8;
        }
        number % n
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Returns a small number, or rarely a larger one.
    pub(crate) fn small(&mut self) -> usize {
        match self.byte() {
            few @ ..224 => usize::from(few % 12),
            many => usize::from(many - 223) * 16,
        }
    }

    pub(crate) fn encoding(&mut self) -> &'static Encoding {
        self.pick(&[
            tiktally::r50k_base(),
            tiktally::cl100k_base(),
            tiktally::o200k_base(),
        ])
    }

    /// Returns text of up to about `most` bytes from all bytes that are left: they are the text, or choose its parts.
    pub(crate) fn text(mut self, encoding: &Encoding, most: usize) -> String {
        if self.byte().is_multiple_of(2) {
            let bytes = &self.0[..most.min(self.0.len())];
            return String::from_utf8_lossy(bytes).into_owned();
        }
        let mut bytes = Vec::new();
        while !self.is_empty() && bytes.len() < most {
            self.part(encoding, most, &mut bytes);
        }
        String::from_utf8(mend(&bytes)).expect("it was mended")
    }

    /// Appends one character, one token, or many copies of the last bytes.
    fn part(&mut self, encoding: &Encoding, most: usize, bytes: &mut Vec<u8>) {
        match self.byte() % 8 {
            0..3 => push_char(self.pick(ALPHABET), bytes),
            3 => {
                let c = char::from_u32(self.below(0x11_0000) as u32);
                push_char(c.unwrap_or('\n'), bytes);
            }
            4..6 => {
                let token = encoding.decode_single_token_bytes(self.id(encoding));
                bytes.extend_from_slice(token.unwrap_or_default());
            }
            6 => {
                let unit = bytes.len().saturating_sub(1 + self.below(16));
                let unit = bytes[unit..].to_vec();
                let times = self.small().min(most / unit.len().max(1));
                bytes.extend(unit.repeat(times));
            }
            _ => bytes.extend_from_slice(self.special(encoding)),
        }
    }

    /// Returns a special token, or a part of one.
    fn special<'e>(&mut self, encoding: &'e Encoding) -> &'e [u8] {
        let at = self.below(encoding.special_tokens().count());
        let token = encoding.special_tokens().nth(at);
        let token = token.map_or("", |(text, _)| text).as_bytes();
        let (from, to) = (self.below(token.len()), self.below(token.len()));
        if from < to { &token[from..to] } else { token }
    }

    /// Returns ids from all bytes that are left; some may not be tokens.
    pub(crate) fn ids(mut self, encoding: &Encoding) -> Vec<TokenId> {
        let mut ids = Vec::new();
        while !self.is_empty() {
            ids.push(self.id(encoding));
        }
        ids
    }

    /// Returns any id up to one after the last, or rarely the largest number.
    fn id(&mut self, encoding: &Encoding) -> TokenId {
        match self.below(1 << 24) {
            0xFF_FFFF => TokenId::MAX,
            number => (number % (encoding.n_vocab() + 1)) as TokenId,
        }
    }
}

fn push_char(c: char, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
