//! The table of the bench.

use std::fmt::Write;

use super::corpus::Corpus;
use super::steps::{Cost, Step};
use crate::problem::{Problem, Result};

/// The costs of all rounds, with checks of their totals.
pub(super) struct Report {
    title: String,
    costs: Vec<(Step, Cost)>,
}

impl Report {
    pub(super) fn new(corpus: &Corpus) -> Self {
        let documents: u64 = corpus.files.iter().map(|file| file.documents).sum();
        let nulls: u64 = corpus.files.iter().map(|file| file.nulls).sum();
        let title = format!(
            "{documents} documents ({nulls} without text), {} files, {:.1} MB of text, o200k_base",
            corpus.files.len(),
            corpus.bytes() as f64 / 1e6
        );
        Self {
            title,
            costs: Vec::new(),
        }
    }

    /// Adds the cost of a step if its total is that of the other steps.
    pub(super) fn add(&mut self, step: &Step, cost: Cost) -> Result<()> {
        if cost.tokens.is_empty() {
            return Err(Problem::new(format!("{} printed no total", step.name())));
        }
        for (other, earlier) in &self.costs {
            let (mine, theirs) = common(&cost.tokens, &earlier.tokens, step, other);
            if mine != theirs {
                return Err(Problem::new(format!(
                    "{} counted {mine} tokens, {} {theirs}",
                    step.name(),
                    other.name()
                )));
            }
        }
        self.costs.push((step.clone(), cost));
        Ok(())
    }

    /// Returns the table, and the scaling from one partition to several.
    pub(super) fn markdown(&self, steps: &[Step]) -> String {
        let mut text = format!("{}\n\n", self.title);
        text.push_str(
            "| | MB per CPU s | wall s | CPU over direct | core-hours per TB | peak memory, MB |\n",
        );
        text.push_str("|---|---:|---:|---:|---:|---:|\n");
        for step in steps {
            let rates = self.all(step, |cost| cost.bytes as f64 / 1e6 / cost.cpu);
            let walls = self.all(step, |cost| cost.wall);
            let _ = writeln!(
                text,
                "| {} | {:.1} ({:.1} to {:.1}) | {:.2} | {} | {:.1} | {} |",
                step.name(),
                median(&rates),
                rates.first().copied().unwrap_or_default(),
                rates.last().copied().unwrap_or_default(),
                median(&walls),
                self.overhead(step),
                1e6 / median(&rates) / 3600.0,
                self.peaks(step)
            );
        }
        text + &self.scaling(steps)
    }

    /// Returns the costs of a step, round by round.
    fn costs_of(&self, step: &Step) -> impl Iterator<Item = &Cost> {
        let costs = self.costs.iter().filter(move |(other, _)| other == step);
        costs.map(|(_, cost)| cost)
    }

    /// Returns a figure of all rounds of a step, sorted.
    fn all(&self, step: &Step, figure: impl Fn(&Cost) -> f64) -> Vec<f64> {
        let mut figures: Vec<f64> = self.costs_of(step).map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures
    }

    /// Returns the CPU time over that of the direct call for the same bytes, in per cent: the median of the rounds, since
    /// the two runs of a round are neighbours in time.
    fn overhead(&self, step: &Step) -> String {
        let per_byte = |cost: &Cost| cost.cpu / cost.bytes as f64;
        let rounds = self.costs_of(step).zip(self.costs_of(&Step::Direct));
        let mut ratios: Vec<f64> = rounds
            .map(|(own, direct)| per_byte(own) / per_byte(direct))
            .collect();
        ratios.sort_by(f64::total_cmp);
        match step {
            Step::Direct => String::new(),
            _ => format!("{:+.1} %", 100.0 * (median(&ratios) - 1.0)),
        }
    }

    /// Returns the most memory of each process, over all rounds.
    fn peaks(&self, step: &Step) -> String {
        let costs: Vec<&Cost> = self.costs_of(step).collect();
        let Some(first) = costs.first() else {
            return String::new();
        };
        let of_process =
            |i: usize| costs.iter().map(|cost| cost.peaks[i].1).max().unwrap_or(0) as f64 / 1e6;
        let peaks = first.peaks.iter().enumerate();
        let peaks: Vec<String> = peaks
            .map(|(i, (name, _))| format!("{name} {:.0}", of_process(i)).trim().to_owned())
            .collect();
        peaks.join(", ")
    }

    /// Returns how much sooner several partitions are done than one.
    fn scaling(&self, steps: &[Step]) -> String {
        let one = self.all(&Step::Engine { partitions: 1 }, |cost| cost.wall);
        let several = steps.iter().find_map(|step| match step {
            Step::Engine { partitions } if *partitions > 1 => {
                Some((partitions, self.all(step, |cost| cost.wall)))
            }
            _ => None,
        });
        match several {
            Some((partitions, walls)) => format!(
                "\nFrom 1 partition to {partitions}: {:.2} times as fast by wall time.\n",
                median(&one) / median(&walls)
            ),
            None => String::new(),
        }
    }
}

/// Returns the totals that two steps can compare: of all files, or of the first ones, which tiktoken counts.
fn common(mine: &[u64], theirs: &[u64], step: &Step, other: &Step) -> (u64, u64) {
    let is_tiktoken = |step: &Step| matches!(step, Step::Tiktoken { .. });
    let has_files = |step: &Step| is_tiktoken(step) || *step == Step::Direct;
    let files = if has_files(step) && has_files(other) {
        mine.len().min(theirs.len())
    } else if is_tiktoken(step) || is_tiktoken(other) {
        0
    } else {
        usize::MAX
    };
    (
        mine.iter().take(files).sum(),
        theirs.iter().take(files).sum(),
    )
}

/// Returns the middle one of sorted figures, or the mean of the middle two.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn report() -> Report {
        Report {
            title: "title".to_owned(),
            costs: Vec::new(),
        }
    }

    fn cost(tokens: &[u64], cpu: f64) -> Cost {
        Cost {
            tokens: tokens.to_vec(),
            bytes: 100_000_000,
            cpu,
            wall: cpu,
            peaks: vec![(String::new(), 5_000_000)],
        }
    }

    #[test]
    fn totals_must_agree() {
        let tiktoken = Step::Tiktoken {
            python: PathBuf::new(),
            files: 1,
        };
        let mut report = report();
        report.add(&Step::Direct, cost(&[3, 4], 1.0)).unwrap();
        report
            .add(&Step::Engine { partitions: 1 }, cost(&[7], 1.0))
            .unwrap();
        report.add(&tiktoken, cost(&[3], 1.0)).unwrap();
        assert!(report.add(&tiktoken, cost(&[4], 1.0)).is_err());
        assert!(
            report
                .add(&Step::Engine { partitions: 2 }, cost(&[8], 1.0))
                .is_err()
        );
        assert!(report.add(&Step::Direct, cost(&[], 1.0)).is_err());
    }

    #[test]
    fn the_table_has_rates_overheads_and_scaling() {
        let mut report = report();
        let steps = [
            Step::Direct,
            Step::Engine { partitions: 1 },
            Step::Engine { partitions: 2 },
        ];
        for (step, cpu) in steps.iter().zip([2.0, 2.2, 1.1]) {
            report.add(step, cost(&[7], cpu)).unwrap();
        }
        let text = report.markdown(&steps);
        assert!(
            text.contains(
                "| tiktally called directly, 1 thread | 50.0 (50.0 to 50.0) | 2.00 |  | 5.6 | 5 |"
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "| DataFusion, 1 partition | 45.5 (45.5 to 45.5) | 2.20 | +10.0 % | 6.1 | 5 |"
            ),
            "{text}"
        );
        assert!(text.contains("From 1 partition to 2: 2.00 times"), "{text}");
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[1.0, 2.0]) - 1.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }
}
