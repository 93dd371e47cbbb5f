//! Many texts, or one huge text, on all cores.

use rayon::prelude::*;

use super::Encoding;
use crate::error::Error;
use crate::special::Special;
use crate::token_id::TokenId;

/// The least size of the parts that one huge text is split into, in bytes.
///
/// A part is some milliseconds of work.
const PART_BYTES: usize = 1 << 20;

impl Encoding {
    /// Encodes many texts as [`encode_ordinary`](Self::encode_ordinary) does, on all threads of the current rayon pool.
    ///
    /// Results are in the order of the texts.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let lists = tiktally::cl100k_base().encode_ordinary_batch(&["hello", "你好"]);
    /// assert_eq!(lists, [vec![15339], vec![57668, 53901]]);
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// As the single calls, shared by the threads.
    #[cfg_attr(docsrs, doc(cfg(feature = "rayon")))]
    pub fn encode_ordinary_batch<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<Vec<TokenId>> {
        texts
            .par_iter()
            .map(|text| self.encode_ordinary(text.as_ref()))
            .collect()
    }

    /// Encodes many texts as [`encode`](Self::encode) does, on all threads of the current rayon pool.
    ///
    /// Results are in the order of the texts.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// use tiktally::Special;
    ///
    /// let lists = tiktally::cl100k_base().encode_batch(&["hello", "<|endoftext|>"], Special::ALLOW_ALL)?;
    /// assert_eq!(lists, [[15339], [100257]]);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`encode`](Self::encode), for one of the texts; [`batch_index`](Error::batch_index) returns its index.
    ///
    /// # Complexity
    /// As the single calls, shared by the threads.
    #[cfg_attr(docsrs, doc(cfg(feature = "rayon")))]
    pub fn encode_batch<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        special: Special<'_>,
    ) -> Result<Vec<Vec<TokenId>>, Error> {
        texts
            .par_iter()
            .enumerate()
            .map(|(i, text)| with_index(i, self.encode(text.as_ref(), special)))
            .collect()
    }

    /// Counts the tokens of many texts as [`count`](Self::count) does, on all threads of the current rayon pool.
    ///
    /// Results are in the order of the texts.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().count_batch(&["hello", "你好"]), [1, 2]);
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// As the single calls, shared by the threads.
    #[cfg_attr(docsrs, doc(cfg(feature = "rayon")))]
    pub fn count_batch<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Vec<usize> {
        texts
            .par_iter()
            .map(|text| self.count(text.as_ref()))
            .collect()
    }

    /// Decodes many lists of ids as [`decode`](Self::decode) does, on all threads of the current rayon pool.
    ///
    /// Results are in the order of the lists.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().decode_batch(&[vec![15339], vec![57668, 53901]])?, ["hello", "你好"]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`decode`](Self::decode), for one of the lists; [`batch_index`](Error::batch_index) returns its index.
    ///
    /// # Complexity
    /// As the single calls, shared by the threads.
    #[cfg_attr(docsrs, doc(cfg(feature = "rayon")))]
    pub fn decode_batch<I: AsRef<[TokenId]> + Sync>(
        &self,
        lists: &[I],
    ) -> Result<Vec<String>, Error> {
        lists
            .par_iter()
            .enumerate()
            .map(|(i, ids)| with_index(i, self.decode(ids.as_ref())))
            .collect()
    }

    /// Decodes many lists of ids as [`decode_bytes`](Self::decode_bytes) does, on all threads of the current rayon
    /// pool.
    ///
    /// Results are in the order of the lists.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")]
    /// assert_eq!(tiktally::cl100k_base().decode_bytes_batch(&[[15339], [8687]])?, [&b"hello"[..], b"\xe4\xbd"]);
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`decode_bytes`](Self::decode_bytes), for one of the lists; [`batch_index`](Error::batch_index) returns its index.
    ///
    /// # Complexity
    /// As the single calls, shared by the threads.
    #[cfg_attr(docsrs, doc(cfg(feature = "rayon")))]
    pub fn decode_bytes_batch<I: AsRef<[TokenId]> + Sync>(
        &self,
        lists: &[I],
    ) -> Result<Vec<Vec<u8>>, Error> {
        lists
            .par_iter()
            .enumerate()
            .map(|(i, ids)| with_index(i, self.decode_bytes(ids.as_ref())))
            .collect()
    }

    /// Encodes one huge text on all threads of the current rayon pool.
    ///
    /// The ids are those of [`encode_ordinary`](Self::encode_ordinary). The text is split into
    /// [parts](Self::independent_parts) of at least 1 MiB; a text that has no such parts is encoded on one thread.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// let text = "One line is much like another.\n".repeat(10_000);
    /// assert_eq!(encoding.encode_ordinary_parallel(&text), encoding.encode_ordinary(&text));
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`encode_ordinary`](Self::encode_ordinary).
    ///
    /// # Complexity
    /// As [`encode_ordinary`](Self::encode_ordinary), shared by the threads, plus one copy of the ids.
    #[cfg_attr(docsrs, doc(cfg(feature = "rayon")))]
    pub fn encode_ordinary_parallel(&self, text: &str) -> Vec<TokenId> {
        let parts: Vec<&str> = self.independent_parts(text, PART_BYTES).collect();
        match *parts {
            [] => Vec::new(),
            [only] => self.encode_ordinary(only),
            _ => concat_in_parallel(&self.encode_ordinary_batch(&parts)),
        }
    }
}

/// Adds the index of a text or list in its batch to an error.
fn with_index<T>(index: usize, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| error.in_batch(index))
}

/// Joins all lists into one, on all threads: most of the work is to touch new memory, as much as the lists themselves
/// took.
fn concat_in_parallel(lists: &[Vec<TokenId>]) -> Vec<TokenId> {
    let mut ids = vec![0; lists.iter().map(Vec::len).sum()];
    let mut rest = ids.as_mut_slice();
    let mut places = Vec::with_capacity(lists.len());
    for list in lists {
        let (place, after) = rest.split_at_mut(list.len());
        places.push(place);
        rest = after;
    }
    let copies = places.into_par_iter().zip(lists);
    copies.for_each(|(place, list)| place.copy_from_slice(list));
    ids
}
