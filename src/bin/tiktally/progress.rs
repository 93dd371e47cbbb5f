//! A progress bar for work that takes longer than a second.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The time before the bar appears. In shorter work, it would only flicker.
const DELAY: Duration = Duration::from_secs(1);

/// The look of the bar for files.
const BAR_TEMPLATE: &str = "{bar:30} {bytes} of {total_bytes} counted in {elapsed}";

/// The look of the bar for standard input and pipes, whose size is unknown.
const SPINNER_TEMPLATE: &str = "{spinner} {bytes} counted in {elapsed}";

/// A progress bar on standard error, if that is a terminal. Dropping it removes the bar.
pub(crate) struct Progress {
    bar: ProgressBar,
    done: Option<Sender<()>>,
    timer: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts the timer for work on this many bytes; 0 if the size is unknown.
    pub(crate) fn new(bytes: u64) -> Self {
        let template = if bytes == 0 {
            SPINNER_TEMPLATE
        } else {
            BAR_TEMPLATE
        };
        let style = ProgressStyle::with_template(template).expect("the template is valid");
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        bar.set_style(style);
        let (done, is_done) = mpsc::channel();
        let later = bar.clone();
        let timer = thread::spawn(move || {
            if let Err(RecvTimeoutError::Timeout) = is_done.recv_timeout(DELAY) {
                later.set_draw_target(ProgressDrawTarget::stderr());
                later.enable_steady_tick(DELAY / 10);
            }
        });
        Self {
            bar,
            done: Some(done),
            timer: Some(timer),
        }
    }

    /// Advances the bar by this many bytes.
    pub(crate) fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Prints something while the bar is hidden.
    pub(crate) fn suspend<R>(&self, print: impl FnOnce() -> R) -> R {
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done = None;
        // joined first: the timer must not show the bar after it is cleared
        let _ = self.timer.take().map(JoinHandle::join);
        self.bar.finish_and_clear();
    }
}
