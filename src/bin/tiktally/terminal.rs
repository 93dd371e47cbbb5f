//! The look of the output: tables, colours, and text that cannot control the terminal.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width};

/// The style of the header of a table.
const HEADER_STYLE: Style = Style::new().bold();

/// The least width of a prose column, in characters: narrower prose is hard to read.
const MIN_PROSE_WIDTH: u16 = 20;

/// Returns whether standard output gets colours.
///
/// `--color` decides, then the environment (`NO_COLOR`, `CLICOLOR_FORCE`), then whether it is a terminal.
pub(crate) fn has_colours() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Cells in aligned columns without lines between them.
///
/// On a narrow terminal, prose is wrapped. Names and numbers stay whole: the terminal itself breaks such lines.
pub(crate) struct Table {
    cells: comfy_table::Table,
    columns: Vec<char>,
    has_header: bool,
}

impl Table {
    /// Creates a table with a column for each letter: `n` for names, `r` for right-aligned numbers, `p` for prose.
    pub(crate) fn new(columns: &str) -> Self {
        let mut cells = comfy_table::Table::new();
        cells.load_style(NOTHING);
        Self {
            cells,
            columns: columns.chars().collect(),
            has_header: false,
        }
    }

    /// Sets the header.
    pub(crate) fn header(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.cells.set_header(printable_cells(cells));
        self.has_header = true;
    }

    /// Returns the style of the header, for text that the caller prints after it; `None` without colours.
    pub(crate) fn header_style(&self) -> Option<Style> {
        (self.has_header && has_colours()).then_some(HEADER_STYLE)
    }

    /// Appends a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.cells.add_row(printable_cells(cells));
    }

    /// Returns the lines of the table, with aligned columns.
    pub(crate) fn lines(&mut self) -> impl Iterator<Item = String> {
        for (column, kind) in self.cells.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, 2));
            if *kind == 'r' {
                column.set_cell_alignment(CellAlignment::Right);
            }
            column.set_constraint(match kind {
                'p' => ColumnConstraint::LowerBoundary(Width::Fixed(MIN_PROSE_WIDTH)),
                _ => ColumnConstraint::ContentWidth,
            });
        }
        let header = self.header_style();
        self.cells.lines().enumerate().map(move |(i, line)| {
            let style = header.filter(|_| i == 0).unwrap_or_default();
            format!("{style}{line}{style:#}")
        })
    }

    /// Prints the lines, each after `indent`.
    pub(crate) fn print(mut self, indent: &str, out: &mut impl Write) -> io::Result<()> {
        if let Some((width, _)) = terminal_size::terminal_size_of(io::stdout()) {
            let indent = indent.len().try_into().unwrap_or(u16::MAX);
            // 2 for the padding after the last column, which may be cut off
            self.cells
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width.0.saturating_sub(indent).saturating_add(2));
        }
        for line in self.lines() {
            writeln!(out, "{indent}{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Makes each cell printable, so that no cell controls the terminal.
fn printable_cells(cells: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    let cells = cells.into_iter();
    cells.map(|cell| printable(cell.as_ref())).collect()
}

/// Prints the name of a file.
///
/// A pipe gets the bytes unchanged, so that the next command finds a file whose name is not UTF-8.
pub(crate) fn write_name(name: &OsStr, out: &mut impl Write) -> io::Result<()> {
    if io::stdout().is_terminal() {
        return write!(out, "{}", printable(&name.to_string_lossy()));
    }
    out.write_all(name.as_encoded_bytes())
}

/// Returns a number of tokens with its unit, such as `1 token`.
pub(crate) fn token_count(count: usize) -> String {
    format!("{count} token{}", plural(count))
}

/// Returns the ending of a noun after this number.
pub(crate) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Returns a text as one line of visible characters, so that it cannot control the terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(c, &mut line));
    line
}

/// Appends a character, or its escape if it is invisible.
pub(crate) fn push_visible(c: char, line: &mut String) {
    if is_invisible(c) {
        line.extend(c.escape_default());
    } else {
        line.push(c);
    }
}

/// Returns true for characters that are invisible or change how others look: controls, joiners, direction marks.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
