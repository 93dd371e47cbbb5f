//! Rows of counts: added up, put in order, printed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::PathBuf;

use anstyle::Style;
use serde::Serialize;
use tiktally::ContextWindow;

use crate::terminal::{Table, write_name};

/// Some files, and how much is in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) name: OsString,
    pub(crate) files: usize,
    pub(crate) tokens: usize,
    pub(crate) bytes: usize,
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rows: Vec<Row>,
    pub(crate) total: Row,
    /// Rows that are not listed.
    rest: Option<(usize, Row)>,
    /// Whether the rows are extensions.
    is_grouped: bool,
    /// Inputs that could not be counted.
    pub(crate) refused: usize,
    /// Files that were left out.
    pub(crate) binary: usize,
}

/// The context window of a model.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) model: String,
    size: ContextWindow,
}

impl Window {
    pub(crate) fn of(model: &str) -> Result<Self, String> {
        let size = tiktally::context_window(model).ok_or_else(|| {
            format!(
                "no window is known for the model {model:?}; `tiktally models` lists those that are"
            )
        })?;
        let model = model.to_owned();
        Ok(Self { model, size })
    }

    fn share(&self, tokens: usize) -> f64 {
        ratio(tokens, self.size.context)
    }

    /// Ten cells, filled to an eighth of one, and the number.
    fn bar(&self, tokens: usize) -> String {
        const CELLS: usize = 10;
        const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
        let window = self.size.context.max(1);
        let eighths = 8 * CELLS;
        let filled = ((tokens * eighths + window / 2) / window).min(eighths);
        let (full, part) = (filled / 8, EIGHTHS[filled % 8]);
        let empty = CELLS - full - usize::from(!part.is_empty());
        let bar = ["█".repeat(full), part.to_owned(), "·".repeat(empty)].concat();
        format!("{bar} {:>6.1}%", 100.0 * self.share(tokens))
    }
}

#[allow(clippy::cast_precision_loss)] // it is shown with two digits
fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other as f64
}

impl Row {
    /// A file that has no name yet.
    pub(crate) fn new(tokens: usize, bytes: usize) -> Self {
        Self {
            name: OsString::new(),
            files: 1,
            tokens,
            bytes,
        }
    }

    pub(crate) fn of(self, path: PathBuf) -> Self {
        Self {
            name: path.into(),
            ..self
        }
    }

    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.tokens += other.tokens;
        self.bytes += other.bytes;
    }

    fn sum<'r>(rows: impl IntoIterator<Item = &'r Self>) -> Self {
        let mut sum = Self::default();
        rows.into_iter().for_each(|row| sum.add(row));
        sum
    }

    fn bytes_per_token(&self) -> String {
        match self.tokens {
            0 => "-".to_owned(),
            tokens => format!("{:.2}", ratio(self.bytes, tokens)),
        }
    }
}

impl Tally {
    pub(crate) fn total_up(&mut self) {
        self.total = Row::sum(&self.rows);
    }

    /// Adds up the rows of one extension; those that have none stay apart.
    pub(crate) fn group(&mut self, extension: impl Fn(&OsStr) -> Option<OsString>) {
        let mut groups: BTreeMap<OsString, Row> = BTreeMap::new();
        for row in &self.rows {
            let name = extension(&row.name).unwrap_or_default();
            groups.entry(name).or_default().add(row);
        }
        let named = groups.into_iter().map(|(name, row)| Row { name, ..row });
        self.rows = named.collect();
        self.is_grouped = true;
    }

    /// Lists the first rows only.
    pub(crate) fn keep(&mut self, rows: usize) {
        let rest = self.rows.split_off(rows.min(self.rows.len()));
        if !rest.is_empty() {
            self.rest = Some((rest.len(), Row::sum(&rest)));
        }
    }

    pub(crate) fn print(&self, window: Option<&Window>, out: &mut impl Write) -> io::Result<()> {
        let listed = self.listed();
        if listed.is_empty() {
            return Ok(());
        }
        let mut names = vec![if self.is_grouped { "extension" } else { "path" }.into()];
        let mut table = Table::new(if self.is_grouped { "rrrrn" } else { "rrrn" });
        let mut head = vec!["tokens", "bytes", "bytes/token"];
        if self.is_grouped {
            head.push("files");
        }
        let of_window = window.map(|window| format!("of {}", window.model));
        head.extend(of_window.as_deref());
        table.head(head);
        for (name, row) in listed {
            names.push(name);
            table.row(self.cells(&row, window));
        }
        let mut style = table.head_style().unwrap_or_default();
        for (line, name) in table.lines().zip(names) {
            write!(out, "{line}{style}")?;
            write_name(&name, out)?;
            writeln!(out, "{style:#}")?;
            style = Style::new();
        }
        Ok(())
    }

    /// The rows with their names, and what is below them.
    fn listed(&self) -> Vec<(OsString, Row)> {
        let name = |row: &Row| {
            if row.name.is_empty() {
                "(none)".into()
            } else {
                row.name.clone()
            }
        };
        let mut listed: Vec<_> = self
            .rows
            .iter()
            .map(|row| (name(row), row.clone()))
            .collect();
        if let Some((count, rest)) = &self.rest {
            listed.push((format!("({count} more)").into(), rest.clone()));
        }
        // as `wc` does it, refused files make a total too; so does an empty folder
        if self.total.files + self.refused != 1 {
            listed.push(("total".into(), self.total.clone()));
        }
        listed
    }

    fn cells(&self, row: &Row, window: Option<&Window>) -> Vec<String> {
        let mut cells = vec![
            row.tokens.to_string(),
            row.bytes.to_string(),
            row.bytes_per_token(),
        ];
        if self.is_grouped {
            cells.push(row.files.to_string());
        }
        cells.extend(window.map(|window| window.bar(row.tokens)));
        cells
    }

    pub(crate) fn print_json(
        &self,
        encoding: &str,
        window: Option<&Window>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let rows = self.rows.iter();
        let (files, extensions) = if self.is_grouped {
            (None, Some(rows.map(Group::of).collect()))
        } else {
            (Some(rows.map(File::of).collect()), None)
        };
        let report = Report {
            encoding,
            files,
            extensions,
            total: Sum::of(&self.total),
            window: window.map(|window| Share {
                model: &window.model,
                context: window.size.context,
                used: window.share(self.total.tokens),
            }),
            more: self.rest.as_ref().map(|(rows, rest)| More {
                rows: *rows,
                sum: Sum::of(rest),
            }),
            refused: self.refused,
            binary: self.binary,
        };
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)
    }
}

/// Everything, with its keys in this order.
#[derive(Serialize)]
struct Report<'a> {
    encoding: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<File>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Vec<Group>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<More>,
    total: Sum,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Share<'a>>,
    refused: usize,
    binary: usize,
}

/// Rows that are not listed.
#[derive(Serialize)]
struct More {
    rows: usize,
    #[serde(flatten)]
    sum: Sum,
}

#[derive(Serialize)]
struct File {
    path: String,
    tokens: usize,
    bytes: usize,
}

#[derive(Serialize)]
struct Group {
    extension: Option<String>,
    #[serde(flatten)]
    sum: Sum,
}

#[derive(Serialize)]
struct Sum {
    files: usize,
    tokens: usize,
    bytes: usize,
}

#[derive(Serialize)]
struct Share<'a> {
    model: &'a str,
    context: usize,
    used: f64,
}

impl File {
    fn of(row: &Row) -> Self {
        Self {
            path: row.name.to_string_lossy().into_owned(),
            tokens: row.tokens,
            bytes: row.bytes,
        }
    }
}

impl Group {
    fn of(row: &Row) -> Self {
        let name = (!row.name.is_empty()).then(|| row.name.to_string_lossy().into_owned());
        Self {
            extension: name,
            sum: Sum::of(row),
        }
    }
}

impl Sum {
    fn of(row: &Row) -> Self {
        let Row {
            files,
            tokens,
            bytes,
            ..
        } = *row;
        Self {
            files,
            tokens,
            bytes,
        }
    }
}
