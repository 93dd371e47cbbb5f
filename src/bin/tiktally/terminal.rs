//! What the output looks like: tables, and colours where they are wanted.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width};

const HEAD: Style = Style::new().bold();

/// In fewer columns, prose cannot be read.
const PROSE: u16 = 20;

/// Whether standard output gets colours: it is a terminal, or `--color` or the environment (`NO_COLOR`, `CLICOLOR_FORCE`)
/// say so.
pub(crate) fn has_colours() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Cells in aligned columns without lines between them.
///
/// On a terminal that is too narrow, prose takes several lines. Names and numbers stay whole, for the terminal to fold.
pub(crate) struct Table {
    cells: comfy_table::Table,
    columns: Vec<char>,
    has_head: bool,
}

impl Table {
    /// A column for each letter of `columns`: `n` for names, `r` for numbers, `p` for prose.
    pub(crate) fn new(columns: &str) -> Self {
        let mut cells = comfy_table::Table::new();
        cells.load_style(NOTHING);
        Self {
            cells,
            columns: columns.chars().collect(),
            has_head: false,
        }
    }

    pub(crate) fn head(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.cells.set_header(shown(cells));
        self.has_head = true;
    }

    /// The style of the head, for what is printed behind it.
    pub(crate) fn head_style(&self) -> Option<Style> {
        (self.has_head && has_colours()).then_some(HEAD)
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.cells.add_row(shown(cells));
    }

    /// The lines, all of the same width but for space at their ends.
    pub(crate) fn lines(&mut self) -> impl Iterator<Item = String> {
        for (column, kind) in self.cells.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, 2));
            if *kind == 'r' {
                column.set_cell_alignment(CellAlignment::Right);
            }
            column.set_constraint(match kind {
                'p' => ColumnConstraint::LowerBoundary(Width::Fixed(PROSE)),
                _ => ColumnConstraint::ContentWidth,
            });
        }
        let head = self.head_style();
        self.cells.lines().enumerate().map(move |(i, line)| {
            let style = head.filter(|_| i == 0).unwrap_or_default();
            format!("{style}{line}{style:#}")
        })
    }

    /// Prints the lines, each behind `indent`.
    pub(crate) fn print(mut self, indent: &str, out: &mut impl Write) -> io::Result<()> {
        if let Some((width, _)) = terminal_size::terminal_size_of(io::stdout()) {
            let indent = indent.len().try_into().unwrap_or(u16::MAX);
            // the padding behind the last column may be cut off
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

fn shown(cells: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    let cells = cells.into_iter();
    cells.map(|cell| printable(cell.as_ref())).collect()
}

/// In a pipe the bytes as they are: the next command must find a file whose name is not UTF-8.
pub(crate) fn write_name(name: &OsStr, out: &mut impl Write) -> io::Result<()> {
    if io::stdout().is_terminal() {
        return write!(out, "{}", printable(&name.to_string_lossy()));
    }
    out.write_all(name.as_encoded_bytes())
}

/// So many tokens, in words.
pub(crate) fn tokens(count: usize) -> String {
    format!("{count} token{}", if count == 1 { "" } else { "s" })
}

/// One line, whatever a text holds: it must not steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(c, &mut line));
    line
}

/// Appends a character as it can be seen.
pub(crate) fn push_visible(c: char, line: &mut String) {
    if is_hidden(c) {
        line.extend(c.escape_default());
    } else {
        line.push(c);
    }
}

/// Whether a character cannot be seen, or changes how others are seen: controls, joiners, marks of direction.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
