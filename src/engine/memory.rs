//! The memory that threads keep, and its limit.

use std::cell::Cell;

use super::ENGINE;
use crate::merge::cache;

/// Sets the limit of each thread's cache of merged pieces, in bytes. Without this call it is 16 MiB.
///
/// A thread that encodes or counts keeps one cache for all encodings. It begins with up to 2 MiB. Only while most of the
/// pieces that it takes had been overwritten before, it doubles. An [`Encoder`](crate::Encoder) has a cache of its own,
/// which has the same limit unless [`with_cache_bytes`](crate::Encoder::with_cache_bytes) sets another.
///
/// A cache takes no more than the largest power of two within `bytes`, and no more than 16 MiB. Less than 16 KiB switches
/// it off. From 1 MiB on, 16 KiB more watch which pieces come back. The limit changes speed and memory, never an id.
/// Addresses for the whole limit are reserved with the first piece that needs the cache; memory is taken as it fills.
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
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// assert_eq!(tiktally::cl100k_base().count("hello world"), 2);
/// tiktally::release_thread_cache();
/// assert_eq!(tiktally::cl100k_base().count("hello world"), 2);
/// # }
/// ```
pub fn release_thread_cache() {
    // the engine is gone already when destructors of other thread-local values run at the end of a thread
    drop(ENGINE.try_with(Cell::take));
}
