//! `tiktally models`: a table of the models with known context windows.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use crate::Failure;
use crate::terminal::Table;

/// List known models with their encodings and context windows
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

const EXAMPLES: &str = "\
Examples:
  tiktally models | grep gpt-5";

/// Runs `tiktally models`.
pub(crate) fn run() -> Result<ExitCode, Failure> {
    let mut table = Table::new("nnrrr");
    table.header(["model", "encoding", "context", "max input", "max output"]);
    for model in tiktally::context_window_names() {
        table.row(row(model));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    table.print("", &mut out)?;
    let mut windows = tiktally::context_window_names().filter_map(tiktally::context_window);
    if let Some(as_of) = windows.next().map(|window| window.as_of) {
        writeln!(
            out,
            "\nWindow sizes are in tokens, as of {as_of}; - means unknown."
        )?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the cells of a model.
fn row(model: &str) -> [String; 5] {
    let encoding = tiktally::encoding_name_for_model(model);
    let window = tiktally::context_window(model);
    [
        model.to_owned(),
        encoding.unwrap_or("-").to_owned(),
        number_or_dash(window.map(|w| w.context)),
        number_or_dash(window.and_then(|w| w.max_input)),
        number_or_dash(window.and_then(|w| w.max_output)),
    ]
}

/// Formats a number; `-` if it is unknown.
fn number_or_dash(tokens: Option<usize>) -> String {
    tokens.map_or_else(|| "-".to_owned(), |tokens| tokens.to_string())
}
