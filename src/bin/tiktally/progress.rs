//! A bar for work that takes longer than a second.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Below this, a bar would only flicker.
const SOON: Duration = Duration::from_secs(1);

/// For files.
const BAR: &str = "{bar:30} {bytes} of {total_bytes} counted in {elapsed}";

/// For what has no size, standard input or a pipe.
const SPINNER: &str = "{spinner} {bytes} counted in {elapsed}";

/// How much of the work is done. The bar is on standard error, if that is a terminal, and gone with this.
pub(crate) struct Progress {
    bar: ProgressBar,
    done: Option<Sender<()>>,
    timer: Option<JoinHandle<()>>,
}

impl Progress {
    pub(crate) fn of(bytes: u64) -> Self {
        let look = if bytes == 0 { SPINNER } else { BAR };
        let style = ProgressStyle::with_template(look).expect("the template is right");
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        bar.set_style(style);
        let (done, is_done) = mpsc::channel();
        let later = bar.clone();
        let timer = thread::spawn(move || {
            if let Err(RecvTimeoutError::Timeout) = is_done.recv_timeout(SOON) {
                later.set_draw_target(ProgressDrawTarget::stderr());
                later.enable_steady_tick(SOON / 10);
            }
        });
        Self {
            bar,
            done: Some(done),
            timer: Some(timer),
        }
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done = None;
        // it draws nothing more after this
        let _ = self.timer.take().map(JoinHandle::join);
        self.bar.finish_and_clear();
    }
}
