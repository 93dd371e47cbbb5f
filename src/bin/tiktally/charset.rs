//! Charsets: how the bytes of an input become text.
//!
//! Text is UTF-8 unless a byte order mark says UTF-16, or `--charset` names another charset. A mark goes first, so files
//! of several charsets can be counted together. The mark of UTF-8 is a character of the text, as in tiktoken.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{DecoderResult, Encoding as Charset, UTF_8, UTF_16BE, UTF_16LE};

/// The byte order mark of UTF-8, which some editors put before a text.
pub(crate) const UTF8_MARK: &[u8] = "\u{feff}".as_bytes();

/// The options that say how bytes become text.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct DecodingArgs {
    /// Replace malformed bytes with U+FFFD instead of rejecting the input
    #[arg(long)]
    lossy: bool,

    /// The charset of text without a byte order mark, such as shift_jis or latin1 [default: utf-8]
    #[arg(long, value_name = "LABEL", value_parser = charset)]
    charset: Option<&'static Charset>,
}

/// Looks up a charset; the value parser of `--charset`.
fn charset(label: &str) -> Result<&'static Charset, String> {
    Charset::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
        "no charset has this label; the labels are those of web pages (https://encoding.spec.whatwg.org), such as utf-16le, windows-1252 and shift_jis"
            .to_owned()
    })
}

impl From<DecodingArgs> for Decoding {
    fn from(args: DecodingArgs) -> Self {
        Self {
            charset: args.charset.unwrap_or(UTF_8),
            invalid: if args.lossy {
                Invalid::Replace
            } else {
                Invalid::RejectWithHint
            },
        }
    }
}

/// The charset of text without a byte order mark, and the treatment of malformed bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoding {
    charset: &'static Charset,
    invalid: Invalid,
}

/// The treatment of bytes that are not text in their charset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Invalid {
    /// An error.
    Reject,
    /// An error that recommends options.
    RejectWithHint,
    /// Replaced by U+FFFD.
    Replace,
}

/// The first bytes that are not text in their charset. `Display` says so.
#[derive(Debug)]
pub(crate) struct Malformed {
    charset: &'static Charset,
    /// The offset of the first malformed byte.
    at: u64,
    has_hint: bool,
    /// False if the charset is that of a byte order mark, against which --charset has no effect.
    has_choice: bool,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, at) = (self.charset.name(), self.at);
        write!(f, "not {name}: invalid at byte {at}, counted from 0")?;
        if self.has_hint {
            f.write_str("; --lossy replaces invalid bytes with U+FFFD")?;
        }
        if self.has_hint && self.has_choice {
            f.write_str(", --charset sets another charset")?;
        }
        Ok(())
    }
}

/// Returns the charset of the byte order mark with which the bytes begin.
///
/// The mark of little-endian UTF-16 is also the beginning of that of UTF-32, which is not text here.
fn marked_charset(bytes: &[u8]) -> Option<&'static Charset> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        [0xef, 0xbb, 0xbf, ..] => Some(UTF_8),
        _ => None,
    }
}

/// Returns whether more bytes are needed to know the byte order mark.
pub(crate) fn may_be_mark(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [] | [0xff | 0xfe | 0xef] | [0xef, 0xbb] | [0xff, 0xfe] | [0xff, 0xfe, 0]
    )
}

impl Decoding {
    /// UTF-8 without options.
    pub(crate) const STRICT: Self = Self {
        charset: UTF_8,
        invalid: Invalid::Reject,
    };

    /// Creates the decoder of an input that begins with these bytes.
    pub(crate) fn decoder(self, beginning: &[u8]) -> Decoder {
        let marked = marked_charset(beginning);
        let charset = marked.unwrap_or(self.charset);
        let is_utf8 = charset == UTF_8;
        Decoder {
            charset,
            invalid: self.invalid,
            marked: marked.filter(|_| !is_utf8),
            has_choice: marked.is_none(),
            // removes the mark of UTF-16
            other: (!is_utf8).then(|| charset.new_decoder_with_bom_removal()),
            done: 0,
        }
    }

    /// Returns whether the bytes from the beginning of an input have a NUL character.
    pub(crate) fn is_binary(self, bytes: &[u8]) -> bool {
        self.decoder(bytes).has_nul(bytes)
    }
}

/// Decodes the bytes of one input.
pub(crate) struct Decoder {
    charset: &'static Charset,
    invalid: Invalid,
    /// The charset of a byte order mark, except UTF-8.
    marked: Option<&'static Charset>,
    /// False with any byte order mark.
    has_choice: bool,
    /// `None` for UTF-8.
    other: Option<encoding_rs::Decoder>,
    /// The number of bytes that were decoded.
    done: u64,
}

impl Decoder {
    /// Returns the name of the charset that a byte order mark gave, except UTF-8.
    pub(crate) fn marked(&self) -> Option<&'static str> {
        self.marked.map(Charset::name)
    }

    pub(crate) fn is_utf8(&self) -> bool {
        self.other.is_none()
    }

    /// Returns whether the bytes have a NUL character.
    pub(crate) fn has_nul(&self, bytes: &[u8]) -> bool {
        if self.charset == UTF_16LE || self.charset == UTF_16BE {
            return bytes.chunks_exact(2).any(|unit| unit == [0, 0]);
        }
        memchr::memchr(0, bytes).is_some()
    }

    /// Returns how many bytes at the end must be decoded later, because they begin a character.
    pub(crate) fn kept(&self, bytes: &[u8], is_end: bool) -> usize {
        // other decoders keep them
        if is_end || !self.is_utf8() {
            return 0;
        }
        incomplete_char_len(bytes)
    }

    /// Decodes the next bytes of the input.
    pub(crate) fn decode<'b>(
        &mut self,
        bytes: &'b [u8],
        is_end: bool,
    ) -> Result<Cow<'b, str>, Malformed> {
        let (before, invalid) = (self.done, self.invalid);
        self.done += bytes.len() as u64;
        let text = match &mut self.other {
            None => decode_utf8(bytes, before, invalid),
            Some(decoder) => decode_other(decoder, bytes, before, is_end, invalid).map(Cow::Owned),
        };
        text.map_err(|at| Malformed {
            charset: self.charset,
            at,
            has_hint: invalid == Invalid::RejectWithHint,
            has_choice: self.has_choice,
        })
    }
}

/// Decodes a part of a UTF-8 text that begins at the byte `before`. The error is the offset of the first malformed byte.
fn decode_utf8(bytes: &[u8], before: u64, invalid: Invalid) -> Result<Cow<'_, str>, u64> {
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        return Ok(text.into());
    }
    match str::from_utf8(bytes) {
        Err(error) if invalid != Invalid::Replace => Err(before + error.valid_up_to() as u64),
        _ => Ok(String::from_utf8_lossy(bytes)),
    }
}

/// Decodes a part of a text that is not UTF-8, and begins at the byte `before`. The error is the offset of the first
/// malformed byte, which may be before this part.
fn decode_other(
    decoder: &mut encoding_rs::Decoder,
    mut bytes: &[u8],
    before: u64,
    is_end: bool,
    invalid: Invalid,
) -> Result<String, u64> {
    let mut text = String::new();
    let mut at = before;
    loop {
        let longest = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
        text.reserve(longest.unwrap_or(bytes.len()));
        let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, is_end);
        at += read as u64;
        bytes = &bytes[read..];
        match result {
            DecoderResult::InputEmpty => return Ok(text),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) if invalid == Invalid::Replace => text.push('\u{fffd}'),
            DecoderResult::Malformed(len, after) => {
                return Err(at - u64::from(len) - u64::from(after));
            }
        }
    }
}

/// Returns the length of an incomplete character at the end, in bytes; 0 if there is none.
fn incomplete_char_len(bytes: &[u8]) -> usize {
    let is_beginning = |len: &usize| {
        let last = bytes.len().checked_sub(*len).map(|from| &bytes[from..]);
        let error = last.and_then(|last| str::from_utf8(last).err());
        error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..4).find(is_beginning).unwrap_or(0)
}
