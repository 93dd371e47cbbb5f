//! The memory that threads keep, and its limit.

use std::cell::Cell;
use std::sync::{Mutex, TryLockError};

use super::{ENGINE, Engine};
use crate::merge::cache::{self, Limit};

/// Sets the limit of each thread's cache of merged pieces, in bytes. Without this call it is 16 MiB.
///
/// A thread that encodes or counts keeps one cache for all encodings. It begins with up to 2 MiB. Only while most of the
/// pieces that it takes had been overwritten before, it doubles. An [`Encoder`](crate::Encoder) has a cache of its own,
/// which has the same limit unless [`with_cache_bytes`](crate::Encoder::with_cache_bytes) sets another.
///
/// A cache takes no more than the largest power of two within `bytes`, and no more than 16 MiB. Less than 16 KiB switches
/// it off. From 1 MiB on, 16 KiB more watch which pieces come back. The limit changes speed and memory, never an id.
/// Addresses for the whole limit are reserved when a cache doubles for the first time; memory is taken as it fills.
///
/// It holds for existing caches too: they do not grow beyond it. A larger cache frees all its memory and begins anew,
/// when it next checks its size: at the latest when it is full. To free the memory of an idle thread, use
/// [`release_thread_cache`].
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// tiktally::set_cache_bytes(1 << 20); // a MiB a thread
/// assert_eq!(tiktally::cl100k_base().count("hello world"), 2);
/// # }
/// ```
pub fn set_cache_bytes(bytes: usize) {
    cache::set_process_limit(bytes);
}

/// Frees the memory that this thread keeps for encoding and counting: its cache of merged pieces, and scratch memory.
///
/// The thread's next call makes them anew. Other threads, and every [`Encoder`](crate::Encoder), keep theirs. When a
/// thread ends, its memory is freed without this call.
///
/// Frees also what the threads of [`encode_batch_flat`](crate::Encoding::encode_batch_flat) left for its next call: up to 64
/// times as much.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// assert_eq!(tiktally::cl100k_base().count("hello world"), 2);
/// tiktally::release_thread_cache();
/// assert_eq!(tiktally::cl100k_base().count("hello world"), 2);
/// # }
/// ```
pub fn release_thread_cache() {
    drop(take_engine());
    with_kept(Vec::clear);
}

/// The engines of threads that ended, for those of a later call.
#[allow(clippy::vec_box)] // an engine is made and passed on as a box
static KEPT: Mutex<Vec<Box<Engine>>> = Mutex::new(Vec::new());

/// The most engines that are kept. Calls with more threads make some of theirs anew.
const MAX_KEPT: usize = 64;

/// Takes the engine of this thread, unless a call uses it. When destructors of other thread-local values run at the end
/// of the thread, it is gone.
#[inline(always)]
fn take_engine() -> Option<Box<Engine>> {
    ENGINE.try_with(Cell::take).ok().flatten()
}

/// Returns the engine of this thread, or a new one while another call uses that.
#[inline(always)]
pub(crate) fn thread_engine() -> Box<Engine> {
    take_engine().unwrap_or_else(|| Engine::new(Limit::Process))
}

/// Gives this thread its engine back.
#[inline(always)]
pub(crate) fn return_thread_engine(engine: Box<Engine>) {
    let _ = ENGINE.try_with(|place| place.set(Some(engine)));
}

/// Returns an engine that was kept, or a new one.
pub(crate) fn kept_engine() -> Box<Engine> {
    let kept = with_kept(Vec::pop).flatten();
    kept.unwrap_or_else(|| Engine::new(Limit::Process))
}

/// Keeps an engine for a later call.
pub(crate) fn keep_engine(engine: Box<Engine>) {
    with_kept(|engines| {
        if engines.len() < MAX_KEPT {
            engines.push(engine);
        }
    });
}

/// Calls `call` with the engines that are kept, except while another thread uses them.
///
/// Nothing waits for the lock: after a fork, the thread that held it may not exist.
#[allow(clippy::vec_box)]
fn with_kept<T>(call: impl FnOnce(&mut Vec<Box<Engine>>) -> T) -> Option<T> {
    match KEPT.try_lock() {
        Ok(mut engines) => Some(call(&mut engines)),
        Err(TryLockError::Poisoned(engines)) => Some(call(&mut engines.into_inner())),
        Err(TryLockError::WouldBlock) => None,
    }
}
