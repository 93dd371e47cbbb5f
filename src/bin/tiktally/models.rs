//! `tiktally models`: the models whose windows are known, as a table.

use std::array;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use crate::Failure;

const HEAD: [&str; 5] = ["model", "encoding", "context", "max input", "max output"];

pub(crate) fn run() -> Result<ExitCode, Failure> {
    let mut rows = vec![HEAD.map(String::from)];
    rows.extend(tiktally::context_window_names().map(row));
    let mut out = BufWriter::new(io::stdout().lock());
    print(&rows, &mut out)?;
    let mut windows = tiktally::context_window_names().filter_map(tiktally::context_window);
    if let Some(as_of) = windows.next().map(|window| window.as_of) {
        writeln!(
            out,
            "\nWindows in tokens, as of {as_of}; - where none is known."
        )?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn row(model: &str) -> [String; 5] {
    let encoding = tiktally::encoding_name_for_model(model);
    let window = tiktally::context_window(model);
    [
        model.to_owned(),
        encoding.unwrap_or("-").to_owned(),
        number(window.map(|w| w.context)),
        number(window.and_then(|w| w.max_input)),
        number(window.and_then(|w| w.max_output)),
    ]
}

fn number(tokens: Option<usize>) -> String {
    tokens.map_or_else(|| "-".to_owned(), |tokens| tokens.to_string())
}

/// Text to the left, numbers to the right.
fn print(rows: &[[String; 5]], out: &mut impl Write) -> io::Result<()> {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; 5] = array::from_fn(width);
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            match column {
                0 => write!(out, "{cell:width$}")?,
                1 => write!(out, "  {cell:width$}")?,
                _ => write!(out, "  {cell:>width$}")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
