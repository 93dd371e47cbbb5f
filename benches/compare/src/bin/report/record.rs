//! Reads a record, which is the output of a run.

use std::fs;
use std::path::Path;

const MEAN: &str = "geometric mean";

pub struct Record {
    /// The first part of the file's name, `2026-11-28`.
    pub date: String,
    /// The rest of the file's name without its extension: nothing, or `-free` for other texts.
    pub kind: String,
    /// Facts about the program and the machine: names and values.
    facts: Vec<(String, String)>,
    tables: Vec<Table>,
}

pub struct Table {
    encoding: String,
    step: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A figure, or the word in its place.
pub type Figure<'a> = Result<f64, &'a str>;

impl Record {
    pub fn read(path: &Path) -> Self {
        const DATE_BYTES: usize = "2026-11-28".len();
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        let (date, kind) = name.split_at(DATE_BYTES);
        let facts = text
            .lines()
            .filter_map(|line| line.strip_prefix("- ")?.split_once(": "));
        Self {
            date: date.to_owned(),
            kind: kind.to_owned(),
            facts: facts
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            tables: tables(&text),
        }
    }

    pub fn fact(&self, name: &str) -> &str {
        let fact = self.facts.iter().find(|(key, _)| key == name);
        fact.map_or("unknown", |(_, value)| value)
    }

    /// Returns the compiler's name and version, without the part in brackets.
    pub fn compiler(&self) -> &str {
        let compiler = self.fact("compiler");
        compiler.split_once(" (").map_or(compiler, |(name, _)| name)
    }

    pub fn table(&self, encoding: &str, step: &str) -> Option<&Table> {
        self.tables_of(encoding, step).next()
    }

    /// Returns the tables of a step, which has one for each size of its inputs.
    pub fn tables_of(&self, encoding: &str, step: &str) -> impl Iterator<Item = &Table> {
        self.tables(step)
            .filter(move |table| table.encoding == encoding)
    }

    pub fn tables(&self, step: &str) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(move |table| table.step == step)
    }
}

fn tables(text: &str) -> Vec<Table> {
    let (mut encoding, mut step) = ("", "");
    let mut tables: Vec<Table> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let row = cells(line);
        if let Some(name) = line.strip_prefix("# ") {
            encoding = name;
        } else if let Some(name) = line.strip_prefix("## ") {
            step = name;
        } else if let (true, Some(row), Some(table)) = (inside, &row, tables.last_mut()) {
            table.rows.push(row.clone());
        } else if let Some(header) = &row {
            tables.push(Table::new(encoding, step, header));
        }
        inside = row.is_some();
    }
    tables
}

fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(line.split('|').map(|cell| cell.trim().to_owned()).collect())
}

impl Table {
    fn new(encoding: &str, step: &str, header: &[String]) -> Self {
        Self {
            encoding: encoding.to_owned(),
            step: step.to_owned(),
            header: header.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Returns the table with other names for the first columns.
    pub fn markdown(&self, columns: &[&str]) -> String {
        let others = self.header.iter().skip(columns.len()).map(String::as_str);
        let header: Vec<_> = columns.iter().copied().chain(others).collect();
        let rows = self.rows.iter().map(|row| row.join(" | "));
        let lines = [header.join(" | ")].into_iter().chain(rows);
        lines.map(|line| format!("| {line} |\n")).collect()
    }

    /// Returns the tokenizers, without the line below the header and the sums.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.rows.iter().map(|row| row[0].as_str());
        names.filter(|name| !name.starts_with("---") && !name.starts_with("**"))
    }

    /// Returns the texts: the columns before the mean.
    pub fn texts(&self) -> &[String] {
        let mean = self.header.iter().position(|column| column == MEAN);
        &self.header[1..mean.unwrap_or(1)]
    }

    /// Returns the cell of a row and a column.
    fn cell(&self, name: &str, column: &str) -> Option<&str> {
        let row = self.rows.iter().find(|row| row[0] == name)?;
        let at = self.header.iter().position(|header| header == column)?;
        Some(&row[at])
    }

    /// Returns the ratio of a row for a column, if it has one: `1.10x`.
    fn ratio(&self, name: &str, column: &str) -> Option<f64> {
        self.cell(name, column)?.strip_suffix('x')?.parse().ok()
    }

    /// Returns the ratios of a row for the texts that have one.
    pub fn ratios(&self, name: &str) -> Vec<f64> {
        let texts = self.texts().iter();
        texts.filter_map(|text| self.ratio(name, text)).collect()
    }

    /// Returns the ratio of a row for the means of all texts.
    pub fn mean_ratio(&self, name: &str) -> Option<f64> {
        self.ratio(name, MEAN)
    }

    /// Returns a figure, or `-` for a tokenizer that is not in the table.
    pub fn figure(&self, name: &str, column: &str) -> Figure<'_> {
        let cell = self.cell(name, column).unwrap_or("-");
        cell.parse().map_err(|_| cell)
    }

    /// Returns the figures for all texts.
    pub fn figures(&self, name: &str) -> impl Iterator<Item = Figure<'_>> {
        self.texts().iter().map(move |text| self.figure(name, text))
    }

    /// Returns the geometric mean, or the word that a text has in place of a figure.
    pub fn mean(&self, name: &str) -> Figure<'_> {
        let word = self.figures(name).find_map(Result::err);
        word.map_or_else(|| self.figure(name, MEAN), Err)
    }
}
