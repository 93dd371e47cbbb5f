//! Tokens as text, spaced as people write them.

use quote::ToTokens;

/// The text of a syntax node on one line.
pub(crate) fn tokens(node: impl ToTokens) -> String {
    let text = node.to_token_stream().to_string();
    let words = words(&text);
    let mut shown = String::new();
    for (i, word) in words.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| words[i]);
        if before.is_some_and(|before| is_space_between(before, word)) {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    // The commas that only multi-line code needs.
    shown.replace(",)", ")").replace(",>", ">")
}

/// The tokens again: their text has spaces in places that mean nothing and that may change.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            '\'' => 1 + name_len(&rest[1..]),
            _ if name_len(rest) > 0 => name_len(rest),
            _ if ["->", "::", "=>", "=="]
                .iter()
                .any(|two| rest.starts_with(two)) =>
            {
                2
            }
            _ => first.len_utf8(),
        };
        words.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    words
}

fn name_len(text: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// Whether a space stands between two neighbouring tokens.
fn is_space_between(before: &str, after: &str) -> bool {
    const CLOSE: [&str; 11] = [",", ";", ":", "::", ")", "]", ">", ".", "<", "!", "\""];
    const OPEN: [&str; 10] = ["(", "[", "<", "&", "::", ".", "#", "$", "?", "!"];
    // Words that no call or index follows.
    const KEYWORDS: [&str; 7] = ["mut", "dyn", "for", "as", "in", "where", "impl"];
    let is_name = |word: &str| name_len(word) > 0;
    match after {
        _ if CLOSE.contains(&after) || OPEN.contains(&before) => before == "->" && after != ">",
        "(" | "[" => {
            KEYWORDS.contains(&before) || !(is_name(before) || matches!(before, ")" | "]" | ">"))
        }
        _ => true,
    }
}
