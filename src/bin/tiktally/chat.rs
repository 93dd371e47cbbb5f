//! `tiktally chat`: what chat requests cost, part by part.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use tiktally::ContextWindow;
use tiktally::chat::{self, ChatTokens, Counter, Exactness};

use crate::input::{self, Refusal, Wrong};
use crate::terminal::{Table, printable, write_name};
use crate::{Failure, INCOMPLETE, complain, unless_closed};

const EXAMPLES: &str = "\
Examples:
  tiktally chat request.json
  tiktally chat -m gpt-4o --json deployments/*.json | jq .left
  echo '{\"model\": \"gpt-4o\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]}' | tiktally chat

An estimate says why it is one. The answer has to fit in what is left of the window, too.";

/// Count the tokens of chat requests, message by message, and what they leave of the context window
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Count as for this model, whatever the requests name or leave out; names of deployments say nothing
    #[arg(short, long, value_parser = Model::named)]
    model: Option<Model>,

    /// Print one line of JSON for each request
    #[arg(long)]
    json: bool,

    /// Bodies of requests, the JSON that is sent to the API; - is standard input, and so is no path at all
    #[arg(value_name = "REQUEST")]
    paths: Vec<PathBuf>,
}

/// Whose tokens are counted.
#[derive(Debug, Clone)]
struct Model {
    name: String,
    counter: Counter,
}

/// A request and what it costs.
#[derive(Debug)]
struct Counted<'a> {
    path: &'a Path,
    model: Option<String>,
    tokens: ChatTokens,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let stdin = [PathBuf::from(input::STDIN)];
    let paths = match args.paths.as_slice() {
        [] => &stdin,
        paths => paths,
    };
    let counted = paths.iter().filter_map(|path| {
        let counted = count(path, args.model.as_ref());
        counted.map_err(complain).ok()
    });
    let counted: Vec<_> = counted.collect();
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = if args.json {
        print_lines(&counted, &mut out)
    } else {
        print_tables(&counted, paths.len(), &mut out)
    };
    unless_closed(printed.and_then(|()| out.flush()))?;
    Ok(if counted.len() == paths.len() {
        ExitCode::SUCCESS
    } else {
        INCOMPLETE.into()
    })
}

fn count<'a>(path: &'a Path, asked: Option<&Model>) -> Result<Counted<'a>, Refusal> {
    let body = input::read(path, Wrong::Refused)?;
    match tokens(&body.text, asked) {
        Ok((model, tokens)) => Ok(Counted {
            path,
            model,
            tokens,
        }),
        Err(problem) => Err(Refusal::new(path, printable(&problem))),
    }
}

/// The tokens of a body, and the name of the model they were counted for.
fn tokens(body: &str, asked: Option<&Model>) -> Result<(Option<String>, ChatTokens), String> {
    let model = match asked {
        Some(model) => Some(model.clone()),
        None => Model::of(body)?,
    };
    let tokens = match &model {
        Some(model) => model.counter.estimate_json(body),
        None => chat::estimate_json(body),
    };
    let tokens = tokens.map_err(|error| error.to_string())?;
    Ok((model.map(|model| model.name), tokens))
}

impl Model {
    fn named(name: &str) -> Result<Self, String> {
        let counter = Counter::for_model(name).map_err(|error| {
            // the library's advice would be to choose an encoding, but a request needs a model
            if error.is_unknown_model() {
                format!("no encoding is known for the model {name:?}; with -m, count as for a model that is known")
            } else {
                error.to_string()
            }
        })?;
        let name = name.to_owned();
        Ok(Self { name, counter })
    }

    /// The model that a body names. `None` if it is no body at all: what is wrong with it, the library says best.
    fn of(body: &str) -> Result<Option<Self>, String> {
        // All of it is read, not one key into a struct: of two models the last counts, as the library has it, and a
        // derived struct would refuse them.
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        match body.get("model") {
            Some(Value::String(name)) => Self::named(name).map(Some),
            None | Some(Value::Null) if body.is_object() => {
                Err("the body names no model; say with -m for which one it is".to_owned())
            }
            _ => Ok(None),
        }
    }
}

impl Counted<'_> {
    fn window(&self) -> Option<ContextWindow> {
        tiktally::context_window(self.model.as_deref()?)
    }

    /// What is left of the window; less than nothing if the request does not fit.
    fn left(&self) -> Option<i64> {
        Some(self.window()?.remaining(self.tokens.total))
    }

    /// Why this is an estimate, if it is one.
    fn doubt(&self) -> Option<&str> {
        match &self.tokens.exactness {
            Exactness::Estimate { reason } => Some(reason),
            _ => None,
        }
    }

    fn parts(&self) -> [(&'static str, usize); 5] {
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

/// A row of a table: what, how many, and what there is to say about it.
struct Row {
    what: String,
    tokens: String,
    note: String,
}

impl Row {
    fn new(what: impl Into<String>, tokens: &impl ToString, note: impl Into<String>) -> Self {
        let (what, tokens, note) = (what.into(), tokens.to_string(), note.into());
        Self { what, tokens, note }
    }
}

fn rows(counted: &Counted<'_>) -> Vec<Row> {
    let messages = counted.tokens.messages.iter().enumerate();
    let messages = messages.map(|(i, tokens)| Row::new(format!("messages[{i}]"), tokens, ""));
    let parts = counted.parts().into_iter();
    let parts = parts.filter(|(_, tokens)| *tokens > 0);
    let parts = parts.map(|(what, tokens)| Row::new(what, &tokens, ""));
    let sureness = match counted.doubt() {
        None => "exact".to_owned(),
        Some(reason) => format!("estimate: {reason}"),
    };
    let total = Row::new("total", &counted.tokens.total, sureness);
    messages
        .chain(parts)
        .chain([total])
        .chain(window_rows(counted))
        .collect()
}

fn window_rows(counted: &Counted<'_>) -> Vec<Row> {
    let window = counted.window();
    let window = window.map_or_else(|| "unknown".to_owned(), |window| window.context.to_string());
    let model = counted.model.as_deref().unwrap_or_default();
    let note = match counted.window().and_then(|window| window.max_input) {
        Some(input) => format!("{model}, of which input {input}"),
        None => model.to_owned(),
    };
    let mut rows = vec![Row::new("window", &window, note)];
    rows.extend(counted.left().map(|left| {
        let what = if left < 0 { "over by" } else { "left" };
        Row::new(what, &left.unsigned_abs(), "")
    }));
    rows
}

/// A table for each request; of several, under their names and with the sum at the end.
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
    let doubted = counted.iter().any(|counted| counted.doubt().is_some());
    let sureness = if doubted { "estimate" } else { "exact" };
    writeln!(out, "{} of {asked} requests", counted.len())?;
    print(&[Row::new("total", &total, sureness)], "  ", out)
}

fn print(rows: &[Row], indent: &str, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new("nrp");
    for Row { what, tokens, note } in rows {
        table.row([what, tokens, note]);
    }
    table.print(indent, out)
}

/// A request as one line of JSON, with its keys in this order.
#[derive(Serialize)]
struct Line<'a> {
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

impl<'a> Line<'a> {
    fn of(counted: &'a Counted<'_>) -> Self {
        let tokens = &counted.tokens;
        let reason = counted.doubt();
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
            left: counted.left(),
        }
    }
}

fn print_lines(counted: &[Counted<'_>], out: &mut impl Write) -> io::Result<()> {
    for counted in counted {
        serde_json::to_writer(&mut *out, &Line::of(counted))?;
        writeln!(out)?;
    }
    Ok(())
}
