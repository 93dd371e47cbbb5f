//! Calls for many texts, or one huge text, on all cores give the results of the single calls, in order.

use crate::common::{NAMES, compiled_in, say};
use crate::texts::{KINDS, Random};
use crate::threads::texts_of_sizes;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tiktally::{Encoding, Special, TokenId};

fn encodings() -> impl Iterator<Item = &'static Encoding> {
    NAMES.into_iter().filter_map(|name| {
        let encoding = compiled_in(name);
        if encoding.is_none() {
            say(&format!("batch: {name} is not compiled in"));
        }
        encoding
    })
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

fn some_texts() -> Vec<String> {
    texts_of_sizes([0, 3, 70, 700, 7000])
}

#[test]
fn batches_are_the_single_calls() {
    let texts = some_texts();
    for encoding in encodings() {
        let lists: Vec<Vec<TokenId>> = texts
            .iter()
            .map(|text| encoding.encode_ordinary(text))
            .collect();
        for pool in [pool(1), pool(3)] {
            pool.install(|| {
                assert!(encoding.encode_ordinary_batch(&texts) == lists);
                assert!(encoding.encode_batch(&texts, Special::AS_TEXT).unwrap() == lists);
                let counts: Vec<usize> = lists.iter().map(Vec::len).collect();
                assert_eq!(encoding.count_batch(&texts), counts);
                assert!(encoding.decode_batch(&lists).unwrap() == texts);
                let bytes = encoding.decode_bytes_batch(&lists).unwrap();
                assert!(bytes.iter().eq(texts.iter().map(String::as_bytes)));
            });
        }
        let allowed = encoding.encode_batch(&texts, Special::ALLOW_ALL).unwrap();
        let single = texts
            .iter()
            .map(|text| encoding.encode(text, Special::ALLOW_ALL).unwrap());
        assert!(allowed.into_iter().eq(single));
        assert!(encoding.encode_ordinary_batch::<&str>(&[]).is_empty());
        assert!(
            encoding
                .decode_batch::<Vec<TokenId>>(&[])
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn errors_come_through() {
    for encoding in encodings() {
        let error = encoding
            .encode_batch(&some_texts(), Special::REJECT)
            .unwrap_err();
        assert_eq!(
            (error.special_token(), error.position()),
            (Some("<|endoftext|>"), Some(0))
        );
        let missing = encoding.max_token_value() + 1;
        let hello = encoding.encode_ordinary("hello");
        let lists = [&hello[..], &[], &[hello[0], missing]];
        for error in [
            encoding.decode_batch(&lists).unwrap_err(),
            encoding.decode_bytes_batch(&lists).unwrap_err(),
        ] {
            assert_eq!((error.token(), error.index()), (Some(missing), Some(1)));
        }
        // half a character
        let half = encoding.encode_bytes(b"\xe4\xbd");
        let error = encoding.decode_batch(&[hello, half.clone()]).unwrap_err();
        assert!(error.is_invalid_utf8());
        assert_eq!(encoding.decode_bytes_batch(&[half]).unwrap(), [b"\xe4\xbd"]);
    }
}

/// Lines with every kind of ending, before letters and before other characters.
fn awkward_lines(random: &mut Random, size: usize) -> String {
    const ENDS: [&str; 16] = [
        "\n",
        " \n",
        "\r\n",
        "\n\n",
        "!\n/",
        "\n ",
        " \n ",
        "\t\n",
        "\r\n\r\n",
        ".\n",
        "'\n's ",
        "\u{a0}\n",
        "\n\u{3000}",
        "/\n",
        "1\n",
        "\u{301}\n",
    ];
    const STARTS: [&str; 12] = [
        "a", "Z", "the", "'s", "/x", "1", " y", "é", "最", "\u{301}", "_", "S",
    ];
    let mut text = String::with_capacity(size + 100);
    while text.len() < size {
        text.push_str(random.pick(&STARTS));
        for _ in 0..random.below(6) {
            text.push_str(
                random.pick(&[" word", "LONG", "é", " 最", "!?", "12", "'re", "  ", "/"]),
            );
        }
        text.push_str(random.pick(&ENDS));
    }
    text
}

/// The engine looks for a cut after every megabyte. This text consists of awkward places, so every cut falls on one.
#[test]
fn one_huge_text() {
    const SIZE: usize = 4_500_000;
    let mut random = Random::new(2);
    let mut texts: Vec<(&str, String)> = Vec::new();
    for kind in &KINDS {
        texts.push((kind.name, kind.text(&mut random, SIZE)));
    }
    texts.push(("awkward lines", awkward_lines(&mut random, SIZE)));
    texts.push((
        "no line at all",
        KINDS[0].text(&mut random, SIZE).replace('\n', " "),
    ));
    texts.push(("one piece", "x".repeat(SIZE)));
    for encoding in encodings() {
        for (what, text) in &texts {
            check_parallel(encoding, what, text);
        }
    }
}

fn check_parallel(encoding: &Encoding, what: &str, text: &str) {
    let plain = encoding.encode_ordinary(text);
    // not assert_eq: it would print megabytes
    assert!(
        encoding.encode_ordinary_parallel(text) == plain,
        "{}: {what}",
        encoding.name()
    );
    let pooled = pool(3).install(|| encoding.encode_ordinary_parallel(text));
    assert!(pooled == plain, "{}: {what}, in a pool", encoding.name());
}

/// One line end at each cut, followed by every start of a line.
#[test]
fn every_line_end_at_a_cut() {
    const PART: usize = 1 << 20;
    let fill = "some words and more ".repeat(PART / 20 + 1);
    let patterns = ["gpt2", "cl100k_base", "o200k_base"];
    for encoding in patterns.into_iter().filter_map(compiled_in) {
        for end in [
            " \n",
            "\r\n",
            "\n\n",
            "!\n/",
            "!\n",
            "\n",
            "\t \n",
            "\u{3000}\n",
            " \r\n",
            "\n \n",
            "'\n",
            "a\u{301}\n",
            "\u{6f22}\n",
        ] {
            for start in [
                "word", "S", "'s", " x", "\u{6f22}", "\u{434}", "\u{c4}", "\u{301}a", "\u{663}",
            ] {
                let text = format!("{}{end}{start} {}", &fill[..=PART - end.len()], &fill[..50]);
                check_parallel(encoding, &format!("{end:?} before {start:?}"), &text);
                let text = format!("{}{end}{start} {end}{end}z", &fill[..PART]);
                check_parallel(encoding, &format!("{end:?} before {start:?}, later"), &text);
            }
        }
    }
}
