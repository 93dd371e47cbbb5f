//! Counting cases and differences, on several threads.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::common::say;

/// The number of differences that a failing test shows.
const SHOWN: usize = 20;

/// The result for one golden file: the number of cases compared, and the differences.
#[derive(Debug, Default)]
pub(crate) struct Report {
    cases: usize,
    skipped: usize,
    differences: usize,
    shown: Vec<String>,
}

impl Report {
    /// Counts one more case.
    pub(crate) fn case(&mut self) {
        self.cases += 1;
    }

    /// Returns the number of cases so far.
    pub(crate) fn cases(&self) -> usize {
        self.cases
    }

    /// Counts one more case whose encoding is not compiled in.
    pub(crate) fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Notes a difference if `ok` is false.
    pub(crate) fn check(&mut self, ok: bool, what: impl FnOnce() -> String) {
        if !ok {
            self.differences += 1;
            if self.shown.len() < SHOWN {
                self.shown.push(what());
            }
        }
    }

    /// Notes a difference if the two are not equal.
    #[allow(clippy::needless_pass_by_value)] // reads better at the many calls
    pub(crate) fn equal<L, R>(&mut self, ours: L, golden: R, what: impl FnOnce() -> String)
    where
        L: PartialEq<R> + Debug,
        R: Debug,
    {
        self.check(ours == golden, || {
            format!("{}\n  ours:   {ours:?}\n  golden: {golden:?}", what())
        });
    }

    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.skipped += other.skipped;
        self.differences += other.differences;
        self.shown.extend(other.shown);
        self.shown.truncate(SHOWN);
    }

    /// Prints the result and panics if there is a difference.
    pub(crate) fn finish(self, title: &str) {
        let skipped = match self.skipped {
            0 => String::new(),
            n => format!(", {n} skipped (vocabulary not compiled in)"),
        };
        say(&format!(
            "golden {title}: {} cases, {} differences{skipped}",
            self.cases, self.differences
        ));
        assert!(
            self.differences == 0,
            "{title}: {} differences, among them\n{}",
            self.differences,
            self.shown.join("\n")
        );
        assert!(self.cases + self.skipped > 0, "{title}: no case at all");
    }
}

/// Runs the jobs on at least two threads; each thread takes the next job that is left.
pub(crate) fn in_parallel<T: Sync>(jobs: &[T], run: impl Fn(&T, &mut Report) + Sync) -> Report {
    let threads = thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 16));
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Report::default()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut report = Report::default();
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(job, &mut report);
                }
                total
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(report);
            });
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}
