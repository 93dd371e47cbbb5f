//! Draws the pictures and writes the tables of the crate's `COMPARE.md` from a record: speeds and chat requests.

mod chart;
mod leads;
mod record;
mod speeds;

use std::path::Path;
use std::{env, fs};

use chart::{Chart, THEMES};
use record::Record;

/// The columns of the tables.
const ENCODINGS: [&str; 4] = ["cl100k_base", "o200k_base", "r50k_base", "p50k_base"];

/// The encodings that have pictures.
const CHARTED: [&str; 2] = ["cl100k_base", "o200k_base"];

/// The first columns of the table of requests, in place of the record's shorter names.
const BILLS: [&str; 6] = [
    "requests with",
    "recorded",
    "exact",
    "correct estimate",
    "refused, or wrong estimate",
    "wrong",
];

fn main() {
    let path = env::args_os()
        .nth(1)
        .expect("usage: report results/DATE.md or DATE-free.md");
    let record = Record::read(Path::new(&path));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    write_pictures(&here.join("pictures"), &record);
    let page = here.join("../../COMPARE.md");
    let tables = [
        ("speed", speeds::table(&record)),
        ("leads", leads::table(&record)),
    ];
    for (mark, table) in tables {
        write_table(&page, &format!("{mark}{}", record.kind), &table);
    }
    if let Some(bills) = record.table("requests", "bills") {
        write_table(&page, "bills", &bills.markdown(&BILLS));
    }
}

fn write_pictures(folder: &Path, record: &Record) {
    fs::create_dir_all(folder).unwrap();
    for encoding in CHARTED {
        let Some(chart) = Chart::of(record, encoding) else {
            continue;
        };
        for theme in &THEMES {
            let path = folder.join(format!("{encoding}{}-{}.svg", record.kind, theme.name));
            fs::write(path, chart.draw(theme).unwrap()).unwrap();
        }
    }
}

/// Replaces the text between two comments and nothing else.
fn write_table(path: &Path, mark: &str, table: &str) {
    let marks = [format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->")];
    let text = fs::read_to_string(path).unwrap();
    let parts = marks.iter().map(|mark| text.find(mark.as_str()));
    let [Some(start), Some(end)] = parts.collect::<Vec<_>>()[..] else {
        panic!("{} has no marks for the table: {marks:?}", path.display());
    };
    let (before, after) = (&text[..start + marks[0].len()], &text[end..]);
    fs::write(path, format!("{before}{table}{after}")).unwrap();
}
