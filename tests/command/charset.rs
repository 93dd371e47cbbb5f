//! Text that is not UTF-8: byte order marks and `--charset`.

use crate::common::{folder, run, tiktally};

const TEXT: &str = "naïve 🦀 最近\r\n";

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = format!("\u{feff}{text}");
    units.encode_utf16().flat_map(to_bytes).collect()
}

/// Returns the text in UTF-16 of both byte orders, with a mark.
fn both(text: &str) -> [Vec<u8>; 2] {
    [utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)]
}

/// Returns the text that `encode` reads from these bytes.
fn decoded(args: &[&str], bytes: &[u8]) -> String {
    let (code, ids, stderr) = run(&[&["encode"], args].concat(), bytes);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    run(&["decode"], ids).1
}

#[test]
fn utf16_with_a_mark_is_decoded() {
    // longer than a block: characters lie across blocks, and the second text across parts
    for text in [
        "",
        TEXT,
        &TEXT.repeat(9_001),
        &format!("x{}", TEXT.repeat(99_001)),
    ] {
        let tokens = tiktally::o200k_base().count(text);
        for bytes in both(text) {
            assert!(decoded(&[], &bytes) == text);
            assert_eq!(run(&["count"], &bytes).1, format!("{tokens}\n"));
            let here = folder(&[("in.txt", &bytes)]);
            for args in [["count", "--json", "in.txt"], ["count", "--json", "."]] {
                let (code, stdout, _) = tiktally(here.path(), &args, b"");
                let size = format!("\"tokens\":{tokens},\"bytes\":{}", bytes.len());
                assert_eq!(code, Some(0));
                assert!(stdout.contains(&size), "{stdout}");
            }
        }
    }
    for subcommand in [
        &["truncate", "-n", "99"][..],
        &["chunk", "-n", "99", "--json"],
    ] {
        let [le, be] = both(TEXT);
        assert_eq!(run(subcommand, &le), run(subcommand, TEXT));
        assert_eq!(run(subcommand, &be), run(subcommand, TEXT));
    }
    let (_, stdout, _) = run(&["show"], &both("hello")[0]);
    assert_eq!(stdout, "hello\n1 token, 12 bytes, o200k_base\n");
}

#[test]
fn files_in_utf16_are_named_on_request() {
    let [le, be] = both(TEXT);
    let nul = utf16("a\0b", u16::to_le_bytes);
    let here = folder(&[
        ("be.txt", &be),
        ("le.txt", &le),
        ("nul.txt", &nul),
        ("utf8.txt", TEXT.as_bytes()),
    ]);
    let (code, _, stderr) = tiktally(here.path(), &["count", "-v", "."], b"");
    let told = [
        "be.txt: read as UTF-16BE",
        "le.txt: read as UTF-16LE",
        "nul.txt: skipped: binary file (contains a NUL byte)",
    ];
    let told = told.map(|line| format!("tiktally: .{}{line}\n", std::path::MAIN_SEPARATOR));
    assert_eq!((code, stderr), (Some(0), told.concat()));
    let (_, _, stderr) = tiktally(here.path(), &["count", "be.txt"], b"");
    assert_eq!(stderr, "");
}

#[test]
fn the_mark_of_utf8_stays_a_token() {
    let text = "\u{feff}hello";
    let tokens = tiktally::o200k_base().count(text);
    for charset in [&[][..], &["--charset", "utf-8"], &["--charset", "latin1"]] {
        let (_, stdout, _) = run(&[&["count"], charset].concat(), text);
        assert_eq!(stdout, format!("{tokens}\n"), "{charset:?}");
    }
    // --charset has no effect, so it is not recommended
    let (code, _, stderr) = run(&["count", "--charset", "latin1"], b"\xef\xbb\xbfcaf\xe9");
    let complaint = "tiktally: standard input: not UTF-8: invalid at byte 6, counted from 0; --lossy replaces invalid bytes with U+FFFD\n";
    assert_eq!((code, stderr.as_str()), (Some(1), complaint));
}

#[test]
fn malformed_utf16_has_a_place() {
    let late = [b"x\0".repeat(100_000), b"\0\xdcx\0".to_vec()].concat();
    let late = [b"\xff\xfe", &late[..]].concat();
    let cases: [(&[u8], &str, &str, &str); 5] = [
        (b"\xff\xfeh\0i", "UTF-16LE", "4", "h\u{fffd}"),
        (b"\xff\xfeh\0\x3d\xd8", "UTF-16LE", "4", "h\u{fffd}"),
        (b"\xfe\xff\0h\xd8\0\0x", "UTF-16BE", "4", "h\u{fffd}x"),
        (b"\xff\xfe\0\xdcx\0", "UTF-16LE", "2", "\u{fffd}x"),
        (&late, "UTF-16LE", "200002", ""),
    ];
    for (bytes, charset, at, lossy) in cases {
        let here = folder(&[("in.txt", bytes)]);
        let complaint = format!(
            "not {charset}: invalid at byte {at}, counted from 0; --lossy replaces invalid bytes with U+FFFD\n"
        );
        for subcommand in ["count", "encode", "show"] {
            let (code, _, stderr) = run(&[subcommand], bytes);
            let expected = format!("tiktally: standard input: {complaint}");
            assert_eq!((code, stderr), (Some(1), expected), "{subcommand}");
        }
        let (code, _, stderr) = tiktally(here.path(), &["count", "."], b"");
        assert_eq!(code, Some(1));
        assert!(
            stderr.ends_with(&format!("in.txt: {complaint}")),
            "{stderr}"
        );
        let text = decoded(&["--lossy"], bytes);
        assert!(lossy.is_empty() || text == lossy, "{text}");
    }
}

#[test]
fn other_charsets() {
    let japanese: &[u8] = b"\x93\xfa\x96\x7b\x8c\xea";
    assert_eq!(decoded(&["--charset", "shift_jis"], japanese), "日本語");
    assert_eq!(decoded(&["--charset", "Latin1"], b"caf\xe9"), "café");
    assert_eq!(decoded(&["--charset", "utf-16be"], b"\0h\0i"), "hi");
    // a mark goes first
    assert_eq!(decoded(&["--charset", "latin1"], &both("hi")[1]), "hi");
    // across blocks
    let long = japanese.repeat(70_001);
    assert!(decoded(&["--charset", "sjis"], &[b"x", &long[..]].concat()).ends_with("日本語"));

    let (code, _, stderr) = run(&["count", "--charset", "shift_jis"], b"ok \x93");
    let complaint = "tiktally: standard input: not Shift_JIS: invalid at byte 3, counted from 0; --lossy replaces invalid bytes with U+FFFD, --charset sets another charset\n";
    assert_eq!((code, stderr.as_str()), (Some(1), complaint));
    for label in ["klingon", "", "utf-32", "iso-2022-kr"] {
        let (code, _, stderr) = run(&["count", "--charset", label], b"x");
        assert_eq!(code, Some(2), "{label}");
        assert!(
            stderr.contains("no charset has this label; the labels are those of web pages"),
            "{label}: {stderr}"
        );
    }
}
