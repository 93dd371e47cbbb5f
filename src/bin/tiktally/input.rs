//! From the paths on the command line to texts.

use std::borrow::Cow;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::complain;
use crate::terminal::printable;

/// The path that stands for standard input.
pub(crate) const STDIN: &str = "-";

/// How much is read before the rest of a file: enough to know most binary files by their first bytes.
const HEAD: u64 = 8 << 10;

/// How much of a stream is read at a time, at most.
const BLOCK: usize = 64 << 10;

/// An input that cannot be used. `Display` gives its name and the reason.
#[derive(Debug)]
pub(crate) struct Refusal {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Io(io::Error),
    NotUtf8 {
        /// The first wrong byte.
        at: u64,
        has_lossy: bool,
    },
    /// In the words of whoever found it.
    Other(String),
}

impl Refusal {
    /// An input that was read, but is not what it should be.
    pub(crate) fn new(path: &Path, problem: String) -> Self {
        let (path, reason) = (path.to_owned(), Reason::Other(problem));
        Self { path, reason }
    }

    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        let (path, reason) = (path.to_owned(), Reason::Io(error));
        Self { path, reason }
    }
}

/// Something in a folder that is left out. `Display` gives its name and the reason.
#[derive(Debug)]
pub(crate) struct Skip {
    path: PathBuf,
    pub(crate) why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Binary,
    Hidden,
    Link,
    /// A pipe, a socket, a device.
    Special,
}

/// What a path of the command line leads to.
pub(crate) enum Found {
    /// A file that was asked for by its name, or standard input.
    Named(PathBuf),
    /// A file in a folder, which may be binary.
    Inside(PathBuf),
    Skipped(Skip),
    Refused(Refusal),
}

impl Found {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Inside(path) => path,
            Self::Skipped(skip) => &skip.path,
            Self::Refused(refusal) => &refusal.path,
        }
    }
}

/// Files and standard input as they are named, and the files in folders, sorted by name.
///
/// Of a folder, hidden files and folders, symbolic links and what `.gitignore` names are left out, so no link can lead in a
/// circle.
pub(crate) fn find(paths: &[PathBuf]) -> Vec<Found> {
    let mut found = Vec::new();
    for path in paths {
        if !is_stdin(path) && path.is_dir() {
            walk(path, &mut found);
        } else {
            found.push(Found::Named(path.clone()));
        }
    }
    found
}

/// A `.gitignore` counts outside a repository too: an unpacked archive gives the same numbers as a clone. Those above the
/// folder count only if they belong to its repository, and the user's own rules never do.
fn walk(folder: &Path, found: &mut Vec<Found>) {
    let is_in_repository = folder
        .canonicalize()
        .is_ok_and(|folder| folder.ancestors().any(|above| above.join(".git").exists()));
    let (tell, told) = mpsc::channel();
    let hidden = tell.clone();
    let walk = WalkBuilder::new(folder)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .parents(is_in_repository)
        .require_git(is_in_repository)
        .filter_entry(move |entry| {
            let is_hidden = entry.depth() > 0 && is_dotted(entry.file_name());
            if is_hidden {
                // the receiver is there as long as this walk
                let _ = hidden.send(Found::Skipped(Skip::new(entry.path(), Why::Hidden)));
            }
            !is_hidden
        })
        .build_parallel();
    walk.run(|| {
        Box::new(|entry| {
            for found in entry.map_or_else(|error| refused(&error, folder), files) {
                let _ = tell.send(found);
            }
            WalkState::Continue
        })
    });
    drop(tell);
    let mut here: Vec<Found> = told.into_iter().collect();
    here.sort_by(|one, other| one.path().cmp(other.path()));
    found.append(&mut here);
}

/// What an entry of a folder is, and what is wrong with the `.gitignore` in it.
fn files(entry: DirEntry) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(error) = entry.error() {
        found = refused(error, entry.path());
    }
    let skipped = |why| Found::Skipped(Skip::new(entry.path(), why));
    match entry.file_type() {
        Some(kind) if kind.is_symlink() => found.push(skipped(Why::Link)),
        Some(kind) if kind.is_file() => found.push(Found::Inside(entry.into_path())),
        Some(kind) if kind.is_dir() => {}
        _ => found.push(skipped(Why::Special)),
    }
    found
}

fn is_dotted(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// What went wrong in a folder, each with the path that is nearest to it: the errors around it only name it once more.
fn refused(error: &ignore::Error, path: &Path) -> Vec<Found> {
    match error {
        ignore::Error::Partial(errors) => {
            let errors = errors.iter();
            errors.flat_map(|error| refused(error, path)).collect()
        }
        ignore::Error::WithPath { path, err } => refused(err, path),
        ignore::Error::WithDepth { err, .. } => refused(err, path),
        _ => {
            let system = error.io_error().and_then(Error::source);
            let problem = system.map_or_else(|| error.to_string(), ToString::to_string);
            vec![Found::Refused(Refusal::new(path, problem))]
        }
    }
}

/// The whole of an input.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// How many bytes the input has: more or fewer than the text where bytes were replaced.
    pub(crate) bytes: usize,
}

/// What becomes of bytes that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Refused,
    /// Refused, but `--lossy` would replace them.
    NotReplaced,
    /// Read as U+FFFD.
    Replaced,
}

impl Wrong {
    /// Where `--lossy` is an option.
    pub(crate) fn of(lossy: bool) -> Self {
        if lossy {
            Self::Replaced
        } else {
            Self::NotReplaced
        }
    }

    /// Part of a text, which begins at this byte of the input.
    fn text<'b>(self, bytes: &'b [u8], before: u64, path: &Path) -> Result<Cow<'b, str>, Refusal> {
        match str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) if self == Self::Replaced => Ok(String::from_utf8_lossy(bytes)),
            Err(error) => Err(Refusal {
                path: path.to_owned(),
                reason: Reason::NotUtf8 {
                    at: before + error.valid_up_to() as u64,
                    has_lossy: self == Self::NotReplaced,
                },
            }),
        }
    }
}

/// Reads a file, or standard input for `-`, as a whole.
pub(crate) fn read(path: &Path, wrong: Wrong) -> Result<Text, Refusal> {
    let mut bytes = Vec::new();
    let read = open(path).and_then(|mut input| input.read_to_end(&mut bytes));
    read.map_err(|error| Refusal::io(path, error))?;
    text(bytes, wrong, path)
}

/// The same, but a file with a NUL byte is binary. Mostly its beginning tells, and no more of it is read.
pub(crate) fn read_inside(path: &Path, wrong: Wrong) -> Result<Result<Text, Skip>, Refusal> {
    let mut bytes = Vec::new();
    let read = open(path).and_then(|mut input| {
        input.by_ref().take(HEAD).read_to_end(&mut bytes)?;
        if !bytes.contains(&0) {
            input.read_to_end(&mut bytes)?;
        }
        Ok(())
    });
    read.map_err(|error| Refusal::io(path, error))?;
    if bytes.contains(&0) {
        return Ok(Err(Skip::new(path, Why::Binary)));
    }
    text(bytes, wrong, path).map(Ok)
}

fn text(bytes: Vec<u8>, wrong: Wrong, path: &Path) -> Result<Text, Refusal> {
    let len = bytes.len();
    // mostly it is text, and need not be copied
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => wrong.text(error.as_bytes(), 0, path)?.into_owned(),
    };
    Ok(Text { text, bytes: len })
}

/// Says so where one would wait without knowing for what.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if !is_stdin(path) {
        return Ok(Box::new(File::open(path)?));
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        complain("reading what you type; end it with Ctrl-D on a line of its own");
    }
    Ok(Box::new(stdin.lock()))
}

pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// The one input of a subcommand.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// A file; - is standard input, and so is no path at all
    #[arg(default_value = STDIN, hide_default_value = true)]
    pub(crate) path: PathBuf,

    /// Read bytes that are not UTF-8 as U+FFFD, instead of refusing them
    #[arg(long)]
    lossy: bool,
}

impl Source {
    pub(crate) fn read(&self) -> Result<Text, Refusal> {
        read(&self.path, Wrong::of(self.lossy))
    }

    /// The text in parts, for inputs of any size.
    pub(crate) fn blocks(&self) -> Result<Blocks<'_>, Refusal> {
        Blocks::of(&self.path, Wrong::of(self.lossy))
    }
}

/// Parts of a text, of whole characters each.
pub(crate) struct Blocks<'p> {
    path: &'p Path,
    wrong: Wrong,
    input: Box<dyn Read>,
    /// What was read last, after the beginning of a character that was not whole.
    bytes: Vec<u8>,
    /// How many bytes of the input are before these.
    before: u64,
}

impl<'p> Blocks<'p> {
    pub(crate) fn of(path: &'p Path, wrong: Wrong) -> Result<Self, Refusal> {
        let input = open(path).map_err(|error| Refusal::io(path, error))?;
        Ok(Self {
            path,
            wrong,
            input,
            bytes: Vec::new(),
            before: 0,
        })
    }

    /// How many bytes were handed out.
    pub(crate) fn bytes(&self) -> usize {
        self.before as usize
    }

    /// Hands all parts to `take`.
    pub(crate) fn each(&mut self, mut take: impl FnMut(&str)) -> Result<(), Refusal> {
        while self.next(&mut take)? {}
        Ok(())
    }

    /// Hands the next part to `take`; whether there was one.
    pub(crate) fn next(&mut self, take: impl FnOnce(&str)) -> Result<bool, Refusal> {
        let path = self.path;
        let read = self.read().map_err(|error| Refusal::io(path, error))?;
        let is_end = read == 0;
        if is_end && self.bytes.is_empty() {
            return Ok(false);
        }
        let kept = if is_end { 0 } else { begun(&self.bytes) };
        let whole = &self.bytes[..self.bytes.len() - kept];
        take(&self.wrong.text(whole, self.before, path)?);
        self.before += whole.len() as u64;
        self.bytes.drain(..whole.len());
        Ok(true)
    }

    /// Appends what is there, without waiting for more; how many bytes that are, none only at the end.
    fn read(&mut self) -> io::Result<usize> {
        let kept = self.bytes.len();
        self.bytes.resize(kept + BLOCK, 0);
        let read = loop {
            match self.input.read(&mut self.bytes[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.bytes
            .truncate(kept + read.as_ref().map_or(0, |read| *read));
        read
    }
}

/// How many bytes at the end are the beginning of a character.
fn begun(bytes: &[u8]) -> usize {
    let is_beginning = |len: &usize| {
        let last = bytes.len().checked_sub(*len).map(|from| &bytes[from..]);
        let error = last.and_then(|last| str::from_utf8(last).err());
        error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..4).find(is_beginning).unwrap_or(0)
}

impl Skip {
    fn new(path: &Path, why: Why) -> Self {
        let path = path.to_owned();
        Self { path, why }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::Binary => "a binary file (it holds a NUL byte)",
            Why::Hidden => "hidden",
            Why::Link => "a symbolic link",
            Why::Special => "neither a file nor a folder",
        };
        write!(f, "{}: left out: {why}", shown(&self.path))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", shown(&self.path))?;
        match &self.reason {
            Reason::Io(error) => error.fmt(f),
            Reason::NotUtf8 { at, has_lossy } => {
                write!(f, "not UTF-8: invalid at byte {at}, counted from 0")?;
                let hint = "; --lossy would read U+FFFD there";
                f.write_str(if *has_lossy { hint } else { "" })
            }
            Reason::Other(problem) => f.write_str(problem),
        }
    }
}

/// A path for messages.
fn shown(path: &Path) -> String {
    if is_stdin(path) {
        "standard input".to_owned()
    } else {
        printable(&path.to_string_lossy())
    }
}
