//! `tiktally models`: a table of the models with known context windows.

use std::io::{self, BufWriter, Write};

use globset::{GlobBuilder, GlobMatcher};
use serde::Serialize;

use crate::terminal::Table;
use crate::{EXIT_INCOMPLETE, ExitCode, Failure, print_message};

/// List known models with their encodings and context windows
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// List only models with PATTERN in their names; with * or ?, only models whose whole names match
    ///
    /// Case does not matter. A fine-tuned model, such as ft:gpt-4o-2024-08-06:org::id, is listed with the
    /// window of its base model.
    #[arg(value_parser = Pattern::parse)]
    pattern: Option<Pattern>,

    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tiktally models gpt-5
  tiktally models 'gpt-*-mini'
  tiktally models --json gpt-4o | jq '.models[] | .context'

The exit code is 1 if no model matches.";

/// A part of a name, or a glob for whole names.
#[derive(Debug, Clone)]
struct Pattern {
    text: String,
    glob: Option<GlobMatcher>,
}

impl Pattern {
    /// Reads a pattern; the value parser of `PATTERN`.
    fn parse(text: &str) -> Result<Self, String> {
        let is_glob = text.contains(['*', '?', '[', '{']);
        let glob = || GlobBuilder::new(text).case_insensitive(true).build();
        let glob = is_glob.then(glob).transpose();
        let glob = glob.map_err(|error| error.kind().to_string())?;
        let (text, glob) = (text.to_owned(), glob.map(|glob| glob.compile_matcher()));
        Ok(Self { text, glob })
    }

    fn matches(&self, model: &str) -> bool {
        match &self.glob {
            Some(glob) => glob.is_match(model),
            None => model.contains(&self.text.to_ascii_lowercase()),
        }
    }

    /// Returns the message for a pattern that no model matches.
    fn no_match(&self) -> String {
        let unknown = tiktally::encoding_name_for_model(&self.text).err();
        match unknown.as_ref().and_then(tiktally::Error::suggestion) {
            Some(near) => format!("no model matches {:?}; did you mean {near:?}?", self.text),
            None => format!(
                "no model matches {:?}; `tiktally models` lists all",
                self.text
            ),
        }
    }
}

/// The output of `--json`, with its keys in this order.
#[derive(Serialize)]
struct JsonModels<'a> {
    as_of: Option<&'static str>,
    models: Vec<Row<'a>>,
}

/// A row of the table, and an item of the JSON.
#[derive(Serialize)]
struct Row<'a> {
    model: &'a str,
    encoding: Option<&'static str>,
    context: Option<usize>,
    max_input: Option<usize>,
    max_output: Option<usize>,
}

/// Runs `tiktally models`.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let pattern = args.pattern.as_ref();
    let mut models: Vec<Row> = tiktally::context_window_names()
        .filter(|name| pattern.is_none_or(|pattern| pattern.matches(name)))
        .map(Row::named)
        .collect();
    if let Some(pattern) = pattern.filter(|_| models.is_empty()) {
        // the list has no fine-tuned models
        models.extend(Some(Row::named(&pattern.text)).filter(|model| model.context.is_some()));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let unmatched = pattern.filter(|_| models.is_empty());
    let mut windows = tiktally::context_window_names().filter_map(tiktally::context_window);
    let as_of = windows.next().map(|window| window.as_of);
    if args.json {
        let json = JsonModels { as_of, models };
        serde_json::to_writer(&mut out, &json).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if unmatched.is_none() {
        print_table(&models, as_of, &mut out)?;
    }
    out.flush()?;
    Ok(match unmatched {
        Some(pattern) => {
            print_message(pattern.no_match());
            EXIT_INCOMPLETE.into()
        }
        None => ExitCode::SUCCESS,
    })
}

fn print_table(models: &[Row], as_of: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new("nnrrr");
    table.header(["model", "encoding", "context", "max input", "max output"]);
    for model in models {
        table.row(model.cells());
    }
    table.print("", out)?;
    if let Some(as_of) = as_of {
        writeln!(
            out,
            "\nWindow sizes are in tokens, as of {as_of}; - means unknown."
        )?;
    }
    Ok(())
}

impl<'a> Row<'a> {
    /// Looks up a model.
    fn named(model: &'a str) -> Self {
        let window = tiktally::context_window(model);
        Self {
            model,
            encoding: tiktally::encoding_name_for_model(model).ok(),
            context: window.map(|window| window.context),
            max_input: window.and_then(|window| window.max_input),
            max_output: window.and_then(|window| window.max_output),
        }
    }

    /// Returns the cells of the row.
    fn cells(&self) -> [String; 5] {
        [
            self.model.to_owned(),
            self.encoding.unwrap_or("-").to_owned(),
            number_or_dash(self.context),
            number_or_dash(self.max_input),
            number_or_dash(self.max_output),
        ]
    }
}

/// Formats a number; `-` if it is unknown.
fn number_or_dash(tokens: Option<usize>) -> String {
    tokens.map_or_else(|| "-".to_owned(), |tokens| tokens.to_string())
}
