//! Many texts on a number of threads that the caller chooses, without a pool.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{Encoder, Encoding};
use crate::engine::memory::{keep_engine, kept_engine, return_thread_engine, thread_engine};
use crate::error::Error;
use crate::special::Special;
use crate::token_id::TokenId;

/// Threads take texts in blocks of at least this many bytes: about a millisecond of work, so that the last block is short
/// and a block is taken seldom. No other sizes were measured (November 2026).
const BLOCK_BYTES: usize = 1 << 17;

/// The bytes of text for which there is room for one id at first, as for single texts. With one copy less in Python, flat
/// batches there became 2 % faster (AMD EPYC with AVX2, with other work beside it, November 2026).
const BYTES_PER_ID: usize = 4;

impl Encoding {
    /// Encodes many texts as [`encode`](Self::encode) does, into one list of ids, on up to `threads` threads.
    ///
    /// Returns the ids of all texts one after another, and the offsets of the texts in them: one more than texts, the first
    /// is 0. This is the layout of lists in Arrow and NumPy.
    ///
    /// With 0 threads, it uses as many as the machine runs at once. The threads are new and end with the call, so it works
    /// in a forked process. The memory that they work with is kept for the next call, see
    /// [`release_thread_cache`](crate::release_thread_cache). Few texts are encoded on the caller's thread.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let texts = ["hello world", "", "你好"];
    /// let (ids, offsets) = cl100k_base().encode_batch_flat(&texts, Special::AS_TEXT, 2)?;
    /// assert_eq!(ids, [15339, 1917, 57668, 53901]);
    /// assert_eq!(offsets, [0, 2, 2, 4]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`encode`](Self::encode), for the first text that has an error; [`batch_index`](Error::batch_index) returns its
    /// index.
    ///
    /// # Complexity
    /// As the single calls, shared by the threads, plus one copy of the ids.
    pub fn encode_batch_flat<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        special: Special<'_>,
        threads: usize,
    ) -> Result<(Vec<TokenId>, Vec<usize>), Error> {
        let blocks = self.encode_batch_blocks(texts, special, threads)?;
        let mut blocks = blocks.into_iter();
        let (mut ids, ends) = blocks.next().unwrap_or_default();
        ids.reserve_exact(blocks.as_slice().iter().map(|(ids, _)| ids.len()).sum());
        let mut offsets = Vec::with_capacity(texts.len() + 1);
        offsets.push(0);
        offsets.extend(ends);
        for (more, ends) in blocks {
            offsets.extend(ends.iter().map(|end| ids.len() + end));
            ids.extend_from_slice(&more);
        }
        Ok((ids, offsets))
    }

    /// Encodes many texts as [`encode_batch_flat`](Self::encode_batch_flat) does, but does not join the blocks of texts.
    ///
    /// Returns the ids of each block, and where those of each text end in them. It serves callers with memory of their own.
    #[doc(hidden)]
    #[allow(clippy::type_complexity)] // a type of its own would be public
    pub fn encode_batch_blocks<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        special: Special<'_>,
        threads: usize,
    ) -> Result<Vec<(Vec<TokenId>, Vec<usize>)>, Error> {
        self.in_blocks(texts, threads, |encoder, texts| {
            // growing by doubling copies the ids several times
            let bytes: usize = texts.iter().map(|text| text.as_ref().len()).sum();
            let mut ids = Vec::with_capacity(bytes / BYTES_PER_ID);
            let mut ends = Vec::with_capacity(texts.len());
            for (i, text) in texts.iter().enumerate() {
                let done = encoder.encode_into(text.as_ref(), special, &mut ids);
                done.map_err(|error| (i, error))?;
                ends.push(ids.len());
            }
            Ok((ids, ends))
        })
    }

    /// Counts the tokens of many texts as [`count_with`](Self::count_with) does, on up to `threads` threads. Returns the counts
    /// in the order of the texts.
    ///
    /// The threads are those of [`encode_batch_flat`](Self::encode_batch_flat).
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::{Special, cl100k_base};
    ///
    /// let counts = cl100k_base().count_batch_with(&["hello world", "", "你好"], Special::AS_TEXT, 0)?;
    /// assert_eq!(counts, [2, 0, 2]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`encode_batch_flat`](Self::encode_batch_flat).
    ///
    /// # Complexity
    /// As the single calls, shared by the threads.
    pub fn count_batch_with<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        special: Special<'_>,
        threads: usize,
    ) -> Result<Vec<usize>, Error> {
        let blocks = self.in_blocks(texts, threads, |encoder, texts| {
            let count = |(i, text): (usize, &S)| {
                let count = encoder.count_with(text.as_ref(), special);
                count.map_err(|error| (i, error))
            };
            texts.iter().enumerate().map(count).collect()
        })?;
        Ok(blocks
            .into_iter()
            .flat_map(|block: Vec<usize>| block)
            .collect())
    }

    /// Calls `work` with each block of texts, on up to `threads` threads. Returns the results in order, or the error of the
    /// first text that has one.
    ///
    /// Blocks are taken in order, and each one that was taken is finished or fails. So no block before the first error is
    /// missing.
    fn in_blocks<S: AsRef<str> + Sync, T: Send + Sync>(
        &self,
        texts: &[S],
        threads: usize,
        work: impl Fn(&mut Encoder, &[S]) -> Result<T, (usize, Error)> + Sync,
    ) -> Result<Vec<T>, Error> {
        let starts = block_starts(texts);
        let results: Vec<OnceLock<Result<T, Error>>> =
            starts.iter().map(|_| OnceLock::new()).collect();
        let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let run = |engine| {
            let mut encoder = Encoder::with_engine(self, engine);
            while !has_failed.load(Ordering::Relaxed) {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let (Some(&start), Some(place)) = (starts.get(i), results.get(i)) else {
                    break;
                };
                let end = starts.get(i + 1).copied().unwrap_or(texts.len());
                let block = texts.get(start..end).unwrap_or_default();
                let result = work(&mut encoder, block);
                let result = result.map_err(|(at, error)| error.in_batch(start + at));
                has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
                // no other thread has this place
                let _ = place.set(result);
            }
            encoder.into_engine()
        };
        thread::scope(|scope| {
            for _ in 1..threads_for(threads, starts.len()) {
                let run = || keep_engine(run(kept_engine()));
                // without a new thread, those that are there do its work
                if thread::Builder::new().spawn_scoped(scope, run).is_err() {
                    break;
                }
            }
            // the caller's thread knows the words of its earlier calls
            return_thread_engine(run(thread_engine()));
        });
        // those after an error may be missing
        results
            .into_iter()
            .map_while(OnceLock::into_inner)
            .collect()
    }
}

/// Returns the index of the first text of each block.
fn block_starts<S: AsRef<str>>(texts: &[S]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut bytes = BLOCK_BYTES;
    for (i, text) in texts.iter().enumerate() {
        if bytes >= BLOCK_BYTES {
            starts.push(i);
            bytes = 0;
        }
        bytes += text.as_ref().len();
    }
    starts
}

/// Returns how many threads work on this many blocks.
fn threads_for(wanted: usize, blocks: usize) -> usize {
    let all = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = if wanted == 0 { all() } else { wanted };
    threads.min(blocks)
}
