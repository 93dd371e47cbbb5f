//! `tiktally chat`: the tokens of chat requests, part by part.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use tiktally::ContextWindow;
use tiktally::chat::{self, ChatTokens, Counter, Exactness};

use crate::input::{self, InputError, InvalidUtf8};
use crate::terminal::{Table, printable, write_name};
use crate::{EXIT_INCOMPLETE, Failure, print_message, unless_closed};

const EXAMPLES: &str = "\
Examples:
  tiktally chat request.json
  tiktally chat -m gpt-4o --json deployments/*.json | jq .left
  echo '{\"model\": \"gpt-4o\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}' | tiktally chat

An estimate states its reason. The answer must also fit in the tokens left.";

/// Count the tokens of chat requests, and those left in the context window
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Count for this model instead of the one in the request; needed if the request has no model or a deployment name
    #[arg(short, long, value_parser = Model::from_name)]
    model: Option<Model>,

    /// Print one JSON object per line for each request
    #[arg(long)]
    json: bool,

    /// Files with request bodies, as sent to the API in JSON; without one, or for -, reads standard input
    #[arg(value_name = "REQUEST")]
    paths: Vec<PathBuf>,
}

/// The model that a request is counted for.
#[derive(Debug, Clone)]
struct Model {
    name: String,
    counter: Counter,
}

/// A request and its tokens.
#[derive(Debug)]
struct Counted<'a> {
    path: &'a Path,
    model: Option<String>,
    tokens: ChatTokens,
}

/// Runs `tiktally chat`.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let stdin = [PathBuf::from(input::STDIN)];
    let paths = match args.paths.as_slice() {
        [] => &stdin,
        paths => paths,
    };
    let counted = paths.iter().filter_map(|path| {
        let counted = count(path, args.model.as_ref());
        counted.map_err(print_message).ok()
    });
    let counted: Vec<_> = counted.collect();
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = if args.json {
        print_json(&counted, &mut out)
    } else {
        print_tables(&counted, paths.len(), &mut out)
    };
    unless_closed(printed.and_then(|()| out.flush()))?;
    Ok(if counted.len() == paths.len() {
        ExitCode::SUCCESS
    } else {
        EXIT_INCOMPLETE.into()
    })
}

/// Reads and counts one request.
fn count<'a>(path: &'a Path, asked: Option<&Model>) -> Result<Counted<'a>, InputError> {
    let body = input::read(path, InvalidUtf8::Reject)?;
    match count_body(&body.text, asked) {
        Ok((model, tokens)) => Ok(Counted {
            path,
            model,
            tokens,
        }),
        Err(problem) => Err(InputError::new(path, printable(&problem))),
    }
}

/// Returns the tokens of a body, and the name of the model they were counted for.
fn count_body(body: &str, asked: Option<&Model>) -> Result<(Option<String>, ChatTokens), String> {
    let model = match asked {
        Some(model) => Some(model.clone()),
        None => Model::from_body(body)?,
    };
    let tokens = match &model {
        Some(model) => model.counter.estimate_json(body),
        None => chat::estimate_json(body),
    };
    let tokens = tokens.map_err(|error| error.to_string())?;
    Ok((model.map(|model| model.name), tokens))
}

impl Model {
    /// Looks up a model; the value parser of `--model`.
    fn from_name(name: &str) -> Result<Self, String> {
        let counter = Counter::for_model(name).map_err(|error| {
            // not the library's message: it recommends choosing an encoding, but a request needs a model
            if error.is_unknown_model() {
                format!("no encoding is known for the model {name:?}; choose a known model with -m")
            } else {
                error.to_string()
            }
        })?;
        let name = name.to_owned();
        Ok(Self { name, counter })
    }

    /// Returns the model that a body names.
    ///
    /// Returns `None` for an invalid body, so that the library reports the error in detail.
    fn from_body(body: &str) -> Result<Option<Self>, String> {
        // A `Value` takes the last of duplicate keys, as the library does. A derived struct would reject them.
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        match body.get("model") {
            Some(Value::String(name)) => Self::from_name(name).map(Some),
            None | Some(Value::Null) if body.is_object() => {
                Err("the request names no model; choose one with -m".to_owned())
            }
            _ => Ok(None),
        }
    }
}

impl Counted<'_> {
    /// Returns the context window of the model, if it is known.
    fn window(&self) -> Option<ContextWindow> {
        tiktally::context_window(self.model.as_deref()?)
    }

    /// Returns how many tokens remain in the window; negative if the request does not fit.
    fn tokens_left(&self) -> Option<i64> {
        Some(self.window()?.remaining(self.tokens.total))
    }

    /// Returns the reason why this is an estimate; `None` if it is exact.
    fn estimate_reason(&self) -> Option<&str> {
        match &self.tokens.exactness {
            Exactness::Estimate { reason } => Some(reason),
            _ => None,
        }
    }

    /// Returns the tokens outside the messages, by name.
    fn other_parts(&self) -> [(&'static str, usize); 5] {
        let tokens = &self.tokens;
        [
            ("tools", tokens.tools),
            ("tool_choice", tokens.tool_choice),
            ("response_format", tokens.response_format),
            ("images", tokens.images),
            ("priming", tokens.priming),
        ]
    }
}

/// A row of a table: a name, a number, and a note.
struct TableRow {
    name: String,
    tokens: String,
    note: String,
}

impl TableRow {
    fn new(name: impl Into<String>, tokens: &impl ToString, note: impl Into<String>) -> Self {
        let (name, tokens, note) = (name.into(), tokens.to_string(), note.into());
        Self { name, tokens, note }
    }
}

/// Returns the rows of a request.
fn rows(counted: &Counted<'_>) -> Vec<TableRow> {
    let messages = counted.tokens.messages.iter().enumerate();
    let messages = messages.map(|(i, tokens)| TableRow::new(format!("messages[{i}]"), tokens, ""));
    let parts = counted.other_parts().into_iter();
    let parts = parts.filter(|(_, tokens)| *tokens > 0);
    let parts = parts.map(|(name, tokens)| TableRow::new(name, &tokens, ""));
    let exactness = match counted.estimate_reason() {
        None => "exact".to_owned(),
        Some(reason) => format!("estimate: {reason}"),
    };
    let total = TableRow::new("total", &counted.tokens.total, exactness);
    messages
        .chain(parts)
        .chain([total])
        .chain(window_rows(counted))
        .collect()
}

/// Returns the rows of the context window.
fn window_rows(counted: &Counted<'_>) -> Vec<TableRow> {
    let window = counted.window();
    let window = window.map_or_else(|| "unknown".to_owned(), |window| window.context.to_string());
    let model = counted.model.as_deref().unwrap_or_default();
    let note = match counted.window().and_then(|window| window.max_input) {
        Some(input) => format!("{model}, at most {input} for input"),
        None => model.to_owned(),
    };
    let mut rows = vec![TableRow::new("window", &window, note)];
    rows.extend(counted.tokens_left().map(|left| {
        let name = if left < 0 { "over by" } else { "left" };
        TableRow::new(name, &left.unsigned_abs(), "")
    }));
    rows
}

/// Prints a table for each request. Several tables have titles and a total.
fn print_tables(counted: &[Counted<'_>], asked: usize, out: &mut impl Write) -> io::Result<()> {
    if let ([counted], 1) = (counted, asked) {
        return print(&rows(counted), "", out);
    }
    for counted in counted {
        write_name(counted.path.as_os_str(), out)?;
        writeln!(out)?;
        print(&rows(counted), "  ", out)?;
        writeln!(out)?;
    }
    if counted.is_empty() {
        return Ok(());
    }
    let total: usize = counted.iter().map(|counted| counted.tokens.total).sum();
    let is_estimate = counted
        .iter()
        .any(|counted| counted.estimate_reason().is_some());
    let exactness = if is_estimate { "estimate" } else { "exact" };
    writeln!(out, "{} of {asked} requests", counted.len())?;
    print(&[TableRow::new("total", &total, exactness)], "  ", out)
}

/// Prints the rows as a table.
fn print(rows: &[TableRow], indent: &str, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new("nrp");
    for TableRow { name, tokens, note } in rows {
        table.row([name, tokens, note]);
    }
    table.print(indent, out)
}

/// A request in the output of `--json`, with its keys in this order.
#[derive(Serialize)]
struct JsonLine<'a> {
    path: Cow<'a, str>,
    model: Option<&'a str>,
    total: usize,
    exactness: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    messages: &'a [usize],
    tools: usize,
    tool_choice: usize,
    response_format: usize,
    images: usize,
    priming: usize,
    window: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_input: Option<usize>,
    left: Option<i64>,
}

impl<'a> JsonLine<'a> {
    fn of(counted: &'a Counted<'_>) -> Self {
        let tokens = &counted.tokens;
        let reason = counted.estimate_reason();
        Self {
            path: counted.path.to_string_lossy(),
            model: counted.model.as_deref(),
            total: tokens.total,
            exactness: reason.map_or("exact", |_| "estimate"),
            reason,
            messages: &tokens.messages,
            tools: tokens.tools,
            tool_choice: tokens.tool_choice,
            response_format: tokens.response_format,
            images: tokens.images,
            priming: tokens.priming,
            window: counted.window().map(|window| window.context),
            max_input: counted.window().and_then(|window| window.max_input),
            left: counted.tokens_left(),
        }
    }
}

/// Prints a line of JSON for each request.
fn print_json(counted: &[Counted<'_>], out: &mut impl Write) -> io::Result<()> {
    for counted in counted {
        serde_json::to_writer(&mut *out, &JsonLine::of(counted))?;
        writeln!(out)?;
    }
    Ok(())
}
