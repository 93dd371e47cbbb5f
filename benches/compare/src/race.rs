//! The measuring core: all entrants get the same inputs, in turn, round after round.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// An entrant that takes longer than this in one race is dropped, so that it does not hold up the others for hours.
const PATIENCE: Duration = Duration::from_secs(60);

/// The clock.
#[derive(Clone, Copy)]
pub enum Clock {
    /// CPU time of the process: helper threads count, and other programs do not. The speed is that of all rounds together.
    Cpu,
    /// Wall time, for work on several threads. Other programs interrupt threads now and then, so the speed is the
    /// median of the rounds'.
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

/// Returns the speeds of all entrants. One that gives another number of ids or bytes than the first is wrong, as long as the
/// first gives any.
pub fn race<I>(clock: Clock, entrants: &[Entrant<I>], rounds: &[Round<I>]) -> Vec<Speed> {
    // the time of each round
    let mut times = vec![Ok(Vec::new()); entrants.len()];
    for (r, round) in rounds.iter().enumerate() {
        let mut given = vec![None; entrants.len()];
        for i in 0..entrants.len() {
            // the first place rotates
            let at = (i + r) % entrants.len();
            if let Ok(so_far) = &mut times[at] {
                match run(clock, &entrants[at], round, so_far) {
                    Ok(count) => given[at] = Some(count),
                    Err(why) => times[at] = Err(why),
                }
            }
        }
        for (times, given_here) in times.iter_mut().zip(&given) {
            if times.is_ok() && given[0].is_some() && *given_here != given[0] {
                *times = Err("wrong");
            }
        }
    }
    let speed = |times: Result<Vec<Duration>, _>| Ok(clock.speed(rounds, &times?));
    times.into_iter().map(speed).collect()
}

/// Returns the number of ids or bytes of a round, and appends the entrant's time to those of the rounds before.
fn run<I>(
    clock: Clock,
    entrant: &Entrant<I>,
    round: &Round<I>,
    so_far: &mut Vec<Duration>,
) -> Result<usize, &'static str> {
    let calls = || round.inputs.iter().map(&entrant.call).sum();
    let (given, time) = clock.time(|| caught(calls));
    so_far.push(time);
    match given? {
        None => Err("-"),
        Some(_) if so_far.iter().sum::<Duration>() > PATIENCE => Err("slow"),
        Some(given) => Ok(given),
    }
}

/// Catches panics: some tokenizers panic on adversarial text.
pub fn caught<T>(call: impl FnOnce() -> T) -> Result<T, &'static str> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| "panics")
}

impl Clock {
    /// Returns the units per second, from the time of each round.
    fn speed<I>(self, rounds: &[Round<I>], times: &[Duration]) -> f64 {
        match self {
            Self::Cpu => {
                let units: f64 = rounds.iter().map(|round| round.units).sum();
                units / times.iter().sum::<Duration>().as_secs_f64()
            }
            Self::Wall => {
                let speeds = rounds.iter().zip(times);
                let speeds = speeds.map(|(round, time)| round.units / time.as_secs_f64());
                median(speeds.collect())
            }
        }
    }

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

/// Returns the middle one, or the mean of the two in the middle.
fn median(mut of: Vec<f64>) -> f64 {
    of.sort_unstable_by(f64::total_cmp);
    let middle = of.len() / 2;
    (of[middle] + of[of.len() - 1 - middle]) / 2.0
}
