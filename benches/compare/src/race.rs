//! The measuring core: all entrants get the same inputs, in turn, round after round.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// An entrant that takes longer than this in one race is dropped, so that it does not hold up the others for hours.
const PATIENCE: Duration = Duration::from_secs(60);

/// The clock.
#[derive(Clone, Copy)]
pub enum Clock {
    /// CPU time of the process: helper threads count, and other programs do not.
    Cpu,
    /// Wall time, for work on several threads.
    Wall,
}

/// A tokenizer in a race.
pub struct Entrant<'a, I> {
    pub name: String,
    pub call: Call<'a, I>,
}

/// The work on an input. Returns the number of ids or bytes, or `None` if there is no such call.
pub type Call<'a, I> = Box<dyn Fn(&I) -> Option<usize> + 'a>;

/// The inputs of one turn, and their amount in the unit of the table: megabytes or calls.
pub struct Round<I> {
    pub inputs: Vec<I>,
    pub units: f64,
}

/// Units per second, or the reason why there is no figure.
pub type Speed = Result<f64, &'static str>;

/// Returns the speeds of all entrants. One that gives another number of ids or bytes than the first is wrong.
pub fn race<I>(clock: Clock, entrants: &[Entrant<I>], rounds: &[Round<I>]) -> Vec<Speed> {
    let mut times = vec![Ok(Duration::ZERO); entrants.len()];
    for (r, round) in rounds.iter().enumerate() {
        let mut given = vec![None; entrants.len()];
        for i in 0..entrants.len() {
            // the first place rotates
            let at = (i + r) % entrants.len();
            let run = |so_far| run(clock, &entrants[at], round, so_far);
            let result = times[at].and_then(run);
            given[at] = result.ok().map(|(given, _)| given);
            times[at] = result.map(|(_, time)| time);
        }
        for (time, given_here) in times.iter_mut().zip(&given) {
            if time.is_ok() && *given_here != given[0] {
                *time = Err("wrong");
            }
        }
    }
    let units: f64 = rounds.iter().map(|round| round.units).sum();
    let speed = |time: Duration| units / time.as_secs_f64();
    times.into_iter().map(|time| time.map(speed)).collect()
}

/// Returns the number of ids or bytes of a round, and the entrant's time after it.
fn run<I>(
    clock: Clock,
    entrant: &Entrant<I>,
    round: &Round<I>,
    so_far: Duration,
) -> Result<(usize, Duration), &'static str> {
    let calls = || round.inputs.iter().map(&entrant.call).sum();
    let (given, time) = clock.time(|| caught(calls));
    match (given?, so_far + time) {
        (None, _) => Err("-"),
        (Some(_), time) if time > PATIENCE => Err("slow"),
        (Some(given), time) => Ok((given, time)),
    }
}

/// Catches panics: some tokenizers panic on adversarial text.
pub fn caught<T>(call: impl FnOnce() -> T) -> Result<T, &'static str> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| "panics")
}

impl Clock {
    fn time<T>(self, call: impl FnOnce() -> T) -> (T, Duration) {
        match self {
            Self::Cpu => {
                let start = ProcessTime::now();
                (call(), start.elapsed())
            }
            Self::Wall => {
                let start = Instant::now();
                (call(), start.elapsed())
            }
        }
    }
}
