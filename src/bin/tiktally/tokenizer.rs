//! `--tokenizer`: encodings from the tokenizer files of other models.

use std::cell::Cell;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use tiktally::{Builder, Encoding, TokenId};

use crate::Failure;
use crate::charset::UTF8_MARK;
use crate::input::{self, InputError, display_name, is_stdin};
use crate::print_message;
use crate::terminal::printable;

/// The largest tokenizer file, in bytes: the default limit of the library, several times the size of real files.
const MAX_BYTES: u64 = 64 << 20;

/// The pattern of Llama 3, which OpenAI's encodings do not have.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The pattern of Qwen: that of Llama 3, except that each digit is a piece.
const QWEN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The names of other patterns than those of the built-in encodings.
const OTHER_PATTERNS: [(&str, &str); 2] = [("llama3", LLAMA3), ("qwen", QWEN)];

/// The options that a rank file needs: it has only tokens.
#[derive(Debug, clap::Args)]
pub(crate) struct RankFileArgs {
    /// The pattern of a .tiktoken file: the name of an encoding, llama3 or qwen, or a regular expression
    #[arg(long, value_name = "NAME|REGEX", requires = "tokenizer", value_parser = Pattern::parse)]
    pattern: Option<Pattern>,

    /// Take the special tokens of a .tiktoken file from this tokenizer_config.json
    #[arg(long, value_name = "FILE", requires = "pattern")]
    tokenizer_config: Option<PathBuf>,
}

/// A pattern that splits text into pieces.
#[derive(Debug, Clone)]
struct Pattern(String);

impl Pattern {
    /// Looks up a name, or takes a regular expression; the value parser of `--pattern`.
    fn parse(text: &str) -> Result<Self, String> {
        if let Some((_, pattern)) = OTHER_PATTERNS.iter().find(|(name, _)| *name == text) {
            return Ok(Self((*pattern).to_owned()));
        }
        match tiktally::get_encoding(text) {
            Ok(encoding) => Ok(Self(encoding.pattern().to_owned())),
            // a pattern without a class or an alternative would be of no use
            Err(error)
                if error.is_unknown_encoding() && text.contains(['\\', '[', '|', '(', '.']) =>
            {
                Ok(Self(text.to_owned()))
            }
            Err(error) if error.is_unknown_encoding() => Err(no_pattern(text, error.suggestion())),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn no_pattern(name: &str, near: Option<&str>) -> String {
    let near = near.map_or_else(String::new, |near| {
        format!("did you mean {near:?}? Otherwise ")
    });
    format!(
        "no pattern has the name {name:?}; {near}use {}, or a regular expression",
        pattern_names()
    )
}

/// Returns the names for `--pattern`, separated by commas.
fn pattern_names() -> String {
    let others = OTHER_PATTERNS.iter().map(|(name, _)| *name);
    let names = tiktally::list_encoding_names().iter().copied();
    names.chain(others).collect::<Vec<_>>().join(", ")
}

/// The formats of tokenizer files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Hugging Face's `tokenizer.json`.
    TokenizerJson,
    /// Mistral's `tekken.json`.
    TekkenJson,
    /// A rank file in tiktoken's format.
    Ranks,
}

/// Loads the encoding of a tokenizer file. Its name is the path.
///
/// # Errors
/// - [`Failure::Input`]: a file cannot be read or used.
/// - [`Failure::Usage`]: the options are not those that the format needs.
pub(crate) fn load(path: &Path, args: &RankFileArgs) -> Result<Encoding, Failure> {
    if is_stdin(path) {
        let problem = "--tokenizer needs a file, because standard input is the text";
        return Err(problem.to_owned().into());
    }
    let bytes = read(path)?;
    let format = format(&bytes).map_err(|problem| InputError::new(path, problem))?;
    match builder(path, format, &bytes, args)?.build() {
        // `encode`, `truncate` and `chunk` could not report that it gave up, and would take the process with them
        Ok(encoding) if encoding.can_fail() => {
            Err(InputError::new(path, BACKTRACKS.to_owned()).into())
        }
        Ok(encoding) => Ok(encoding),
        Err(error) if error.is_invalid_pattern() && args.pattern.is_some() => {
            Err(format!("--pattern: {}", for_command(&error)).into())
        }
        Err(error) => Err(unusable(path, &error).into()),
    }
}

/// Returns the builder of a file in this format.
fn builder(
    path: &Path,
    format: Format,
    bytes: &[u8],
    args: &RankFileArgs,
) -> Result<Builder, Failure> {
    let unusable = |error| unusable(path, &error);
    let builder = Encoding::builder(display_name(path));
    match (format, &args.pattern) {
        (Format::Ranks, Some(Pattern(pattern))) => {
            let builder = builder.pattern(pattern).ranks_from_tiktoken(bytes);
            with_config(builder.map_err(unusable)?, args)
        }
        (Format::Ranks, None) => Err(format!(
            "{}: a rank file has no pattern that splits text; choose one with --pattern: {}, or a regular expression",
            display_name(path),
            pattern_names()
        )
        .into()),
        (_, Some(_)) => Err(format!(
            "{}: this file has its own pattern; --pattern is only for .tiktoken files",
            display_name(path)
        )
        .into()),
        (Format::TokenizerJson, None) => Ok(builder.tokenizer_json(bytes).map_err(unusable)?),
        (Format::TekkenJson, None) => Ok(builder.tekken_json(bytes).map_err(unusable)?),
    }
}

/// Adds the special tokens of `--tokenizer-config`.
fn with_config(builder: Builder, args: &RankFileArgs) -> Result<Builder, Failure> {
    let Some(config) = &args.tokenizer_config else {
        return Ok(builder);
    };
    let builder = builder.special_tokens_from_config(&read(config)?[..]);
    Ok(builder.map_err(|error| unusable(config, &error))?)
}

/// Returns the error of a file that the library does not take.
fn unusable(path: &Path, error: &tiktally::Error) -> InputError {
    InputError::new(path, for_command(error))
}

/// The problem of a file whose pattern no automaton can run.
const BACKTRACKS: &str = "its split pattern needs a backtracking engine, which can take very long or give up on a text; \
                          the library takes it, with `try_encode_ordinary` and `try_count`";

/// Reads a whole file of up to [`MAX_BYTES`].
fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    let read = input::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| InputError::io(path, error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let problem = format!(
            "larger than {} MiB, the limit for tokenizer files; check that it is one",
            MAX_BYTES >> 20
        );
        return Err(InputError::new(path, problem));
    }
    if bytes.starts_with(UTF8_MARK) {
        bytes.drain(..UTF8_MARK.len());
    }
    Ok(bytes)
}

/// The message for JSON that is not a tokenizer.
const OTHER_JSON: &str = "JSON of another kind: neither a tokenizer.json, which has the key model, nor a tekken.json, which has the key config";

/// Recognises the format of a file by its content.
fn format(bytes: &[u8]) -> Result<Format, String> {
    let start = bytes.trim_ascii_start();
    match start {
        [] => return Err("the file is empty".to_owned()),
        [b'{', ..] => return json_format(start),
        [b'[', ..] => return Err(OTHER_JSON.to_owned()),
        // the loader has a message for these
        [b'<', ..] => return Ok(Format::TokenizerJson),
        _ if start.starts_with(b"version https://git-lfs") => return Ok(Format::TokenizerJson),
        _ => {}
    }
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
    if is_rank_line(line.trim_ascii_end()) {
        return Ok(Format::Ranks);
    }
    let hint = if line.contains(&0)
        || str::from_utf8(line).is_err()
        || line.is_empty()
        || line[0] < b' '
    {
        "; it is binary, as files of SentencePiece are, which have no byte-level BPE"
    } else {
        ""
    };
    Err(format!(
        "not a tokenizer file: neither a tokenizer.json, a tekken.json nor a .tiktoken file{hint}"
    ))
}

/// Returns true for a token in base64, a space and a rank.
fn is_rank_line(line: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let mut parts = line.split(u8::is_ascii_whitespace);
    let token = parts
        .next()
        .is_some_and(|token| !token.is_empty() && token.iter().all(is_base64));
    let rank = parts.next().and_then(|rank| str::from_utf8(rank).ok());
    token && rank.is_some_and(|rank| rank.parse::<TokenId>().is_ok()) && parts.next().is_none()
}

/// Recognises the format of a JSON file by its keys. Reads only up to the first key that decides.
fn json_format(bytes: &[u8]) -> Result<Format, String> {
    let found = Cell::new(None);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde::Deserializer::deserialize_map(&mut json, Keys(&found));
    match (found.get(), read) {
        (Some(Kind::Format(format)), _) => Ok(format),
        // the loader says what is wrong with the JSON
        (None, Err(_)) => Ok(Format::TokenizerJson),
        (Some(Kind::Config), _) => Err(
            "a tokenizer_config.json has no tokens; name the tokenizer.json beside it, or the .tiktoken file with --tokenizer-config for this one"
                .to_owned(),
        ),
        (None, Ok(())) => Err(OTHER_JSON.to_owned()),
    }
}

/// The kinds of JSON files near a tokenizer.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Format(Format),
    /// `tokenizer_config.json`.
    Config,
}

/// Finds the first key of a map that tells the kind of the file.
struct Keys<'f>(&'f Cell<Option<Kind>>);

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(kind)) = map.next_key()? {
            if kind.is_some() {
                self.0.set(kind);
                // the rest does not matter
                return Err(A::Error::custom("found"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// What a key says about the kind of its file.
struct Key(Option<Kind>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok(Self(match &*key {
            "model" => Some(Kind::Format(Format::TokenizerJson)),
            "config" | "vocab" => Some(Kind::Format(Format::TekkenJson)),
            "added_tokens_decoder" | "tokenizer_class" => Some(Kind::Config),
            _ => None,
        }))
    }
}

/// Whether the note about the normal form was printed: one is enough for a folder.
static HAS_NOTE: AtomicBool = AtomicBool::new(false);

/// Returns the note for the first text that the tokenizer of the file would change before it encodes it.
///
/// The command does not change the text: `truncate` and `chunk` print parts of it.
pub(crate) fn normal_form_note(encoding: &Encoding, text: &str, path: &Path) -> Option<String> {
    if !encoding.needs_nfc() || text.is_ascii() || HAS_NOTE.load(Ordering::Relaxed) {
        return None;
    }
    if unicode_normalization::is_nfc(text) || HAS_NOTE.swap(true, Ordering::Relaxed) {
        return None;
    }
    Some(format!(
        "note: {}: this text is not in the normal form NFC, into which the model's own tokenizer brings it first; its ids may differ",
        display_name(path)
    ))
}

/// Prints the note of [`normal_form_note`], if there is one.
pub(crate) fn note_normal_form(encoding: &Encoding, text: &str, path: &Path) {
    if let Some(note) = normal_form_note(encoding, text, path) {
        print_message(note);
    }
}

/// Advice of the library that no option of the command can follow.
const ADVICE: &str = "; `backtracking_pattern` accepts more, but can be slow or give up";

/// Returns an error of the library as a user of the command needs it. It may quote the file, whose control characters
/// must not reach the terminal.
fn for_command(error: &tiktally::Error) -> String {
    let message = error.to_string().replace(ADVICE, "");
    let lines: Vec<String> = message.lines().map(printable).collect();
    lines.join("\n")
}
