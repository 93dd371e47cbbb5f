//! Finds the inputs of `count`: the paths of the command line and of lists, and the files inside directories.

use std::error::Error;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};

use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder, WalkParallel, WalkState};

use crate::Failure;
use crate::charset::{Decoding, UTF8_MARK};
use crate::input::{self, InputError, Skip, SkipReason, is_stdin};

/// The options that choose files inside directories.
#[derive(Debug, clap::Args)]
pub(crate) struct FolderArgs {
    /// In directories, count only files that match this glob, such as '*.rs'; can be given several times
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    include: Vec<String>,

    /// In directories, skip what matches this glob, such as target or 'docs/**/*.svg'; can be given several times
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    exclude: Vec<String>,

    /// In directories, count hidden files too, whose names begin with a dot; .git only with --no-ignore as well
    #[arg(long)]
    hidden: bool,

    /// In directories, count files that .gitignore excludes too
    #[arg(long)]
    no_ignore: bool,
}

/// The options that name a list of paths.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Also count the paths in this file, one on each line; reads the list from standard input for -
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,

    /// In the list of --files-from, a NUL byte ends each path instead of a newline, as after find -print0
    #[arg(short = '0', long, requires = "files_from")]
    null: bool,
}

/// Checks a glob; the value parser of `--include` and `--exclude`.
fn glob(glob: &str) -> Result<String, String> {
    if glob.is_empty() {
        return Err("an empty glob matches nothing".to_owned());
    }
    let glob = as_gitignore(glob);
    let mut globs = OverrideBuilder::new("");
    match globs.add(&glob) {
        Ok(_) => Ok(glob),
        Err(error) => Err(format!(
            "{}; a backslash before a special character takes it as it is",
            problem_of(&error)
        )),
    }
}

/// Returns the problem of a glob without the glob itself, which the message has already.
fn problem_of(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        _ => error.to_string(),
    }
}

/// Returns the glob as `.gitignore` has it: escapes a first character that is special there, but not in a glob, and takes
/// `./` as the named directory.
fn as_gitignore(glob: &str) -> String {
    match glob.strip_prefix("./") {
        Some(inside) => format!("/{inside}"),
        None if glob.starts_with(['!', '#']) => format!("\\{glob}"),
        None => glob.to_owned(),
    }
}

impl FolderArgs {
    /// Returns the globs for files inside a directory. What is excluded stays so if it is also included.
    fn globs(&self, directory: &Path) -> Override {
        let mut globs = OverrideBuilder::new(directory);
        let excluded = self.exclude.iter().map(|glob| format!("!{glob}"));
        for glob in self.include.iter().cloned().chain(excluded) {
            globs.add(&glob).expect("the value parser checked the glob");
        }
        globs.build().expect("the value parser checked the globs")
    }
}

impl ListArgs {
    /// Returns `paths`, followed by those of the list.
    ///
    /// # Errors
    /// The list cannot be read, or standard input is both the list and a text.
    pub(crate) fn with_list(&self, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
        let mut paths = paths.to_vec();
        let Some(list) = &self.files_from else {
            return Ok(paths);
        };
        let mut bytes = Vec::new();
        let read = input::open(list).and_then(|mut input| input.read_to_end(&mut bytes));
        read.map_err(|error| InputError::io(list, error))?;
        let bytes = utf8(bytes, list)?;
        if !self.null && bytes.contains(&0) {
            let problem =
                "the list has a NUL byte, which no path contains; -0 takes it as the end of a path";
            return Err(InputError::new(list, problem.to_owned()).into());
        }
        let end = if self.null { 0 } else { b'\n' };
        for name in bytes.split(|byte| *byte == end) {
            let name = match name.strip_suffix(b"\r") {
                Some(name) if !self.null => name,
                _ => name,
            };
            if !name.is_empty() {
                paths.push(path_of(name, list)?);
            }
        }
        if is_stdin(list) && paths.iter().any(|path| is_stdin(path)) {
            let problem = "standard input is the list of --files-from, so it cannot be counted as well; leave out the path -";
            return Err(problem.to_owned().into());
        }
        Ok(paths)
    }
}

/// Returns a list without its byte order mark, and in UTF-8 if the mark is that of UTF-16: PowerShell writes such lists.
fn utf8(mut bytes: Vec<u8>, list: &Path) -> Result<Vec<u8>, InputError> {
    if Decoding::STRICT.decoder(&bytes).marked().is_some() {
        let text = input::decode_all(bytes, Decoding::STRICT, list)?;
        return Ok(text.text.into_bytes());
    }
    if bytes.starts_with(UTF8_MARK) {
        bytes.drain(..UTF8_MARK.len());
    }
    Ok(bytes)
}

/// Returns the path that a list names.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // elsewhere, paths must be UTF-8
fn path_of(name: &[u8], _list: &Path) -> Result<PathBuf, InputError> {
    use std::os::unix::ffi::OsStrExt;

    Ok(OsStr::from_bytes(name).into())
}

/// Returns the path that a list names.
#[cfg(not(unix))]
fn path_of(name: &[u8], list: &Path) -> Result<PathBuf, InputError> {
    let path = str::from_utf8(name).map_err(|_| {
        let name = name.escape_ascii();
        InputError::new(
            list,
            format!("the path \"{name}\" in the list is not UTF-8"),
        )
    })?;
    Ok(path.into())
}

/// Something that a path of the command line leads to.
pub(crate) enum Input {
    /// A file that the command line names, or standard input.
    Named(PathBuf),
    /// A file inside a named directory. It may be binary.
    InDirectory {
        path: PathBuf,
        /// The number of components of the named directory in `path`.
        root: usize,
    },
    Skipped(Skip),
    Failed(InputError),
}

impl Input {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::InDirectory { path, .. } => path,
            Self::Skipped(skip) => &skip.path,
            Self::Failed(error) => &error.path,
        }
    }
}

/// Returns the inputs in the order of the paths. A directory is replaced by the files inside it, sorted by path.
///
/// Inside directories, skips symbolic links, and what the options say: by default hidden files and directories, and files
/// that `.gitignore` excludes. Links are not followed, so the walk always ends.
pub(crate) fn find(paths: &[PathBuf], args: &FolderArgs) -> Vec<Input> {
    let mut inputs = Vec::new();
    for path in paths {
        if !is_stdin(path) && path.is_dir() {
            walk(path, args, &mut inputs);
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
fn walk(directory: &Path, args: &FolderArgs, inputs: &mut Vec<Input>) {
    let root = directory.components().count();
    let (sender, receiver) = mpsc::channel();
    walker(directory, args, sender.clone()).run(|| {
        Box::new(|entry| {
            let inputs = entry.map_or_else(
                |error| walk_errors(&error, directory),
                |entry| entry_inputs(entry, root),
            );
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

/// Creates the walk through a directory, which sends what it skips as hidden to `skipped`.
fn walker(directory: &Path, args: &FolderArgs, skipped: Sender<Input>) -> WalkParallel {
    let globs = args.globs(directory);
    let has_hidden = args.hidden;
    // Git ignores it as well: nobody wrote what is in there
    let skips_git = !args.no_ignore;
    let is_in_repository = directory
        .canonicalize()
        .is_ok_and(|full| full.ancestors().any(|above| above.join(".git").exists()));
    WalkBuilder::new(directory)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .git_ignore(!args.no_ignore)
        .parents(is_in_repository)
        .require_git(is_in_repository)
        .filter_entry(move |entry| {
            if entry.depth() == 0 {
                return true;
            }
            let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
            if globs.matched(entry.path(), is_directory).is_ignore() {
                return false;
            }
            let is_git = skips_git && entry.file_name() == ".git";
            let is_hidden = is_git || !has_hidden && is_dotted(entry.file_name());
            if is_hidden {
                // cannot fail: the receiver lives longer than this walk
                let _ = skipped.send(Input::Skipped(Skip::new(entry.path(), SkipReason::Hidden)));
            }
            !is_hidden
        })
        .build_parallel()
}

/// Returns an entry of a directory as an input, with the errors of a `.gitignore` inside it.
fn entry_inputs(entry: DirEntry, root: usize) -> Vec<Input> {
    let mut inputs = Vec::new();
    if let Some(error) = entry.error() {
        inputs = walk_errors(error, entry.path());
    }
    let skipped = |reason| Input::Skipped(Skip::new(entry.path(), reason));
    match entry.file_type() {
        Some(kind) if kind.is_symlink() => inputs.push(skipped(SkipReason::Link)),
        Some(kind) if kind.is_file() => {
            let path = entry.into_path();
            inputs.push(Input::InDirectory { path, root });
        }
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
