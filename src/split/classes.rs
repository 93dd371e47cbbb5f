//! The character classes that the split patterns tell apart, Unicode 16.0.0.
//!
//! tiktoken 0.14.0 splits with regex-syntax 0.8.11, whose tables are of that version; the standard library's are newer,
//! so `char::is_alphabetic` and its siblings would give other pieces. The build script makes the tables from
//! `data/unicode_classes.txt`.

use crate::utf8;

/// The version of Unicode whose character classes decide where text is split. The standard library may use another one.
///
/// ```
/// assert_eq!(tiktally::UNICODE_VERSION, (16, 0, 0));
/// ```
pub const UNICODE_VERSION: (u8, u8, u8) = (16, 0, 0);

/// A set of character classes, one bit each; every character is in exactly one class.
pub(crate) type Classes = u8;

/// All characters that are in no other class: punctuation, symbols, controls, unassigned code points.
pub(crate) const OTHER: Classes = 1 << 0;
/// `White_Space` except CR and LF.
pub(crate) const SPACE: Classes = 1 << 1;
/// CR and LF.
pub(crate) const NEWLINE: Classes = 1 << 2;
/// N, numbers.
pub(crate) const NUMBER: Classes = 1 << 3;
/// Lu and Lt, capitals.
pub(crate) const UPPER: Classes = 1 << 4;
/// Ll, small letters.
pub(crate) const LOWER: Classes = 1 << 5;
/// Lm and Lo, letters without case.
pub(crate) const CASELESS: Classes = 1 << 6;
/// M, combining marks.
pub(crate) const MARK: Classes = 1 << 7;

/// L, letters.
pub(crate) const LETTER: Classes = UPPER | LOWER | CASELESS;
/// `\s`, white space.
pub(crate) const WHITE: Classes = SPACE | NEWLINE;

/// For each 256 code points, the number of their block in [`BLOCKS`].
static INDEX: &[u8; 0x1100] = include_bytes!(concat!(env!("OUT_DIR"), "/unicode_index.bin"));
/// The distinct blocks of 256 classes.
static BLOCKS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/unicode_blocks.bin"));

/// Returns the class of a code point.
#[inline]
pub(crate) fn class_of(code_point: u32) -> Classes {
    let block = INDEX.get(code_point as usize >> 8).copied().unwrap_or(0);
    BLOCKS
        .get(usize::from(block) * 256 + (code_point & 0xFF) as usize)
        .copied()
        .unwrap_or(OTHER)
}

/// Returns true if a character is not white space.
pub(crate) fn is_visible(c: char) -> bool {
    class_of(c.into()) & WHITE == 0
}

/// Returns the class and the length in bytes of the character at `at`, or `None` at the end of the text.
///
/// `text` is UTF-8 and `at` a character boundary in it.
#[inline]
pub(crate) fn class_at(text: &[u8], at: usize) -> Option<(Classes, usize)> {
    let first = *text.get(at)?;
    if first < 0x80 {
        return Some((class_of(first.into()), 1));
    }
    let (code_point, len) = utf8::decode(text.get(at..)?);
    Some((class_of(code_point), len))
}

/// Returns the name of a character's class, for tests against the published tables.
pub(crate) fn class_name(c: char) -> &'static str {
    match class_of(c.into()) {
        SPACE => "space",
        NEWLINE => "newline",
        NUMBER => "number",
        UPPER => "upper",
        LOWER => "lower",
        CASELESS => "caseless",
        MARK => "mark",
        _ => "other",
    }
}
