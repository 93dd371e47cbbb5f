//! The page of `tiktally show --html`, in a headless browser.
//!
//! The browser prints the page after its script has run. A script appended to the page's own does what a person would do
//! with the pointer.

use std::fs;
use std::io::Write;
use std::process::Command;

use crate::common::{folder, tiktally};
use crate::tokenizer::rank_file;

/// Text that would run as a script if it were not escaped, or would end the data.
const HOSTILE: &str = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">\n\
    </script><!-- <script> {{data}} ]]> &lt;b&gt; naïve 🦀 end\n";

/// Returns the page for a text as a browser prints it after this script, or `None` without a browser.
fn opened(text: &str, script: &str) -> Option<String> {
    opened_with(&[], "", text, script)
}

/// Returns the page as [`opened`] does, for these further arguments, of which one names the file `ranks`.
fn opened_with(args: &[&str], ranks: &str, text: &str, script: &str) -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let runs = |name: &&str| {
        let version = Command::new(name).arg("--version").output();
        version.is_ok_and(|version| version.status.success())
    };
    let Some(browser) = names.into_iter().find(runs) else {
        let _ = writeln!(std::io::stderr(), "skipped: no Chromium is installed");
        return None;
    };
    let here = folder(&[("in.txt", text.as_bytes()), ("ranks", ranks.as_bytes())]);
    let args = [&["show", "--html", "page.html", "in.txt"], args].concat();
    assert_eq!(tiktally(here.path(), &args, b"").0, Some(0));
    let path = here.path().join("page.html");
    let mut page = fs::read_to_string(&path).unwrap();
    page.extend(["<script>", script, "</script>"]);
    fs::write(&path, page).unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg("--dump-dom")
        .arg(format!(
            "--user-data-dir={}",
            here.path().join("profile").display()
        ))
        .arg(format!("file://{}", path.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    // without what the page brings along
    let (_, shown) = dom
        .split_once("<header>")
        .unwrap_or_else(|| panic!("{dom}"));
    let (shown, _) = shown.split_once("<noscript>").unwrap();
    let title = dom
        .split_once("<title>")
        .unwrap()
        .1
        .split_once("</title>")
        .unwrap()
        .0;
    Some(format!("<title>{title}</title>{shown}"))
}

#[test]
fn hostile_text_is_shown_and_does_nothing() {
    let Some(page) = opened(HOSTILE, "") else {
        return;
    };
    assert!(page.contains("<title>tokens: in.txt</title>"), "{page}");
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<!--"));
    // the tokens one after the other are the text, but for the crab, which is three of them
    let section = page
        .split_once("<pre>")
        .unwrap()
        .1
        .split_once("</pre>")
        .unwrap()
        .0;
    let mut text = String::new();
    for part in section.split('<') {
        text += part.split_once('>').map_or("", |(_, text)| text);
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    assert_eq!(text, HOSTILE.replace(" 🦀", r" \xf0\x9f\xa6\x80"));
}

#[test]
fn tokens_have_colours() {
    let Some(page) = opened("hello world\n", "") else {
        return;
    };
    for token in [
        r#"<span class="t c0" data-i="0" data-byte="0" data-end="5">hello</span>"#,
        r#"<span class="t c1" data-i="1" data-byte="5" data-end="11"> world</span>"#,
        "<span class=\"t c2\" data-i=\"2\" data-byte=\"11\" data-end=\"12\"><span class=\"n\">\n</span></span>",
    ] {
        assert!(page.contains(token), "{page}");
    }
    assert!(page.contains("12 characters, 12 bytes"));
    assert!(page.contains("<p>3 tokens, 4.00 bytes per token</p>"));
    for encoding in ["o200k_base", "cl100k_base", "p50k_base", "r50k_base"] {
        assert!(
            page.contains(&format!(">{encoding} <b>3</b></button>")),
            "{page}"
        );
    }
    assert_eq!(page.matches("<section>").count(), 1);
}

#[test]
fn the_pointer_shows_id_and_bytes() {
    let script = "
        const token = document.querySelectorAll('.t')[1];
        token.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, clientX: 90, clientY: 90 }));";
    let Some(page) = opened("naïve", script) else {
        return;
    };
    let tip = page.split_once(r#"role="tooltip""#).unwrap().1;
    assert!(!tip.contains("hidden"), "{tip}");
    for told in [
        "id <code>9954<",
        "bytes <code>c3 af<",
        "text <code>ï<",
        "token <code>2 of 3, at byte 2<",
    ] {
        assert!(tip.contains(told), "{tip}");
    }
    assert!(page.contains(r#"class="t c1 at""#), "{page}");
}

/// A tokenizer file may have longer tokens and larger ids than the built-in encodings.
#[test]
fn long_tokens_of_a_tokenizer_file() {
    let long = "a".repeat(700);
    let ranks = rank_file(&[(long.as_bytes(), 70_000_000)]);
    let args = ["--tokenizer", "ranks", "--pattern", "gpt2"];
    let script = "
        const token = document.querySelectorAll('.t')[1];
        token.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, clientX: 90, clientY: 90 }));";
    let Some(page) = opened_with(&args, &ranks, &format!("\n{long}\n"), script) else {
        return;
    };
    let token = format!(r#"data-i="1" data-byte="1" data-end="701">{long}</span>"#);
    assert!(page.contains(&token), "{page}");
    for told in [
        "<h2>ranks</h2><p>3 tokens",
        ">ranks <b>3</b>",
        "id <code>70000000<",
    ] {
        assert!(page.contains(told), "{page}");
    }
}

#[test]
fn encodings_side_by_side() {
    let script = "
        const [first, second] = document.querySelectorAll('button');
        second.click();
        second.click();
        second.click();
        first.click();
        first.click();";
    let Some(page) = opened("naïve 🦀 reading\n", script) else {
        return;
    };
    let titles: Vec<&str> = page
        .split("<h2>")
        .skip(1)
        .map(|rest| rest.split_once('<').unwrap().0)
        .collect();
    assert_eq!(titles, ["o200k_base", "cl100k_base"]);
    assert_eq!(page.matches(r#"aria-pressed="true""#).count(), 2);
    // the last one that is shown stays
    let Some(page) = opened("x", "document.querySelector('button').click();") else {
        return;
    };
    assert_eq!(page.matches("<section>").count(), 1);
}

/// A line that continues in another block stays one line of the page.
#[test]
fn one_long_line() {
    let blocks = |text: &str| {
        let page = opened(text, "")?;
        let open = page.matches("<div class=\"open\"").count();
        Some((page.matches("<div class=").count(), open))
    };
    if let Some(blocks) = blocks(&"word ".repeat(8000)) {
        assert_eq!(blocks, (3, 3));
    }
    if let Some((all, open)) = blocks(&"word\n".repeat(8000)) {
        assert!(all > 3 && open == 0, "{open} of {all}");
    }
}

/// A large text has tokens only in the visible part, at its beginning; the rest is plain text.
#[test]
fn a_large_text() {
    let text = "One line is much like another, and there are many.\n".repeat(20_000);
    let Some(page) = opened(&text, "") else {
        return;
    };
    let tokens = page.matches(r#"<span class="t "#).count();
    assert!((100..20_000).contains(&tokens), "{tokens}");
    assert_eq!(page.matches("One").count(), 20_000);
}
