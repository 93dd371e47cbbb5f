//! Reads inputs as text.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use crate::charset::{Decoder, Decoding, DecodingArgs, Malformed, may_be_mark};
use crate::print_message;
use crate::terminal::printable;

/// The path that stands for standard input.
pub(crate) const STDIN: &str = "-";

/// The number of bytes that are read first, to detect binary files. Most of them have a NUL byte there, so the rest is not
/// read.
const SNIFF_BYTES: u64 = 8 << 10;

/// The largest number of bytes that are read from a stream at a time: the capacity of a pipe on Linux.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;

/// An input that cannot be used. `Display` gives its name and the reason.
#[derive(Debug)]
pub(crate) struct InputError {
    pub(crate) path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Io(io::Error),
    Malformed(Malformed),
    /// A message of the code that found the problem.
    Other(String),
}

impl InputError {
    /// Creates the error of an input that was read, but has the wrong content.
    pub(crate) fn new(path: &Path, problem: String) -> Self {
        let (path, reason) = (path.to_owned(), Reason::Other(problem));
        Self { path, reason }
    }

    /// Creates the error of an input that is not text in its charset.
    pub(crate) fn malformed(path: &Path, malformed: Malformed) -> Self {
        let (path, reason) = (path.to_owned(), Reason::Malformed(malformed));
        Self { path, reason }
    }

    /// Returns true if the input is not text in its charset.
    pub(crate) fn is_malformed(&self) -> bool {
        matches!(self.reason, Reason::Malformed(_))
    }

    /// Creates the error of an input that could not be read or written.
    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        let (path, reason) = (path.to_owned(), Reason::Io(error));
        Self { path, reason }
    }
}

/// A file or directory inside a directory that is not counted. `Display` gives its name and the reason.
#[derive(Debug)]
pub(crate) struct Skip {
    pub(crate) path: PathBuf,
    pub(crate) reason: SkipReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipReason {
    Binary,
    Hidden,
    Link,
    /// A pipe, a socket or a device.
    Special,
}

/// The whole text of an input.
#[derive(Debug)]
#[allow(clippy::struct_field_names)] // it is the text
pub(crate) struct Text {
    pub(crate) text: String,
    /// The size of the input in bytes. It differs from that of the text if that was decoded, or malformed bytes replaced.
    pub(crate) input_bytes: usize,
    /// The name of the charset that a byte order mark gave.
    pub(crate) marked: Option<&'static str>,
}

/// Reads a file, or standard input for `-`, as a whole.
pub(crate) fn read(path: &Path, decoding: Decoding) -> Result<Text, InputError> {
    let mut bytes = Vec::new();
    let read = open(path).and_then(|mut input| input.read_to_end(&mut bytes));
    read.map_err(|error| InputError::io(path, error))?;
    decode_all(bytes, decoding, path)
}

/// Reads a file as a whole, or skips it if it contains a NUL character.
///
/// The first bytes are searched before the rest is read.
pub(crate) fn read_unless_binary(
    path: &Path,
    decoding: Decoding,
) -> Result<Result<Text, Skip>, InputError> {
    let mut bytes = Vec::new();
    let mut has_nul = false;
    let read = open(path).and_then(|mut input| {
        input.by_ref().take(SNIFF_BYTES).read_to_end(&mut bytes)?;
        has_nul = decoding.is_binary(&bytes);
        if !has_nul {
            input.read_to_end(&mut bytes)?;
        }
        Ok(())
    });
    read.map_err(|error| InputError::io(path, error))?;
    if has_nul || decoding.is_binary(&bytes) {
        return Ok(Err(Skip::new(path, SkipReason::Binary)));
    }
    decode_all(bytes, decoding, path).map(Ok)
}

/// Decodes a whole input.
pub(crate) fn decode_all(
    bytes: Vec<u8>,
    decoding: Decoding,
    path: &Path,
) -> Result<Text, InputError> {
    let input_bytes = bytes.len();
    let mut decoder = decoding.decoder(&bytes);
    let (marked, is_utf8) = (decoder.marked(), decoder.is_utf8());
    let mut decode = |bytes: &[u8]| decoder.decode(bytes, true).map(Cow::into_owned);
    let text = if is_utf8 {
        // valid text, the usual case, is not copied
        String::from_utf8(bytes).or_else(|error| decode(error.as_bytes()))
    } else {
        decode(&bytes)
    };
    Ok(Text {
        text: text.map_err(|malformed| InputError::malformed(path, malformed))?,
        input_bytes,
        marked,
    })
}

/// Opens a file, or standard input for `-`. Prints a note if standard input is a terminal, where it waits for the user.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if !is_stdin(path) {
        return Ok(Box::new(File::open(path)?));
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        print_message("reading from the terminal; to finish, press Ctrl-D on an empty line");
    }
    Ok(Box::new(stdin.lock()))
}

/// Returns the size of a file in bytes, or 0 if it cannot be read.
pub(crate) fn file_size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Returns true for `-`, the path of standard input. A file of this name is `./-`.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// The arguments of a subcommand that reads one text.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// A file; without it, or for -, reads standard input
    #[arg(default_value = STDIN, hide_default_value = true)]
    pub(crate) path: PathBuf,

    #[command(flatten)]
    decoding: DecodingArgs,
}

impl Source {
    /// Reads the whole text.
    pub(crate) fn read(&self) -> Result<Text, InputError> {
        read(&self.path, self.decoding.into())
    }

    /// Opens the text for reading in blocks, for inputs of any size.
    pub(crate) fn blocks(&self) -> Result<Blocks<'_>, InputError> {
        Blocks::open(&self.path, self.decoding.into())
    }
}

/// A text that is read in blocks. No block ends inside a character.
pub(crate) struct Blocks<'p> {
    path: &'p Path,
    decoding: Decoding,
    /// `None` until the first bytes are read, which may be a byte order mark.
    decoder: Option<Decoder>,
    input: Box<dyn Read>,
    /// Bytes that were read, but not handed out. Between calls, this is the beginning of an incomplete character.
    pending: Vec<u8>,
    /// The number of bytes that were handed out.
    bytes_done: u64,
}

impl<'p> Blocks<'p> {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &'p Path, decoding: Decoding) -> Result<Self, InputError> {
        let input = open(path).map_err(|error| InputError::io(path, error))?;
        Ok(Self {
            path,
            decoding,
            decoder: None,
            input,
            pending: Vec::new(),
            bytes_done: 0,
        })
    }

    /// Returns how many bytes of the input were handed out.
    pub(crate) fn bytes_done(&self) -> usize {
        self.bytes_done as usize
    }

    /// Returns the name of the charset that a byte order mark gave.
    pub(crate) fn marked(&self) -> Option<&'static str> {
        self.decoder.as_ref().and_then(Decoder::marked)
    }

    /// Passes the next block to `take`. Returns false at the end of the input.
    pub(crate) fn next(&mut self, take: impl FnOnce(&str)) -> Result<bool, InputError> {
        let path = self.path;
        let io = |error| InputError::io(path, error);
        let mut is_end = self.read().map_err(io)? == 0;
        if self.decoder.is_none() {
            while !is_end && may_be_mark(&self.pending) {
                is_end = self.read().map_err(io)? == 0;
            }
        }
        // other decoders may still hold the beginning of a character
        let is_utf8 = self.decoder.as_ref().is_none_or(Decoder::is_utf8);
        if is_end && self.pending.is_empty() && is_utf8 {
            return Ok(false);
        }
        let (decoding, pending) = (self.decoding, &self.pending);
        let decoder = self
            .decoder
            .get_or_insert_with(|| decoding.decoder(pending));
        let kept = decoder.kept(pending, is_end);
        let whole = &pending[..pending.len() - kept];
        let text = decoder.decode(whole, is_end);
        take(&text.map_err(|malformed| InputError::malformed(path, malformed))?);
        self.bytes_done += whole.len() as u64;
        let done = whole.len();
        self.pending.drain(..done);
        Ok(!is_end)
    }

    /// Returns whether the rest of an input whose text is malformed has a NUL character, as binary files have.
    pub(crate) fn rest_is_binary(&mut self) -> Result<bool, InputError> {
        let path = self.path;
        loop {
            let decoder = self.decoder.as_ref();
            if decoder.is_some_and(|decoder| decoder.has_nul(&self.pending)) {
                return Ok(true);
            }
            self.pending.clear();
            let read = self.read().map_err(|error| InputError::io(path, error))?;
            if read == 0 {
                return Ok(false);
            }
        }
    }

    /// Appends the bytes that are available, without waiting for a full block. Returns their number, 0 only at the end.
    fn read(&mut self) -> io::Result<usize> {
        let kept = self.pending.len();
        self.pending.resize(kept + BLOCK_BYTES, 0);
        let read = loop {
            match self.input.read(&mut self.pending[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.pending
            .truncate(kept + read.as_ref().map_or(0, |read| *read));
        read
    }
}

impl Skip {
    pub(crate) fn new(path: &Path, reason: SkipReason) -> Self {
        let path = path.to_owned();
        Self { path, reason }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            SkipReason::Binary => "binary file (contains a NUL byte)",
            SkipReason::Hidden => "hidden",
            SkipReason::Link => "symbolic link",
            SkipReason::Special => "neither a file nor a directory",
        };
        write!(f, "{}: skipped: {reason}", display_name(&self.path))
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", display_name(&self.path))?;
        match &self.reason {
            Reason::Io(error) => error.fmt(f),
            Reason::Malformed(malformed) => malformed.fmt(f),
            Reason::Other(problem) => f.write_str(problem),
        }
    }
}

/// Returns the name of an input for messages.
pub(crate) fn display_name(path: &Path) -> String {
    if is_stdin(path) {
        "standard input".to_owned()
    } else {
        printable(&path.to_string_lossy())
    }
}
