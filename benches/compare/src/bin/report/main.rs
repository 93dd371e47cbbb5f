//! Makes pictures and the speed table of the crate's README from what a run printed.

mod chart;
mod readme;
mod record;

use std::path::Path;
use std::{env, fs};

use chart::{Chart, THEMES};
use record::Record;

/// The encodings that have pictures.
const CHARTED: [&str; 2] = ["cl100k_base", "o200k_base"];

fn main() {
    let path = env::args_os()
        .nth(1)
        .expect("usage: report results/DATE.md");
    let record = Record::read(Path::new(&path));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    write_pictures(&here.join("pictures"), &record);
    write_table(&here.join("../../README.md"), &record);
}

fn write_pictures(folder: &Path, record: &Record) {
    fs::create_dir_all(folder).unwrap();
    for encoding in CHARTED {
        let Some(chart) = Chart::of(record, encoding) else {
            continue;
        };
        for theme in &THEMES {
            let path = folder.join(format!("{encoding}-{}.svg", theme.name));
            fs::write(path, chart.draw(theme).unwrap()).unwrap();
        }
    }
}

/// Only what stands between the two comments is changed.
fn write_table(path: &Path, record: &Record) {
    const START: &str = "<!-- speed -->\n";
    const END: &str = "<!-- /speed -->";
    let text = fs::read_to_string(path).unwrap();
    let (before, rest) = text
        .split_once(START)
        .expect("README.md has no mark for the table");
    let (_, after) = rest
        .split_once(END)
        .expect("README.md has no mark after the table");
    let table = readme::table(record);
    fs::write(path, format!("{before}{START}{table}{END}{after}")).unwrap();
}
