//! The speed table of `COMPARE.md`.

use crate::ENCODINGS;
use crate::record::{Figure, Record, Table};

const OURS: &str = "tiktally";

/// The encodings whose start-up is shown.
const FIRST_USE: [&str; 2] = ["cl100k_base", "o200k_base"];

/// The steps that measure new text: in Rust and in Python.
const FRESH: [&str; 2] = ["stream", "python"];

const HEADER: [&str; 8] = [
    "MB/s",
    ENCODINGS[0],
    ENCODINGS[1],
    ENCODINGS[2],
    ENCODINGS[3],
    "worst case, ms/MB",
    "start-up, CPU ms",
    "peak memory, MB",
];

pub fn table(record: &Record) -> String {
    let mut names = names(record);
    let speeds =
        |name: &str| ENCODINGS.map(|encoding| speed(record, encoding, name).unwrap_or(0.0));
    names.sort_by(|a, b| speeds(b).partial_cmp(&speeds(a)).unwrap());
    let rows = names.into_iter().map(|name| row(record, name));
    markdown(&HEADER, rows) + &legend(record)
}

/// Returns a table whose first column is text.
pub fn markdown(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: String| format!("| {cells} |\n");
    let below = format!("|---|{}\n", "---:|".repeat(header.len() - 1));
    let rows = rows.map(|cells| line(cells.join(" | ")));
    let header = line(header.join(" | "));
    [header, below].into_iter().chain(rows).collect()
}

/// Returns the names of all tokenizers in the tables, each once.
fn names(record: &Record) -> Vec<&str> {
    let mut names = Vec::new();
    for name in FRESH
        .iter()
        .flat_map(|step| record.tables(step))
        .flat_map(Table::names)
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn row(record: &Record, name: &str) -> Vec<String> {
    let speeds = ENCODINGS.map(|encoding| {
        let ours = speed(record, encoding, OURS);
        show_speed(speed(record, encoding, name), ours, name)
    });
    let shown = if name == OURS {
        format!("**{OURS} {}**", record.fact(OURS))
    } else {
        name.to_owned()
    };
    let rest = [
        hostile(record, name),
        first_use(record, name, "CPU ms"),
        first_use(record, name, "peak MB"),
    ];
    [shown].into_iter().chain(speeds).chain(rest).collect()
}

/// Returns the mean speed on new text.
fn speed<'a>(record: &'a Record, encoding: &str, name: &str) -> Figure<'a> {
    let tables = FRESH.iter().filter_map(|step| record.table(encoding, step));
    let speeds = tables.map(|table| table.mean(name));
    speeds
        .reduce(|one, other| if one == Err("-") { other } else { one })
        .unwrap_or(Err("-"))
}

fn show_speed(speed: Figure, ours: Figure, name: &str) -> String {
    match (speed, ours) {
        (Ok(speed), Ok(ours)) if name != OURS => {
            format!("{} ({}x)", short(speed), ratio(ours / speed))
        }
        _ => show(speed),
    }
}

/// Shows a ratio, with two decimals if it is close to one, so that a small lead is visible.
fn ratio(ratio: f64) -> String {
    if ratio < 1.095 {
        format!("{ratio:.2}")
    } else {
        short(ratio)
    }
}

/// Returns the slowest shape in any encoding, or a word for a worse result.
fn hostile(record: &Record, name: &str) -> String {
    let figures = record.tables("adv").flat_map(|table| table.figures(name));
    let figures = figures.filter(|figure| *figure != Err("-"));
    figures.reduce(worse).map_or_else(|| "-".to_owned(), show)
}

fn worse<'a>(one: Figure<'a>, other: Figure<'a>) -> Figure<'a> {
    let badness = |figure: Figure| match figure {
        Ok(figure) => (0, figure),
        Err("wrong") => (3, 0.0),
        Err("panics") => (2, 0.0),
        Err(_) => (1, 0.0),
    };
    if badness(one) < badness(other) {
        other
    } else {
        one
    }
}

fn first_use(record: &Record, name: &str, column: &str) -> String {
    let figure = |encoding| {
        let table = record.table(encoding, "cold");
        show(table.map_or(Err("-"), |table| table.figure(name, column)))
    };
    match FIRST_USE.map(figure) {
        [one, other] if one == other => one,
        figures => figures.join(" / "),
    }
}

fn show(figure: Figure) -> String {
    figure.map_or_else(str::to_owned, short)
}

pub fn short(number: f64) -> String {
    if number < 9.95 {
        format!("{number:.1}")
    } else {
        format!("{number:.0}")
    }
}

fn legend(record: &Record) -> String {
    let texts = |step| {
        record
            .tables(step)
            .next()
            .map_or(0, |table| table.texts().len())
    };
    format!(
        "\nSpeeds are MB of new text per second on one core: the geometric mean over {texts} texts. In brackets: how many \
         times as fast tiktally is. Worst case: the slowest of {shapes} adversarial inputs. Start-up and memory: CPU time \
         of a process until its first ids, and its peak memory, for {encodings}. `wrong`: on some text the ids differ \
         from tiktoken's. `panics`: on some text the call panics. `slow`: it takes more than ten seconds for an adversarial megabyte. \
         `-`: not available. {date}, {processor}, \
         {compiler}.\n",
        texts = texts("stream"),
        shapes = texts("adv"),
        encodings = FIRST_USE.join(" / "),
        date = record.date,
        processor = record.fact("processor"),
        compiler = record.compiler(),
    )
}
