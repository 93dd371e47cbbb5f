//! Batches on a number of threads that the caller chooses give the results of the single calls, in order.

use crate::common::{NAMES, compiled_in};
use crate::texts::{HOSTILE, KINDS, Random};
use tiktally::{Encoding, Special, TokenId};

/// Returns texts of all kinds, of these sizes by turns, and some that are awkward.
pub(crate) fn texts_of_sizes(sizes: [usize; 5]) -> Vec<String> {
    let mut random = Random::new(1);
    let mut texts = vec![String::new(), "a".to_owned(), "<|endoftext|>".to_owned()];
    for i in 0..200 {
        let size = sizes[i % sizes.len()];
        texts.push(KINDS[i % KINDS.len()].text(&mut random, size));
    }
    texts.extend(HOSTILE.map(|(_, make)| make(&mut random, 5000)));
    texts
}

/// Returns texts of some megabytes.
fn some_texts() -> Vec<String> {
    texts_of_sizes([0, 3, 700, 7000, 70_000])
}

/// Checks the batches of some texts on these numbers of threads.
fn check(encoding: &Encoding, texts: &[String], threads: &[usize]) {
    for special in [Special::AS_TEXT, Special::ALLOW_ALL] {
        let single = |text: &String| encoding.encode(text, special).unwrap();
        let lists: Vec<Vec<TokenId>> = texts.iter().map(single).collect();
        let counts: Vec<usize> = lists.iter().map(Vec::len).collect();
        for &threads in threads {
            let (ids, offsets) = encoding.encode_batch_flat(texts, special, threads).unwrap();
            assert_eq!(offsets.len(), texts.len() + 1);
            assert_eq!((offsets[0], offsets[texts.len()]), (0, ids.len()));
            for (range, list) in offsets.windows(2).zip(&lists) {
                assert!(ids[range[0]..range[1]] == **list);
            }
            assert_eq!(
                encoding.count_batch_with(texts, special, threads).unwrap(),
                counts
            );
        }
    }
}

#[test]
fn batches_are_the_single_calls() {
    let texts = some_texts();
    for encoding in NAMES.into_iter().filter_map(compiled_in) {
        check(encoding, &texts, &[0, 1, 3]);
        for few in 0..4 {
            check(encoding, &texts[..few], &[0, 1, 100]);
        }
    }
}

/// Checks that the error is that of the first text, whichever thread finds one first.
#[test]
fn the_first_error_is_returned() {
    let Some(encoding) = compiled_in("cl100k_base") else {
        return;
    };
    let mut texts = some_texts();
    texts.retain(|text| encoding.encode(text, Special::REJECT).is_ok());
    assert!(texts.len() > 100);
    let mut random = Random::new(2);
    for _ in 0..30 {
        let mut texts = texts.clone();
        let wrong = [random.below(100), random.below(100), random.below(100)];
        for at in wrong {
            texts[at] = "é<|endoftext|>".to_owned();
        }
        let first = wrong.into_iter().min();
        for threads in [1, 4] {
            let error = encoding
                .encode_batch_flat(&texts, Special::REJECT, threads)
                .unwrap_err();
            assert_eq!((error.batch_index(), error.position()), (first, Some(2)));
            let error = encoding
                .count_batch_with(&texts, Special::REJECT, threads)
                .unwrap_err();
            assert_eq!(error.batch_index(), first);
            let shown = format!("item {} of the batch", first.unwrap());
            assert!(error.to_string().contains(&shown), "{error}");
        }
    }
}

/// Checks that the memory that the threads left is freed and made anew.
#[test]
fn kept_memory_can_be_released() {
    let Some(encoding) = compiled_in("cl100k_base") else {
        return;
    };
    let texts = some_texts();
    for _ in 0..3 {
        check(encoding, &texts, &[2]);
        tiktally::release_thread_cache();
    }
}
