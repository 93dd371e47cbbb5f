//! Finds the inputs that the command line names, and reads them as text.

use std::borrow::Cow;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::print_message;
use crate::terminal::printable;

/// The path that stands for standard input.
pub(crate) const STDIN: &str = "-";

/// The number of bytes that are read first, to detect binary files. Most of them have a NUL byte there, so the rest is not
/// read.
const SNIFF_BYTES: u64 = 8 << 10;

/// The largest number of bytes that are read from a stream at a time: the capacity of a pipe on Linux.
const BLOCK_BYTES: usize = 64 << 10;

/// An input that cannot be used. `Display` gives its name and the reason.
#[derive(Debug)]
pub(crate) struct InputError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Io(io::Error),
    NotUtf8 {
        /// The offset of the first invalid byte.
        at: u64,
        has_lossy: bool,
    },
    /// A message of the code that found the problem.
    Other(String),
}

impl InputError {
    /// Creates the error of an input that was read, but has the wrong content.
    pub(crate) fn new(path: &Path, problem: String) -> Self {
        let (path, reason) = (path.to_owned(), Reason::Other(problem));
        Self { path, reason }
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
    path: PathBuf,
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

/// Something that a path of the command line leads to.
pub(crate) enum Input {
    /// A file that the command line names, or standard input.
    Named(PathBuf),
    /// A file inside a named directory. It may be binary.
    InDirectory(PathBuf),
    Skipped(Skip),
    Failed(InputError),
}

impl Input {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::InDirectory(path) => path,
            Self::Skipped(skip) => &skip.path,
            Self::Failed(error) => &error.path,
        }
    }
}

/// Returns the inputs in the order of the paths. A directory is replaced by the files inside it, sorted by path.
///
/// Inside directories, skips hidden files and directories, symbolic links, and files that `.gitignore` excludes. Links are
/// not followed, so the walk always ends.
pub(crate) fn find(paths: &[PathBuf]) -> Vec<Input> {
    let mut inputs = Vec::new();
    for path in paths {
        if !is_stdin(path) && path.is_dir() {
            walk(path, &mut inputs);
        } else {
            inputs.push(Input::Named(path.clone()));
        }
    }
    inputs
}

/// Appends the files inside a directory, sorted by path.
///
/// A `.gitignore` also applies outside a repository, so an unpacked archive has the same counts as a clone. A `.gitignore`
/// above the directory applies only inside the same repository. The user's global rules never apply.
fn walk(directory: &Path, inputs: &mut Vec<Input>) {
    let is_in_repository = directory
        .canonicalize()
        .is_ok_and(|full| full.ancestors().any(|above| above.join(".git").exists()));
    let (sender, receiver) = mpsc::channel();
    let hidden = sender.clone();
    let walk = WalkBuilder::new(directory)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .parents(is_in_repository)
        .require_git(is_in_repository)
        .filter_entry(move |entry| {
            let is_hidden = entry.depth() > 0 && is_dotted(entry.file_name());
            if is_hidden {
                // cannot fail: the receiver lives longer than this walk
                let _ = hidden.send(Input::Skipped(Skip::new(entry.path(), SkipReason::Hidden)));
            }
            !is_hidden
        })
        .build_parallel();
    walk.run(|| {
        Box::new(|entry| {
            let inputs = entry.map_or_else(|error| walk_errors(&error, directory), entry_inputs);
            for input in inputs {
                let _ = sender.send(input);
            }
            WalkState::Continue
        })
    });
    drop(sender);
    let mut found: Vec<Input> = receiver.into_iter().collect();
    found.sort_by(|one, other| one.path().cmp(other.path()));
    inputs.append(&mut found);
}

/// Returns an entry of a directory as an input, with the errors of a `.gitignore` inside it.
fn entry_inputs(entry: DirEntry) -> Vec<Input> {
    let mut inputs = Vec::new();
    if let Some(error) = entry.error() {
        inputs = walk_errors(error, entry.path());
    }
    let skipped = |reason| Input::Skipped(Skip::new(entry.path(), reason));
    match entry.file_type() {
        Some(kind) if kind.is_symlink() => inputs.push(skipped(SkipReason::Link)),
        Some(kind) if kind.is_file() => inputs.push(Input::InDirectory(entry.into_path())),
        Some(kind) if kind.is_dir() => {}
        _ => inputs.push(skipped(SkipReason::Special)),
    }
    inputs
}

/// Returns true for hidden names, which begin with a dot.
fn is_dotted(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Splits an error of the walk into single errors, each with the innermost path: the outer errors only repeat it.
fn walk_errors(error: &ignore::Error, path: &Path) -> Vec<Input> {
    match error {
        ignore::Error::Partial(errors) => {
            let errors = errors.iter();
            errors.flat_map(|error| walk_errors(error, path)).collect()
        }
        ignore::Error::WithPath { path, err } => walk_errors(err, path),
        ignore::Error::WithDepth { err, .. } => walk_errors(err, path),
        _ => {
            let system = error.io_error().and_then(Error::source);
            let problem = system.map_or_else(|| error.to_string(), ToString::to_string);
            vec![Input::Failed(InputError::new(path, problem))]
        }
    }
}

/// The whole text of an input.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// The size of the input in bytes. It differs from that of the text if invalid bytes were replaced.
    pub(crate) input_bytes: usize,
}

/// The treatment of bytes that are not valid UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidUtf8 {
    /// An error.
    Reject,
    /// An error that recommends `--lossy`.
    RejectWithHint,
    /// Replaced by U+FFFD.
    Replace,
}

impl InvalidUtf8 {
    /// Returns the treatment for a subcommand that has the option `--lossy`.
    pub(crate) fn from_flag(lossy: bool) -> Self {
        if lossy {
            Self::Replace
        } else {
            Self::RejectWithHint
        }
    }

    /// Decodes a part of an input that begins at the byte `before`.
    fn decode<'b>(
        self,
        bytes: &'b [u8],
        before: u64,
        path: &Path,
    ) -> Result<Cow<'b, str>, InputError> {
        match str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) if self == Self::Replace => Ok(String::from_utf8_lossy(bytes)),
            Err(error) => Err(InputError {
                path: path.to_owned(),
                reason: Reason::NotUtf8 {
                    at: before + error.valid_up_to() as u64,
                    has_lossy: self == Self::RejectWithHint,
                },
            }),
        }
    }
}

/// Reads a file, or standard input for `-`, as a whole.
pub(crate) fn read(path: &Path, invalid: InvalidUtf8) -> Result<Text, InputError> {
    let mut bytes = Vec::new();
    let read = open(path).and_then(|mut input| input.read_to_end(&mut bytes));
    read.map_err(|error| InputError::io(path, error))?;
    decode_all(bytes, invalid, path)
}

/// Reads a file as a whole, or skips it if it contains a NUL byte.
///
/// The first bytes are searched before the rest is read.
pub(crate) fn read_unless_binary(
    path: &Path,
    invalid: InvalidUtf8,
) -> Result<Result<Text, Skip>, InputError> {
    let mut bytes = Vec::new();
    let read = open(path).and_then(|mut input| {
        input.by_ref().take(SNIFF_BYTES).read_to_end(&mut bytes)?;
        if !bytes.contains(&0) {
            input.read_to_end(&mut bytes)?;
        }
        Ok(())
    });
    read.map_err(|error| InputError::io(path, error))?;
    if bytes.contains(&0) {
        return Ok(Err(Skip::new(path, SkipReason::Binary)));
    }
    decode_all(bytes, invalid, path).map(Ok)
}

/// Decodes a whole input.
pub(crate) fn decode_all(
    bytes: Vec<u8>,
    invalid: InvalidUtf8,
    path: &Path,
) -> Result<Text, InputError> {
    let len = bytes.len();
    // valid text, the usual case, is not copied
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => invalid.decode(error.as_bytes(), 0, path)?.into_owned(),
    };
    Ok(Text {
        text,
        input_bytes: len,
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

    /// Replace invalid UTF-8 with U+FFFD instead of rejecting the input
    #[arg(long)]
    lossy: bool,
}

impl Source {
    /// Reads the whole text.
    pub(crate) fn read(&self) -> Result<Text, InputError> {
        read(&self.path, InvalidUtf8::from_flag(self.lossy))
    }

    /// Opens the text for reading in blocks, for inputs of any size.
    pub(crate) fn blocks(&self) -> Result<Blocks<'_>, InputError> {
        Blocks::open(&self.path, InvalidUtf8::from_flag(self.lossy))
    }
}

/// A text that is read in blocks. No block ends inside a character.
pub(crate) struct Blocks<'p> {
    path: &'p Path,
    invalid: InvalidUtf8,
    input: Box<dyn Read>,
    /// Bytes that were read, but not handed out. Between calls, this is the beginning of an incomplete character.
    pending: Vec<u8>,
    /// The number of bytes that were handed out.
    bytes_done: u64,
}

impl<'p> Blocks<'p> {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &'p Path, invalid: InvalidUtf8) -> Result<Self, InputError> {
        let input = open(path).map_err(|error| InputError::io(path, error))?;
        Ok(Self {
            path,
            invalid,
            input,
            pending: Vec::new(),
            bytes_done: 0,
        })
    }

    /// Returns how many bytes of the input were handed out.
    pub(crate) fn bytes_done(&self) -> usize {
        self.bytes_done as usize
    }

    /// Passes all remaining blocks to `take`.
    pub(crate) fn for_each(&mut self, mut take: impl FnMut(&str)) -> Result<(), InputError> {
        while self.next(&mut take)? {}
        Ok(())
    }

    /// Passes the next block to `take`. Returns false at the end of the input.
    pub(crate) fn next(&mut self, take: impl FnOnce(&str)) -> Result<bool, InputError> {
        let path = self.path;
        let read = self.read().map_err(|error| InputError::io(path, error))?;
        let is_end = read == 0;
        if is_end && self.pending.is_empty() {
            return Ok(false);
        }
        let kept = if is_end {
            0
        } else {
            incomplete_char_len(&self.pending)
        };
        let whole = &self.pending[..self.pending.len() - kept];
        take(&self.invalid.decode(whole, self.bytes_done, path)?);
        self.bytes_done += whole.len() as u64;
        self.pending.drain(..whole.len());
        Ok(true)
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

/// Returns the length of an incomplete character at the end, in bytes; 0 if there is none.
fn incomplete_char_len(bytes: &[u8]) -> usize {
    let is_beginning = |len: &usize| {
        let last = bytes.len().checked_sub(*len).map(|from| &bytes[from..]);
        let error = last.and_then(|last| str::from_utf8(last).err());
        error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..4).find(is_beginning).unwrap_or(0)
}

impl Skip {
    fn new(path: &Path, reason: SkipReason) -> Self {
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
            Reason::NotUtf8 { at, has_lossy } => {
                write!(f, "not UTF-8: invalid at byte {at}, counted from 0")?;
                let hint = "; --lossy replaces invalid bytes with U+FFFD";
                f.write_str(if *has_lossy { hint } else { "" })
            }
            Reason::Other(problem) => f.write_str(problem),
        }
    }
}

/// Returns the name of an input for messages.
fn display_name(path: &Path) -> String {
    if is_stdin(path) {
        "standard input".to_owned()
    } else {
        printable(&path.to_string_lossy())
    }
}
