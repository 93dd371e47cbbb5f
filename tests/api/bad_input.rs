//! Wrong names, wrong ids, wrong bytes and extreme texts give an error with the documented predicate, or the right
//! answer, and never a panic.

use std::error::Error as _;
use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::common::{NAMES, compiled_in, say};
use tiktally::{Encoding, Error, Pieces, Special, TokenId};

fn all() -> impl Iterator<Item = &'static Encoding> {
    NAMES.into_iter().filter_map(compiled_in)
}

/// Asserts that the message contains all of these strings.
fn names(error: &Error, parts: &[&str]) {
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "no {part:?} in: {message}");
    }
    assert!(!message.contains('\n'), "one plain sentence: {message}");
    assert!(error.source().is_none(), "nothing lies behind: {message}");
}

#[test]
fn types_are_shared_between_threads() {
    fn shared<T: Send + Sync + Debug>() {}
    fn unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    shared::<Encoding>();
    shared::<Special<'static>>();
    shared::<Error>();
    shared::<Pieces<'static>>();
    shared::<tiktally::ContextWindow>();
    unwind_safe::<Encoding>();
    unwind_safe::<Special<'static>>();
    unwind_safe::<Error>();
    unwind_safe::<Pieces<'static>>();
    error::<Error>();
    assert!(size_of::<Error>() <= 16);
}

#[test]
fn debug_output_is_short() {
    for encoding in all() {
        let shown = format!("{encoding:?}");
        assert!(shown.contains(encoding.name()), "{shown}");
        assert!(
            shown.len() < 1_000,
            "{} bytes of {:?}",
            shown.len(),
            encoding.name()
        );
    }
}

/// A destructor of a thread-local value may count, too: by then the crate's own thread-local memory is gone.
#[test]
#[cfg(feature = "cl100k_base")]
fn counts_while_a_thread_ends() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            assert_eq!(tiktally::cl100k_base().count("hello world"), 2);
        }
    }
    thread_local!(static LAST: std::cell::OnceCell<Last> = const { std::cell::OnceCell::new() });
    let thread = std::thread::spawn(|| {
        LAST.with(|last| assert!(last.set(Last).is_ok()));
        tiktally::cl100k_base().count("hello world")
    });
    assert_eq!(thread.join().unwrap(), 2);
}

#[test]
fn unknown_encodings() {
    for name in [
        "",
        "cl100k",
        "CL100K_BASE",
        " gpt2",
        "gpt2\0",
        "o200k_base ",
        "gpt-4o",
        "最",
    ] {
        let error = tiktally::get_encoding(name).unwrap_err();
        assert!(error.is_unknown_encoding(), "{name:?}: {error}");
        assert!(!error.is_missing_feature());
        names(&error, &[&format!("{name:?}"), "cl100k_base"]);
    }
}

/// Every name is either compiled in and listed, or gives an error that names the feature.
#[test]
fn compiled_out_encodings() {
    let features = [
        ("gpt2", "r50k_base", cfg!(feature = "r50k_base")),
        ("r50k_base", "r50k_base", cfg!(feature = "r50k_base")),
        ("p50k_base", "p50k_base", cfg!(feature = "p50k_base")),
        ("p50k_edit", "p50k_base", cfg!(feature = "p50k_base")),
        ("cl100k_base", "cl100k_base", cfg!(feature = "cl100k_base")),
        ("o200k_base", "o200k_base", cfg!(feature = "o200k_base")),
        ("o200k_harmony", "o200k_base", cfg!(feature = "o200k_base")),
    ];
    for (name, feature, is_on) in features {
        let listed = tiktally::list_encoding_names().contains(&name);
        assert_eq!(listed, is_on, "{name} listed");
        match tiktally::get_encoding(name) {
            Ok(encoding) => assert!(is_on && encoding.name() == name),
            Err(error) => {
                assert!(!is_on && error.is_missing_feature(), "{name}: {error}");
                assert!(!error.is_unknown_encoding());
                assert_eq!(error.feature(), Some(feature));
                names(&error, &[name, feature]);
            }
        }
    }
    say(&format!(
        "bad input: {} encodings compiled in",
        all().count()
    ));
}

/// A model's encoding has a name even where its vocabulary is compiled out.
#[test]
fn models_of_compiled_out_encodings() {
    for (model, name) in [
        ("gpt-4o", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("davinci", "r50k_base"),
    ] {
        assert_eq!(tiktally::encoding_name_for_model(model).unwrap(), name);
        match tiktally::encoding_for_model(model) {
            Ok(encoding) => assert_eq!(encoding.name(), name),
            Err(error) => assert!(error.is_missing_feature() && compiled_in(name).is_none()),
        }
    }
}

#[test]
fn unknown_models() {
    for model in [
        "",
        "gpt-6",
        "GPT-4o",
        "gpt-4o ",
        "o1mini",
        "cl100k_base",
        "最",
        "ft:",
    ] {
        let by_name = tiktally::encoding_name_for_model(model).unwrap_err();
        let itself = tiktally::encoding_for_model(model).unwrap_err();
        for error in [by_name, itself] {
            assert!(error.is_unknown_model(), "{model:?}: {error}");
            names(&error, &[&format!("{model:?}")]);
        }
        assert_eq!(tiktally::context_window(model), None, "{model:?}");
    }
}

#[test]
fn disallowed_special_tokens() {
    for encoding in all() {
        for before in ["", "x", "最<|endoftext|", "  \n"] {
            let text = format!("{before}<|endoftext|> and <|endoftext|>");
            let refused = [
                encoding.encode(&text, Special::REJECT).map(drop),
                encoding.encode(&text, Special::default()).map(drop),
                encoding.encode(&text, Special::allow(&[])).map(drop),
                encoding.count_with(&text, Special::REJECT).map(drop),
                encoding
                    .encode_with_unstable(&text, Special::REJECT)
                    .map(drop),
                encoding
                    .encode(&text, Special::reject(&["<|endoftext|>"]))
                    .map(drop),
            ];
            for error in refused.map(Result::unwrap_err) {
                assert!(error.is_disallowed_special(), "{error}");
                assert_eq!(error.special_token(), Some("<|endoftext|>"));
                assert_eq!(error.position(), Some(before.len()));
                names(&error, &["<|endoftext|>", &before.len().to_string()]);
                assert_eq!(
                    (error.token(), error.index(), error.feature()),
                    (None, None, None)
                );
            }
            let ids = encoding.encode_ordinary(&text);
            assert_eq!(encoding.encode(&text, Special::AS_TEXT).unwrap(), ids);
            assert_eq!(encoding.encode(&text, Special::reject(&[])).unwrap(), ids);
        }
    }
}

/// The whole text is checked first, including the text after an allowed token.
#[cfg(feature = "cl100k_base")]
#[test]
fn disallowed_after_allowed() {
    let text = "最<|endoftext|><|fim_prefix|>";
    let special = Special::allow(&["<|endoftext|>"]);
    let error = tiktally::cl100k_base().encode(text, special).unwrap_err();
    assert_eq!(error.special_token(), Some("<|fim_prefix|>"));
    assert_eq!(error.position(), Some(16));
}

#[test]
fn invalid_lists_of_special_tokens() {
    for encoding in all() {
        let lists = [
            (Special::allow(&[""]), ""),
            (Special::allow(&["<|endoftext|>", ""]).others_as_text(), ""),
            (Special::reject(&[""]), ""),
            (Special::reject(&["x", ""]), ""),
            (Special::allow(&["<|endoftext|"]), "<|endoftext|"),
            (Special::allow(&["<|endoftext|>", "最"]), "最"),
            (Special::allow(&["the"]).others_as_text(), "the"),
        ];
        for text in ["", "some x", "<|endoftext|>"] {
            for (special, named) in lists {
                for error in [
                    encoding.encode(text, special).unwrap_err(),
                    encoding.count_with(text, special).unwrap_err(),
                    encoding.encode_with_unstable(text, special).unwrap_err(),
                ] {
                    assert!(
                        error.is_invalid_special(),
                        "{special:?} of {text:?}: {error}"
                    );
                    assert!(!error.is_disallowed_special());
                    names(&error, &[if named.is_empty() { "empty" } else { named }]);
                }
            }
        }
        // Rejected strings need not be special tokens, and a list may say things twice.
        let error = encoding.encode("say the word", Special::reject(&["word", "the"]));
        let error = error.unwrap_err();
        assert_eq!(
            (error.special_token(), error.position()),
            (Some("the"), Some(4))
        );
        let twice = Special::allow(&["<|endoftext|>", "<|endoftext|>"]);
        let eot = encoding.eot_token().unwrap();
        assert_eq!(encoding.encode("<|endoftext|>", twice).unwrap(), [eot]);
    }
}

/// For every id, all calls that decode agree on a value, or on an error that names the id and its index.
#[test]
fn unknown_ids() {
    for encoding in all() {
        let known = encoding.encode_ordinary("a")[0];
        let beyond = encoding.n_vocab() as TokenId + 2_000;
        let mut unknown = 0;
        for id in (0..=beyond).chain([TokenId::MAX / 2, 1 << 31, TokenId::MAX - 1, TokenId::MAX]) {
            match encoding.decode_single_token_bytes(id) {
                Ok(bytes) => {
                    assert!(id <= encoding.max_token_value());
                    assert_eq!(encoding.encode_single_token(bytes).unwrap(), id);
                    let expected = [b"a", bytes].concat();
                    assert_eq!(encoding.decode_bytes(&[known, id]).unwrap(), expected);
                }
                Err(error) => {
                    unknown += 1;
                    assert!(!encoding.is_special_token(id));
                    is_unknown(&error, id, 0);
                    everywhere_unknown(encoding, known, id);
                }
            }
        }
        let special_ids = (0..beyond).filter(|&id| encoding.is_special_token(id));
        let known = encoding.tokens().count() + special_ids.count();
        assert_eq!(
            known + unknown,
            beyond as usize + 1 + 4,
            "{}",
            encoding.name()
        );
    }
}

fn is_unknown(error: &Error, id: TokenId, index: usize) {
    assert!(error.is_unknown_token(), "{id}: {error}");
    assert_eq!((error.token(), error.index()), (Some(id), Some(index)));
    assert!(!error.is_unknown_token_bytes() && !error.is_invalid_utf8());
    names(error, &[&id.to_string(), &index.to_string()]);
}

/// The error names the first unknown id, and nothing is appended.
fn everywhere_unknown(encoding: &Encoding, known: TokenId, id: TokenId) {
    let ids = [known, known, id, known, TokenId::MAX];
    let mut bytes = b"before".to_vec();
    let errors = [
        encoding.decode(&ids).map(drop),
        encoding.decode_lossy(&ids).map(drop),
        encoding.decode_bytes(&ids).map(drop),
        encoding.decode_into(&ids, &mut bytes),
        encoding.decode_tokens_bytes(&ids).map(drop),
        encoding.decode_with_offsets(&ids).map(drop),
        encoding.token_ranges(&ids).map(drop),
    ];
    for error in errors.map(Result::unwrap_err) {
        is_unknown(&error, id, 2);
    }
    assert_eq!(bytes, b"before");
}

#[test]
fn decode_into_appends() {
    for encoding in all() {
        let mut bytes = b"before ".to_vec();
        let ids = encoding.encode_bytes(b"after \xff");
        encoding.decode_into(&ids, &mut bytes).unwrap();
        assert_eq!(bytes, b"before after \xff");
        encoding.decode_into(&[], &mut bytes).unwrap();
        assert_eq!(bytes, b"before after \xff");
    }
}

#[test]
fn bytes_that_are_not_utf8() {
    let broken: [&[u8]; 9] = [
        b"\xff",
        b"\x80",
        b"hello \xe4\xbd",
        b"\xe4\xbd\xa0\xe5\xa5 x",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"a\xf0\x9f\x99b\xf0",
        b"\xf4\x90\x80\x80",
        b"\xe4\xe4\xe4\xbd\xbd\xbd",
    ];
    for encoding in all() {
        for bytes in broken {
            let ids = encoding.encode_bytes(bytes);
            assert_eq!(encoding.decode_bytes(&ids).unwrap(), bytes);
            let position = std::str::from_utf8(bytes).unwrap_err().valid_up_to();
            for error in [
                encoding.decode(&ids).unwrap_err(),
                encoding.decode_with_offsets(&ids).unwrap_err(),
            ] {
                assert!(error.is_invalid_utf8(), "{}: {error}", bytes.escape_ascii());
                assert_eq!(error.position(), Some(position), "{}", bytes.escape_ascii());
                names(&error, &[&position.to_string()]);
            }
            let lossy = encoding.decode_lossy(&ids).unwrap();
            assert_eq!(lossy, String::from_utf8_lossy(bytes));
        }
    }
}

/// An unknown id is reported before invalid UTF-8, because it is the caller's mistake.
#[test]
fn unknown_id_among_broken_bytes() {
    for encoding in all() {
        let mut ids = encoding.encode_bytes(b"\xff");
        ids.push(TokenId::MAX);
        assert!(encoding.decode(&ids).unwrap_err().is_unknown_token());
        assert!(
            encoding
                .decode_with_offsets(&ids)
                .unwrap_err()
                .is_unknown_token()
        );
    }
}

#[test]
fn bytes_that_are_no_single_token() {
    for encoding in all() {
        for bytes in [
            &b""[..],
            b"hello world",
            b"\xff\xff\xff",
            b"<|endoftext|",
            b"<|nothing|>",
        ] {
            let error = encoding.encode_single_token(bytes).unwrap_err();
            assert!(error.is_unknown_token_bytes(), "{error}");
            assert!(!error.is_unknown_token());
            names(
                &error,
                &[&bytes.escape_ascii().to_string(), encoding.name()],
            );
        }
        for byte in 0..=u8::MAX {
            let id = encoding.encode_single_token([byte]).unwrap();
            assert_eq!(encoding.decode_single_token_bytes(id).unwrap(), [byte]);
        }
        // All kinds of arguments.
        let id = encoding.encode_single_token("a").unwrap();
        assert_eq!(encoding.encode_single_token(String::from("a")).unwrap(), id);
        assert_eq!(encoding.encode_single_token(vec![b'a']).unwrap(), id);
    }
}

#[test]
fn nothing_at_all() {
    for encoding in all() {
        assert!(encoding.encode_ordinary("").is_empty());
        assert!(encoding.encode_bytes(b"").is_empty());
        assert_eq!(encoding.count(""), 0);
        assert_eq!(encoding.count_up_to("", 0), Some(0));
        assert_eq!(encoding.count_up_to("a", 0), None);
        assert_eq!(encoding.pieces("").next(), None);
        for special in [Special::REJECT, Special::ALLOW_ALL, Special::AS_TEXT] {
            assert!(encoding.encode("", special).unwrap().is_empty());
            assert_eq!(encoding.count_with("", special).unwrap(), 0);
        }
        assert_eq!(encoding.decode(&[]).unwrap(), "");
        assert_eq!(encoding.decode_lossy(&[]).unwrap(), "");
        assert!(encoding.decode_tokens_bytes(&[]).unwrap().is_empty());
        assert!(encoding.token_ranges(&[]).unwrap().is_empty());
        let nothing = (String::new(), Vec::new());
        assert_eq!(encoding.decode_with_offsets(&[]).unwrap(), nothing);
    }
}

/// The limit counts bytes of the unstable tail: the length of the longest token is allowed, one more is refused.
#[test]
fn unstable_tails() {
    for encoding in all() {
        for letter in ["x", "最"] {
            let fits = letter.repeat(128 / letter.len());
            let ours = encoding.encode_with_unstable(&fits, Special::REJECT);
            let (stable, completions) = ours.unwrap();
            assert!(stable.is_empty() && !completions.is_empty());
            refused(encoding, &format!("{fits}{letter}"));
        }
        refused(encoding, &" ".repeat(10_000));
        refused(encoding, &"\n".repeat(129));
        refused(encoding, &" \t\n".repeat(5_000));
    }
}

/// The whole text is an unstable tail, and too long.
fn refused(encoding: &Encoding, text: &str) {
    let ours = encoding.encode_with_unstable(text, Special::REJECT);
    let error = ours.unwrap_err();
    assert!(error.is_unstable_too_long(), "{error}");
    names(&error, &[&text.len().to_string(), "128"]);
}

/// Texts on which backtracking engines or quadratic merges give up; tiktoken 0.14.0 panics on the first.
#[test]
fn extreme_texts() {
    let run = |unit: &str| unit.repeat(100_000 / unit.chars().count());
    let texts = [
        " ".repeat(1_000_000) + "x",
        run("\u{3000}") + "x",
        run(" "),
        run("\n") + " x",
        run("\r\n "),
        run("a"),
        run("A") + "a",
        run("ab"),
        run("7"),
        run("!"),
        run("'s"),
        run("\u{301}"),
        run("最"),
        run("👍🏽\u{200d}"),
    ];
    for encoding in all() {
        for text in &texts {
            let start: String = text.chars().take(3).collect();
            let what = format!("{} on {}", encoding.name(), start.escape_unicode());
            let ids = encoding.encode_ordinary(text);
            assert!(
                encoding.decode(&ids).is_ok_and(|back| back == *text),
                "{what}"
            );
            assert_eq!(encoding.count(text), ids.len(), "{what}");
            assert_eq!(encoding.count_up_to(text, 10), None, "{what}");
            let length: usize = encoding.pieces(text).map(str::len).sum();
            assert_eq!(length, text.len(), "{what}");
        }
    }
}

/// The ids of a long run repeat those of a shorter run of the same kind; there are no golden vectors for longer runs.
#[cfg(feature = "cl100k_base")]
#[test]
fn a_million_spaces_and_a_letter() {
    let encoding = tiktally::cl100k_base();
    let ids = encoding.encode_ordinary(&(" ".repeat(1_000_001) + "x"));
    let (run, rest) = ids.split_at(7_812);
    let longest = encoding.encode_single_token(" ".repeat(128)).unwrap();
    assert!(run.iter().all(|&id| id == longest));
    assert_eq!(rest, encoding.encode_ordinary(&(" ".repeat(65) + "x")));
}
