//! Lists of ids as bytes: written, and read a byte at a time, so that no list is too long.

use std::io::{self, Write};

use clap::ValueEnum;
use tiktally::TokenId;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// Decimal numbers, a line each; to decode, with any white space between them
    Text,
    /// One array of numbers
    Json,
    /// Four bytes each, the lowest first
    U32le,
}

/// Writes ids.
pub(crate) struct Ids<W> {
    format: Format,
    is_first: bool,
    out: W,
}

impl<W: Write> Ids<W> {
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

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        if let Format::Json = self.format {
            self.out.write_all(b"]\n")?;
        }
        self.out.flush()
    }
}

/// Reads ids.
pub(crate) struct Reader {
    format: Format,
    state: State,
    /// The number that goes on, and where it begins.
    number: Option<(TokenId, u64)>,
    /// Four bytes that are one id.
    bytes: Vec<u8>,
    /// How many bytes came before.
    at: u64,
}

/// What an array of JSON goes on with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Array,
    IdOrEnd,
    Id,
    CommaOrEnd,
    Nothing,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Array => "an array, [",
            Self::IdOrEnd => "an id or ]",
            Self::Id => "an id",
            Self::CommaOrEnd => "a comma or ]",
            Self::Nothing => "nothing more",
        }
    }
}

impl Reader {
    pub(crate) fn of(format: Format) -> Self {
        Self {
            format,
            state: State::Array,
            number: None,
            bytes: Vec::with_capacity(4),
            at: 0,
        }
    }

    /// The id that ends with this byte, or right before it.
    ///
    /// # Errors
    /// What is wrong with the byte, and where it is.
    pub(crate) fn push(&mut self, byte: u8) -> Result<Option<TokenId>, String> {
        let read = match self.format {
            Format::Text => self.push_text(byte),
            Format::Json => self.push_json(byte),
            Format::U32le => Ok(self.push_u32le(byte)),
        };
        self.at += 1;
        read
    }

    /// The id that ends with the input.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn finish(mut self) -> Result<Option<TokenId>, String> {
        match (self.format, self.bytes.len()) {
            (Format::U32le, 1..) => Err(format!(
                "it ends inside an id, after {} of four bytes",
                self.bytes.len()
            )),
            (Format::Json, _) if self.state != State::Nothing => Err(format!(
                "it ends at byte {}, where {} is missing",
                self.at,
                self.state.name()
            )),
            _ => Ok(self.number()),
        }
    }

    fn number(&mut self) -> Option<TokenId> {
        self.number.take().map(|(number, _)| number)
    }

    fn push_digit(&mut self, digit: u8) -> Result<(), String> {
        let (number, from) = self.number.unwrap_or((0, self.at));
        let number = number.checked_mul(10);
        let number = number.and_then(|number| number.checked_add((digit - b'0').into()));
        let number = number.ok_or_else(|| {
            let most = TokenId::MAX;
            format!("the number at byte {from}, counted from 0, is no id: it is over {most}")
        })?;
        self.number = Some((number, from));
        Ok(())
    }

    fn push_text(&mut self, byte: u8) -> Result<Option<TokenId>, String> {
        match byte {
            b'0'..=b'9' => self.push_digit(byte).map(|()| None),
            _ if byte.is_ascii_whitespace() => Ok(self.number()),
            _ => Err(format!(
                "there is a \"{}\" at byte {}, counted from 0; ids are decimal numbers with white space between them (--format has others)",
                byte.escape_ascii(),
                self.at
            )),
        }
    }

    fn push_json(&mut self, byte: u8) -> Result<Option<TokenId>, String> {
        match (self.state, byte) {
            (State::IdOrEnd | State::Id, b'0'..=b'9') => {
                self.state = State::CommaOrEnd;
                return self.push_digit(byte).map(|()| None);
            }
            (State::CommaOrEnd, b'0'..=b'9') if self.number.is_some() => {
                return self.push_digit(byte).map(|()| None);
            }
            (_, b' ' | b'\t' | b'\n' | b'\r') => {}
            (State::Array, b'[') => self.state = State::IdOrEnd,
            (State::CommaOrEnd, b',') => self.state = State::Id,
            (State::CommaOrEnd | State::IdOrEnd, b']') => self.state = State::Nothing,
            (state, byte) => {
                return Err(format!(
                    "there is a \"{}\" at byte {}, counted from 0, where {} is expected (--format has others than JSON)",
                    byte.escape_ascii(),
                    self.at,
                    state.name()
                ));
            }
        }
        Ok(self.number())
    }

    fn push_u32le(&mut self, byte: u8) -> Option<TokenId> {
        self.bytes.push(byte);
        let id = self
            .bytes
            .first_chunk()
            .map(|id| TokenId::from_le_bytes(*id));
        if id.is_some() {
            self.bytes.clear();
        }
        id
    }
}
