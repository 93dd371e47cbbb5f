//! From the paths on the command line to texts.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::iter;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// The path that stands for standard input.
pub(crate) const STDIN: &str = "-";

/// How much is read before the rest of a file: enough to know most binary files by their first bytes.
const HEAD: u64 = 8 << 10;

/// An input that cannot be counted. `Display` gives its name and the reason.
#[derive(Debug)]
pub(crate) struct Refusal {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Io(io::Error),
    Binary,
    /// The first wrong byte.
    NotUtf8(usize),
    /// In the words of whoever found it.
    Other(String),
}

impl Refusal {
    /// An input that was read, but is not what it should be.
    pub(crate) fn new(path: &Path, problem: String) -> Self {
        let (path, reason) = (path.to_owned(), Reason::Other(problem));
        Self { path, reason }
    }
}

/// The files a path of the command line names: itself, or the files in a folder, sorted. Hidden files, files that
/// `.gitignore` names and symbolic links are left out of a folder, so no link can lead in a circle.
pub(crate) fn files(path: &Path) -> Box<dyn Iterator<Item = Result<PathBuf, Refusal>> + '_> {
    if !is_stdin(path) && path.is_dir() {
        Box::new(walk(path))
    } else {
        Box::new(iter::once(Ok(path.to_owned())))
    }
}

/// A `.gitignore` counts outside a repository too: an unpacked archive gives the same numbers as a clone.
fn walk(folder: &Path) -> impl Iterator<Item = Result<PathBuf, Refusal>> {
    let walk = WalkBuilder::new(folder)
        .require_git(false)
        .sort_by_file_name(OsStr::cmp)
        .build();
    walk.filter_map(move |entry| match entry {
        Ok(entry) => entry.file_type()?.is_file().then(|| Ok(entry.into_path())),
        Err(error) => Some(Err(unwalkable(error, folder))),
    })
}

/// Unwraps the system's own error: the two around it name the path once more each.
fn unwalkable(error: ignore::Error, folder: &Path) -> Refusal {
    let system = error.io_error().and_then(Error::source);
    let reason = Reason::Other(system.map_or_else(|| error.to_string(), ToString::to_string));
    let path = match error {
        ignore::Error::WithPath { path, .. } => path,
        _ => folder.to_owned(),
    };
    Refusal { path, reason }
}

/// The whole text of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<String, Refusal> {
    let text = if is_stdin(path) {
        text(io::stdin().lock())
    } else {
        File::open(path).map_err(Reason::Io).and_then(text)
    };
    let path = path.to_owned();
    text.map_err(|reason| Refusal { path, reason })
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

fn text(mut input: impl Read) -> Result<String, Reason> {
    let mut bytes = Vec::new();
    input.by_ref().take(HEAD).read_to_end(&mut bytes)?;
    if bytes.contains(&0) {
        return Err(Reason::Binary);
    }
    input.read_to_end(&mut bytes)?;
    if bytes.contains(&0) {
        return Err(Reason::Binary);
    }
    String::from_utf8(bytes).map_err(|error| Reason::NotUtf8(error.utf8_error().valid_up_to()))
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if is_stdin(&self.path) {
            "standard input".into()
        } else {
            self.path.to_string_lossy()
        };
        write!(f, "{name}: ")?;
        match &self.reason {
            Reason::Io(error) => error.fmt(f),
            Reason::Binary => f.write_str("binary file (it holds a NUL byte)"),
            Reason::NotUtf8(at) => write!(f, "not UTF-8: invalid at byte {at}, counted from 0"),
            Reason::Other(problem) => f.write_str(problem),
        }
    }
}
