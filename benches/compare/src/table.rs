//! Tables of speeds, as markdown, with the ratio of this crate's speed to each.

use crate::race::Speed;

/// The unit in which a speed is shown.
#[derive(Clone, Copy)]
pub enum Unit {
    MegabytesPerSecond,
    MillisecondsPerMegabyte,
    NanosecondsPerCall,
}

impl Unit {
    fn show(self, speed: f64) -> String {
        match self {
            Self::MegabytesPerSecond => format!("{speed:.1}"),
            Self::MillisecondsPerMegabyte => format!("{:.2}", 1e3 / speed),
            Self::NanosecondsPerCall => format!("{:.0}", 1e9 / speed),
        }
    }
}

/// The speeds of some entrants, this crate first, on some texts.
pub struct Table {
    title: String,
    unit: Unit,
    columns: Vec<String>,
    /// An entrant's name and its speed in each column.
    rows: Vec<(String, Vec<Speed>)>,
}

impl Table {
    pub fn new(title: &str, unit: Unit) -> Self {
        Self {
            title: title.to_owned(),
            unit,
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a column: the speeds of the same entrants on another text.
    pub fn add(&mut self, column: &str, speeds: Vec<(String, Speed)>) {
        self.columns.push(column.to_owned());
        for (i, (name, speed)) in speeds.into_iter().enumerate() {
            if self.rows.len() == i {
                self.rows.push((name, Vec::new()));
            }
            self.rows[i].1.push(speed);
        }
    }

    pub fn print(&self) {
        let header = [self.title.clone()].into_iter().chain(self.columns.clone());
        let header = header.chain(["geometric mean".into(), "ours over it".into()]);
        let can = |(_, speeds): &&(String, Vec<Speed>)| speeds.iter().any(|s| *s != Err("-"));
        let rows = self.rows.iter().filter(can);
        let rows = rows.map(|(name, speeds)| self.row(name, speeds));
        markdown(
            &header.collect::<Vec<_>>(),
            rows.chain([self.over_the_best()]),
        );
    }

    fn row(&self, name: &str, speeds: &[Speed]) -> Vec<String> {
        let show = |speed: Speed| speed.map_or_else(str::to_owned, |speed| self.unit.show(speed));
        let ours = self.rows[0].1.as_slice();
        let over = mean(ours).and_then(|ours| Ok(times(ours / mean(speeds)?)));
        let cells = speeds.iter().copied().chain([mean(speeds)]).map(show);
        let cells = [name.to_owned()].into_iter().chain(cells);
        cells.chain([over.unwrap_or_default()]).collect()
    }

    /// Returns this crate's speed divided by that of the fastest other one: by column, and of the means.
    fn over_the_best(&self) -> Vec<String> {
        let best = |speed: &dyn Fn(&[Speed]) -> Speed| {
            let others = self.rows.iter().filter(|(name, _)| !is_ours(name));
            let best = others
                .filter_map(|(_, speeds)| speed(speeds).ok())
                .reduce(f64::max);
            let ours = speed(&self.rows[0].1).ok();
            let over = ours.zip(best).map(|(ours, best)| times(ours / best));
            over.unwrap_or_default()
        };
        let columns = (0..self.columns.len()).map(|i| best(&|speeds| speeds[i]));
        let cells = ["**ours over the best**".to_owned()].into_iter();
        let cells = cells.chain(columns).chain([best(&mean), String::new()]);
        cells.collect()
    }
}

/// Returns whether a row is ours; there may be several.
fn is_ours(name: &str) -> bool {
    name.starts_with("tiktally")
}

/// Returns the geometric mean, if there is a figure for each text.
fn mean(speeds: &[Speed]) -> Speed {
    let logarithms: Result<Vec<f64>, _> = speeds.iter().map(|speed| speed.map(f64::ln)).collect();
    let logarithms = logarithms.map_err(|_| "")?;
    Ok((logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
}

pub fn times(ratio: f64) -> String {
    format!("{ratio:.2}x")
}

/// Prints a table whose first column is text.
pub fn markdown(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) {
    println!("\n| {} |", header.join(" | "));
    println!("|---|{}", "---:|".repeat(header.len() - 1));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}
