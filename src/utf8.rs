//! Reads UTF-8 without `str`: the bytes are valid text, but positions in them may be inside a character.

/// Returns whether a byte is the second or a later one of a character.
#[inline(always)]
pub(crate) fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Returns the length in bytes of the character that begins with this byte; 1 for a byte that begins none.
#[inline(always)]
pub(crate) fn char_len(lead: u8) -> usize {
    match lead {
        ..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// Returns the code point that `bytes` begin with, and its length in bytes. The length is 1 for ASCII, and for a
/// character that is cut off.
#[inline(always)]
pub(crate) fn decode(bytes: &[u8]) -> (u32, usize) {
    let low = |byte: u8| u32::from(byte & 0x3F);
    match *bytes {
        [a @ 0xC0..0xE0, b, ..] => (u32::from(a & 0x1F) << 6 | low(b), 2),
        [a @ 0xE0..0xF0, b, c, ..] => (u32::from(a & 0x0F) << 12 | low(b) << 6 | low(c), 3),
        [a @ 0xF0..=0xFF, b, c, d, ..] => (
            u32::from(a & 0x07) << 18 | low(b) << 12 | low(c) << 6 | low(d),
            4,
        ),
        [a, ..] => (u32::from(a), 1),
        [] => (0, 1),
    }
}

/// Returns the largest position up to `len` at which `text` can be cut between two characters.
pub(crate) fn whole_chars(text: &[u8], len: usize) -> usize {
    let is_boundary = |at: &usize| text.get(*at).is_none_or(|byte| !is_continuation(*byte));
    let len = text.len().min(len);
    (0..=len).rev().find(is_boundary).unwrap_or(len)
}

/// Returns the length of `bytes` without an incomplete character at their end.
pub(crate) fn without_cut_char(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(4);
    match last.zip(1..).find(|(byte, _)| !is_continuation(**byte)) {
        Some((lead, len)) if char_len(*lead) > len => bytes.len() - len,
        _ => bytes.len(),
    }
}

/// Returns the first `N` bytes of the end of a buffer. Zeros follow if it has fewer.
#[cold]
pub(crate) fn padded<const N: usize>(rest: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (byte, from) in bytes.iter_mut().zip(rest) {
        *byte = *from;
    }
    bytes
}
