//! The characters of random texts, and making text from bytes.

#![allow(dead_code)] // each program that includes this file uses a part of it

/// One character for each class and each special case.
#[rustfmt::skip]
pub(crate) const ALPHABET: &[char] = &[
    // Letters: lower, upper, title case, modifier, other; outside ASCII too; a wide one.
    'a', 'b', 'z', 'Z', 'B', 'é', 'É', 'я', 'Я', 'ǅ', 'ʰ', 'ー', '最', 'ª', 'あ', 'ß', '𝐀', '𝐚', '𐍈',
    // Marks.
    '\u{301}', '\u{20dd}', 'ा', '\u{fe0f}',
    // Numbers: decimal, letter-like, other.
    '0', '1', '9', '٣', '²', 'Ⅷ', '½', '𝟙',
    // White space, and two that only look like it.
    ' ', ' ', ' ', '\t', '\r', '\n', '\n', '\u{b}', '\u{c}', '\u{85}', '\u{a0}', '\u{2003}', '\u{2028}', '\u{3000}',
    '\u{180e}', '\u{200b}',
    // Contractions: their letters, what folds to `s`, and the Kelvin sign, which folds to a letter of none.
    '\'', '\'', 's', 'S', 't', 'T', 'd', 'D', 'm', 'M', 'l', 'L', 'v', 'V', 'r', 'R', 'e', 'E', 'ſ', '\u{212a}', '’',
    // Punctuation and symbols.
    '/', '/', '!', '.', '(', '_', '<', '|', '>', '-', '…', '€', '。',
    // Emoji and what joins them, control characters, the ends of the code space, unassigned and private ones.
    '🙂', '👨', '🏽', '\u{200d}', '\u{feff}', '\0', '\u{1c}', '\u{7f}', '\u{378}', '\u{e000}', '\u{ffff}', '\u{10ffff}',
];

/// Units of long runs: each run is one piece, or two pieces whose border moves.
pub(crate) const RUNS: &[&str] = &[
    "aaab",
    "ABÉ\u{301}ーA",
    "ǅʰ最A\u{301}",
    "A\u{301}AAAAAAAA",
    " ",
    "  \n",
    " \t\r\n\u{a0}\u{3000}",
    "=-*!",
    "!/\n\r",
    "0123٣",
    "最あ你好",
    "🙂\u{200d}👨🏽",
    "étéß",
    "'",
    "x'",
    "\u{301}\u{20dd}",
    "etaoinshrdlu",
    "<|endoftext|>",
];

/// Removes the bytes that are not UTF-8.
pub(crate) fn cut(bytes: &[u8]) -> Vec<u8> {
    let valid = bytes.utf8_chunks().map(|chunk| chunk.valid().as_bytes());
    valid.collect::<Vec<_>>().concat()
}

/// Completes every broken character from the bytes that are there, so that tokens that start or end inside a character
/// stay in place.
pub(crate) fn mend(bytes: &[u8]) -> Vec<u8> {
    let mut mended = Vec::new();
    for chunk in bytes.utf8_chunks() {
        mended.extend_from_slice(chunk.valid().as_bytes());
        match *chunk.invalid() {
            [] => {}
            // 80..=BF continue a character: make it the last byte of a common one.
            [last @ 0x80..=0xBF] => mended.extend([0xE4, 0xBD, last]),
            ref start => {
                let whole = (0x80..=0xBF).rev().find_map(|fill| complete(start, fill));
                mended.extend(whole.unwrap_or_default());
            }
        }
    }
    mended
}

/// Returns the character that begins with these bytes and continues with `fill`, if there is one.
pub(crate) fn complete(start: &[u8], fill: u8) -> Option<Vec<u8>> {
    let mut bytes = start.to_vec();
    while bytes.len() < 4 {
        bytes.push(fill);
        if std::str::from_utf8(&bytes).is_ok() {
            return Some(bytes);
        }
    }
    None
}
