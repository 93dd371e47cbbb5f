//! The letters that stand for bytes in the tokens of a byte-level file.

/// The number of bytes that are no printable Latin-1 character; their letters follow U+0100 in the order of the bytes.
const LETTERS_END: usize = 0x100 + 68;

/// The byte of each letter. A printable character of Latin-1 stands for itself.
static BYTES: [Option<u8>; LETTERS_END] = bytes();

#[allow(clippy::indexing_slicing)] // runs only in the compiler, which refuses an index that is too large
const fn bytes() -> [Option<u8>; LETTERS_END] {
    let mut letters = [None; LETTERS_END];
    let (mut code, mut other) = (0, 0x100);
    while code <= 0xFF {
        let byte = code as u8;
        if matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..) {
            letters[code] = Some(byte);
        } else {
            letters[other] = Some(byte);
            other += 1;
        }
        code += 1;
    }
    letters
}

/// Appends the bytes of a text in letters. Returns false if a character is not such a letter.
pub(super) fn append_bytes(text: &str, bytes: &mut Vec<u8>) -> bool {
    bytes.reserve(text.len());
    let mut rest = text.bytes();
    while let Some(first) = rest.next() {
        // all letters have one or two bytes; the first of a longer character gives a code that is no letter's
        let code = match first {
            ..0x80 => first.into(),
            _ => usize::from(first & 0x3F) << 6 | usize::from(rest.next().unwrap_or(0) & 0x3F),
        };
        let Some(Some(byte)) = BYTES.get(code) else {
            return false;
        };
        bytes.push(*byte);
    }
    true
}
