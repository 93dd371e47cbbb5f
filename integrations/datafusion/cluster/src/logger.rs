//! The log of Ballista and DataFusion, as lines on standard error.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use log::{LevelFilter, Log, Metadata, Record};

/// The least severe lines that the log has.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Level {
    /// No lines.
    Off,
    /// Failures.
    Error,
    /// Also lost executors and repeated tasks.
    Warn,
    /// Also each job, stage and task.
    Info,
    /// Also plans.
    Debug,
}

/// Sends lines of this level and above to standard error.
pub fn start(level: Level) {
    let filter = match level {
        Level::Off => LevelFilter::Off,
        Level::Error => LevelFilter::Error,
        Level::Warn => LevelFilter::Warn,
        Level::Info => LevelFilter::Info,
        Level::Debug => LevelFilter::Debug,
    };
    static LOGGER: Logger = Logger;
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(filter);
    }
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let line = format!(
            "{} {:5} {}: {}\n",
            clock(now.as_secs()),
            record.level(),
            record.target(),
            record.args()
        );
        // One call for a line, so that threads do not mix theirs. A line that cannot be written is lost: the work goes on.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Returns the time of day in UTC.
fn clock(seconds: u64) -> String {
    let of_day = seconds % 86_400;
    format!(
        "{:02}:{:02}:{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn the_time_of_day_is_utc() {
        assert_eq!(clock(0), "00:00:00");
        assert_eq!(clock(86_400 + 3_661), "01:01:01");
    }
}
