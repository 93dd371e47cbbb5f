//! Lists of ids as bytes, in three formats.
//!
//! Lists are read a byte at a time, so a list of any length needs little memory.

use std::io::{self, Write};

use clap::ValueEnum;
use tiktally::TokenId;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// Decimal numbers, one per line; decode accepts any white space between them
    Text,
    /// One JSON array of numbers
    Json,
    /// Four bytes per id, little-endian
    U32le,
}

/// Writes a list of ids.
pub(crate) struct IdWriter<W> {
    format: Format,
    is_first: bool,
    out: W,
}

impl<W: Write> IdWriter<W> {
    /// Creates a writer, and begins the list.
    pub(crate) fn new(format: Format, mut out: W) -> io::Result<Self> {
        if let Format::Json = format {
            out.write_all(b"[")?;
        }
        Ok(Self {
            format,
            is_first: true,
            out,
        })
    }

    /// Writes the next ids of the list.
    pub(crate) fn write(&mut self, ids: &[TokenId]) -> io::Result<()> {
        for id in ids {
            match self.format {
                Format::Text => writeln!(self.out, "{id}")?,
                Format::Json if self.is_first => write!(self.out, "{id}")?,
                Format::Json => write!(self.out, ",{id}")?,
                Format::U32le => self.out.write_all(&id.to_le_bytes())?,
            }
            self.is_first = false;
        }
        Ok(())
    }

    /// Passes on the ids that were written so far.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Ends the list.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if let Format::Json = self.format {
            self.out.write_all(b"]\n")?;
        }
        self.out.flush()
    }
}

/// Reads a list of ids, a byte at a time.
pub(crate) struct IdReader {
    format: Format,
    /// The next part of a JSON array.
    expected: Expected,
    /// The number whose digits are being read, and the offset of its first digit.
    open_number: Option<(TokenId, u64)>,
    /// The first bytes of an id in `u32le`.
    open_bytes: Vec<u8>,
    /// The number of bytes that were read.
    offset: u64,
}

/// The part of a JSON array that must come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Array,
    IdOrEnd,
    Id,
    CommaOrEnd,
    Nothing,
}

impl Expected {
    /// Returns the name for error messages.
    fn name(self) -> &'static str {
        match self {
            Self::Array => "[ (the start of an array)",
            Self::IdOrEnd => "an id or ]",
            Self::Id => "an id",
            Self::CommaOrEnd => "a comma or ]",
            Self::Nothing => "the end of the input",
        }
    }
}

impl IdReader {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            expected: Expected::Array,
            open_number: None,
            open_bytes: Vec::with_capacity(4),
            offset: 0,
        }
    }

    /// Reads a byte. Returns the id that ends with it or just before it.
    ///
    /// # Errors
    /// The byte does not fit the format.
    pub(crate) fn push(&mut self, byte: u8) -> Result<Option<TokenId>, String> {
        let read = match self.format {
            Format::Text => self.push_text(byte),
            Format::Json => self.push_json(byte),
            Format::U32le => Ok(self.push_u32le(byte)),
        };
        self.offset += 1;
        read
    }

    /// Ends the input. Returns the id that ends there.
    ///
    /// # Errors
    /// The input ends inside an id or an array.
    pub(crate) fn finish(mut self) -> Result<Option<TokenId>, String> {
        match (self.format, self.open_bytes.len()) {
            (Format::U32le, read @ 1..) => Err(format!(
                "the input ends inside an id, after {read} of 4 bytes"
            )),
            (Format::Json, _) if self.expected != Expected::Nothing => Err(format!(
                "the input ends at byte {}, where {} is expected",
                self.offset,
                self.expected.name()
            )),
            _ => Ok(self.take_number()),
        }
    }

    /// Ends the number that is being read.
    fn take_number(&mut self) -> Option<TokenId> {
        self.open_number.take().map(|(number, _)| number)
    }

    /// Appends a digit to the number that is being read.
    fn push_digit(&mut self, digit: u8) -> Result<(), String> {
        let (number, from) = self.open_number.unwrap_or((0, self.offset));
        let number = number.checked_mul(10);
        let number = number.and_then(|number| number.checked_add((digit - b'0').into()));
        let number = number.ok_or_else(|| {
            let max = TokenId::MAX;
            format!("the number at byte {from}, counted from 0, is larger than any id: the maximum is {max}")
        })?;
        self.open_number = Some((number, from));
        Ok(())
    }

    fn push_text(&mut self, byte: u8) -> Result<Option<TokenId>, String> {
        match byte {
            b'0'..=b'9' => self.push_digit(byte).map(|()| None),
            _ if byte.is_ascii_whitespace() => Ok(self.take_number()),
            _ => Err(format!(
                "unexpected \"{}\" at byte {}, counted from 0; ids must be decimal numbers separated by white space (--format sets another format)",
                byte.escape_ascii(),
                self.offset
            )),
        }
    }

    fn push_json(&mut self, byte: u8) -> Result<Option<TokenId>, String> {
        match (self.expected, byte) {
            (Expected::IdOrEnd | Expected::Id, b'0'..=b'9') => {
                self.expected = Expected::CommaOrEnd;
                return self.push_digit(byte).map(|()| None);
            }
            (Expected::CommaOrEnd, b'0'..=b'9') if self.open_number.is_some() => {
                return self.push_digit(byte).map(|()| None);
            }
            (_, b' ' | b'\t' | b'\n' | b'\r') => {}
            (Expected::Array, b'[') => self.expected = Expected::IdOrEnd,
            (Expected::CommaOrEnd, b',') => self.expected = Expected::Id,
            (Expected::CommaOrEnd | Expected::IdOrEnd, b']') => self.expected = Expected::Nothing,
            (expected, byte) => {
                return Err(format!(
                    "unexpected \"{}\" at byte {}, counted from 0, where {} is expected (--format sets another format than JSON)",
                    byte.escape_ascii(),
                    self.offset,
                    expected.name()
                ));
            }
        }
        Ok(self.take_number())
    }

    fn push_u32le(&mut self, byte: u8) -> Option<TokenId> {
        self.open_bytes.push(byte);
        let id = self
            .open_bytes
            .first_chunk()
            .map(|id| TokenId::from_le_bytes(*id));
        if id.is_some() {
            self.open_bytes.clear();
        }
        id
    }
}
