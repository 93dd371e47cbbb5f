//! The result of `tiktally count`: rows of counts, their total, and how they are printed.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstyle::Style;
use serde::Serialize;

use crate::terminal::{Table, write_name};

/// The counts of one file or of several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) name: OsString,
    /// The number of components of the name that lead to the named directory; `None` for a named file.
    root: Option<usize>,
    pub(crate) files: usize,
    pub(crate) tokens: usize,
    pub(crate) bytes: usize,
}

/// The counts of all inputs.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) total: Row,
    /// The number and the sum of the rows that `--top` does not list.
    unlisted: Option<(usize, Row)>,
    kind: RowKind,
    /// The number of inputs that could not be read or counted.
    pub(crate) failed: usize,
    /// The number of binary files that were skipped.
    pub(crate) binary: usize,
}

/// What a row of the report counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum RowKind {
    #[default]
    File,
    Extension,
    /// A directory with all files in it: the row of a directory includes those of the directories in it.
    Folder,
}

/// A context window: that of a model, or any number of tokens.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// The model, or the number as it was given.
    name: String,
    is_model: bool,
    /// The size in tokens.
    size: usize,
}

impl RowKind {
    /// Returns the title of the names.
    fn name(self) -> &'static str {
        match self {
            Self::File => "path",
            Self::Extension => "extension",
            Self::Folder => "folder",
        }
    }
}

impl Window {
    /// Looks up a model, or reads a number; the value parser of `--window`.
    pub(crate) fn parse(window: &str) -> Result<Self, String> {
        let is_model = !window.bytes().all(|byte| byte.is_ascii_digit());
        if !is_model {
            return Self::of_number(window);
        }
        let size = tiktally::context_window(window).map(|window| window.context);
        let size = size.ok_or_else(|| {
            let unknown = tiktally::encoding_name_for_model(window).err();
            let near = unknown.as_ref().and_then(tiktally::Error::suggestion);
            let near = near.filter(|near| tiktally::context_window(near).is_some());
            let near = near.map_or_else(String::new, |near| format!("did you mean {near:?}? Otherwise, "));
            format!(
                "no window is known for the model {window:?}; {near}`tiktally models` lists the known ones, and a number of tokens, such as 200000, does as well"
            )
        })?;
        let name = window.to_owned();
        Ok(Self {
            name,
            is_model,
            size,
        })
    }

    /// Reads a number of tokens.
    fn of_number(number: &str) -> Result<Self, String> {
        let size = number.parse().ok().filter(|size| *size > 0);
        let size = size.ok_or("a window is a model, or a number of tokens from 1 on")?;
        let name = number.to_owned();
        Ok(Self {
            name,
            is_model: false,
            size,
        })
    }

    /// Returns the name of the model; `None` for a number.
    pub(crate) fn model(&self) -> Option<&str> {
        self.is_model.then_some(self.name.as_str())
    }

    /// Returns the fraction of the window that `tokens` take.
    fn share(&self, tokens: usize) -> f64 {
        ratio(tokens, self.size)
    }

    /// Draws a bar of ten cells, in steps of an eighth of a cell, followed by the percentage.
    fn bar(&self, tokens: usize) -> String {
        const CELLS: usize = 10;
        const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
        let window = self.size;
        let eighths = 8 * CELLS;
        let filled = ((tokens * eighths + window / 2) / window).min(eighths);
        let (full, part) = (filled / 8, EIGHTHS[filled % 8]);
        let empty = CELLS - full - usize::from(!part.is_empty());
        let bar = ["█".repeat(full), part.to_owned(), "·".repeat(empty)].concat();
        format!("{bar} {:>6.1}%", 100.0 * self.share(tokens))
    }
}

#[allow(clippy::cast_precision_loss)] // two decimals are shown
fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other as f64
}

impl Row {
    /// Creates the row of one file, still without its name.
    pub(crate) fn new(tokens: usize, bytes: usize) -> Self {
        Self {
            name: OsString::new(),
            root: None,
            files: 1,
            tokens,
            bytes,
        }
    }

    /// Sets the name. `root` is the number of its components that lead to the named directory.
    pub(crate) fn named(self, path: PathBuf, root: Option<usize>) -> Self {
        Self {
            name: path.into(),
            root,
            ..self
        }
    }

    /// Returns the directories that contain the file, the outermost first: the named one, and up to `depth` levels below. A
    /// named file stands for itself.
    fn folders(&self, depth: usize) -> Vec<OsString> {
        let Some(root) = self.root else {
            return vec![self.name.clone()];
        };
        let components: Vec<_> = Path::new(&self.name).components().collect();
        let innermost = root.saturating_add(depth).min(components.len() - 1);
        (root..=innermost)
            .map(|len| components[..len].iter().collect::<PathBuf>().into())
            .collect()
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

    /// Returns the ratio with two decimals, or `-` without tokens.
    fn bytes_per_token(&self) -> String {
        match self.tokens {
            0 => "-".to_owned(),
            tokens => format!("{:.2}", ratio(self.bytes, tokens)),
        }
    }
}

impl Report {
    /// Sets the total to the sum of the rows.
    pub(crate) fn sum_rows(&mut self) {
        self.total = Row::sum(&self.rows);
    }

    /// Replaces the rows by one per extension. Files without an extension form a row with an empty name.
    pub(crate) fn group_by(&mut self, extension: impl Fn(&OsStr) -> Option<OsString>) {
        let mut groups: BTreeMap<OsString, Row> = BTreeMap::new();
        for row in &self.rows {
            let name = extension(&row.name).unwrap_or_default();
            groups.entry(name).or_default().add(row);
        }
        let named = groups.into_iter().map(|(name, row)| Row { name, ..row });
        self.rows = named.collect();
        self.kind = RowKind::Extension;
    }

    /// Replaces the rows of files in directories by one per directory, up to `depth` levels below the named ones. Each has
    /// the sum of all files in the directory. Rows of named files stay.
    pub(crate) fn group_by_folder(&mut self, depth: usize) {
        let mut groups: Vec<Row> = Vec::new();
        let mut places: HashMap<OsString, usize> = HashMap::new();
        for row in &self.rows {
            for name in row.folders(depth) {
                let place = *places.entry(name.clone()).or_insert_with(|| {
                    let group = Row {
                        name,
                        ..Row::default()
                    };
                    groups.push(group);
                    groups.len() - 1
                });
                groups[place].add(row);
            }
        }
        self.rows = groups;
        self.kind = RowKind::Folder;
    }

    /// Lists only the first `rows` rows, and sums up the others.
    pub(crate) fn list_first(&mut self, rows: usize) {
        let rest = self.rows.split_off(rows.min(self.rows.len()));
        // a sum of directories would count the files in inner ones several times
        if !rest.is_empty() && self.kind != RowKind::Folder {
            self.unlisted = Some((rest.len(), Row::sum(&rest)));
        }
    }

    /// Prints the table, with the share of `window` if there is one.
    pub(crate) fn print(&self, window: Option<&Window>, out: &mut impl Write) -> io::Result<()> {
        let listed = self.listed();
        if listed.is_empty() {
            return Ok(());
        }
        let is_grouped = self.kind != RowKind::File;
        let mut names = vec![self.kind.name().into()];
        let mut table = Table::new(if is_grouped { "rrrrn" } else { "rrrn" });
        let mut header = vec!["tokens", "bytes", "bytes/token"];
        if is_grouped {
            header.push("files");
        }
        let of_window = window.map(|window| format!("of {}", window.name));
        header.extend(of_window.as_deref());
        table.header(header);
        for (name, row) in listed {
            names.push(name);
            table.row(self.cells(&row, window));
        }
        let mut style = table.header_style().unwrap_or_default();
        for (line, name) in table.lines().zip(names) {
            write!(out, "{line}{style}")?;
            write_name(&name, out)?;
            writeln!(out, "{style:#}")?;
            style = Style::new();
        }
        Ok(())
    }

    /// Returns the lines of the table with their names: the rows, the sum of unlisted rows, and the total.
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
        if let Some((count, sum)) = &self.unlisted {
            listed.push((format!("({count} more)").into(), sum.clone()));
        }
        // as in `wc`, an input that failed counts towards having several; an empty directory has a total as well
        if self.total.files + self.failed != 1 {
            listed.push(("total".into(), self.total.clone()));
        }
        listed
    }

    /// Formats all columns except the name.
    fn cells(&self, row: &Row, window: Option<&Window>) -> Vec<String> {
        let mut cells = vec![
            row.tokens.to_string(),
            row.bytes.to_string(),
            row.bytes_per_token(),
        ];
        if self.kind != RowKind::File {
            cells.push(row.files.to_string());
        }
        cells.extend(window.map(|window| window.bar(row.tokens)));
        cells
    }

    /// Prints one JSON object.
    pub(crate) fn print_json(
        &self,
        encoding: &str,
        window: Option<&Window>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let rows = self.rows.iter();
        let rows = match self.kind {
            RowKind::File => JsonRows::Files(rows.map(JsonFile::of).collect()),
            RowKind::Extension => JsonRows::Extensions(rows.map(JsonGroup::of).collect()),
            RowKind::Folder => JsonRows::Folders(rows.map(JsonFolder::of).collect()),
        };
        let json = JsonReport {
            encoding,
            rows,
            total: JsonSum::of(&self.total),
            window: window.map(|window| JsonWindow {
                model: window.model(),
                context: window.size,
                used: window.share(self.total.tokens),
            }),
            more: self.unlisted.as_ref().map(|(rows, sum)| JsonMore {
                rows: *rows,
                sum: JsonSum::of(sum),
            }),
            refused: self.failed,
            binary: self.binary,
        };
        serde_json::to_writer(&mut *out, &json)?;
        writeln!(out)
    }
}

/// The output of `--json`, with its keys in this order.
#[derive(Serialize)]
struct JsonReport<'a> {
    encoding: &'a str,
    #[serde(flatten)]
    rows: JsonRows,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<JsonMore>,
    total: JsonSum,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<JsonWindow<'a>>,
    refused: usize,
    binary: usize,
}

/// The rows, under a key that says what they count.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum JsonRows {
    Files(Vec<JsonFile>),
    Extensions(Vec<JsonGroup>),
    Folders(Vec<JsonFolder>),
}

#[derive(Serialize)]
struct JsonFolder {
    path: String,
    #[serde(flatten)]
    sum: JsonSum,
}

/// The rows that `--top` does not list.
#[derive(Serialize)]
struct JsonMore {
    rows: usize,
    #[serde(flatten)]
    sum: JsonSum,
}

#[derive(Serialize)]
struct JsonFile {
    path: String,
    tokens: usize,
    bytes: usize,
}

#[derive(Serialize)]
struct JsonGroup {
    extension: Option<String>,
    #[serde(flatten)]
    sum: JsonSum,
}

#[derive(Serialize)]
struct JsonSum {
    files: usize,
    tokens: usize,
    bytes: usize,
}

#[derive(Serialize)]
struct JsonWindow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    context: usize,
    used: f64,
}

impl JsonFile {
    fn of(row: &Row) -> Self {
        Self {
            path: row.name.to_string_lossy().into_owned(),
            tokens: row.tokens,
            bytes: row.bytes,
        }
    }
}

impl JsonGroup {
    fn of(row: &Row) -> Self {
        let name = (!row.name.is_empty()).then(|| row.name.to_string_lossy().into_owned());
        Self {
            extension: name,
            sum: JsonSum::of(row),
        }
    }
}

impl JsonFolder {
    fn of(row: &Row) -> Self {
        Self {
            path: row.name.to_string_lossy().into_owned(),
            sum: JsonSum::of(row),
        }
    }
}

impl JsonSum {
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
