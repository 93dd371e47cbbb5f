//! The table of all steps in `COMPARE.md`: this crate's speed divided by that of the best other tokenizer.

use crate::ENCODINGS;
use crate::record::{Record, Table};
use crate::speeds::{markdown, short};

/// The record's row of ratios.
const RATIOS: &str = "**ours over the best**";

/// A task, its step, and the place of its table among those of the step.
const TASKS: [(&str, &str, usize); 14] = [
    ("new text", "stream", 0),
    ("documents of 4 KB", "docs", 0),
    ("strings of 1,000 bytes", "latency", 4),
    ("strings of 300 bytes", "latency", 3),
    ("strings of 100 bytes", "latency", 2),
    ("strings of 50 bytes", "latency", 1),
    ("strings of 13 bytes", "latency", 0),
    ("repeated text", "steady", 0),
    ("text without a repeated word", "distinct", 0),
    ("adversarial text, by shape", "adv", 0),
    ("decoding", "decode", 0),
    ("counting", "count", 0),
    ("counting up to 1,000 tokens of texts of 20 KB", "limits", 0),
    ("chat requests of ten messages", "chat", 0),
];

/// Returns a line for each task that the record has.
pub fn table(record: &Record) -> String {
    let rows = TASKS.iter().filter_map(|(task, step, place)| {
        let cells = ENCODINGS.map(|encoding| {
            let table = record.tables_of(encoding, step).nth(*place);
            table.and_then(cell)
        });
        if cells.iter().all(Option::is_none) {
            return None;
        }
        let cells = cells.map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
        Some([&[(*task).to_owned()], &cells[..]].concat())
    });
    markdown(&[&["task"], &ENCODINGS[..]].concat(), rows)
}

/// Returns the ratio of the means, if all tokenizers have figures for all texts, and those of the texts.
fn cell(table: &Table) -> Option<String> {
    let mut texts = table.ratios(RATIOS);
    texts.sort_by(f64::total_cmp);
    let range = format!("{} to {}", shown(*texts.first()?), shown(*texts.last()?));
    Some(match table.mean_ratio(RATIOS) {
        Some(mean) => format!("**{}** ({range})", shown(mean)),
        None => range,
    })
}

/// Shows two decimals where they matter.
fn shown(ratio: f64) -> String {
    if ratio < 1.995 {
        format!("{ratio:.2}")
    } else {
        short(ratio)
    }
}
