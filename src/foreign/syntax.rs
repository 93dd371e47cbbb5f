//! Refuses patterns that could find other pieces here than in the regex engine of a `tokenizer.json`.
//!
//! That engine is Oniguruma with the syntax of Ruby. Features that both have and that mean the same are let through; of the
//! others, each is refused by name.

use fancy_regex::Expr;

use super::shown;

/// The most bytes of a pattern: compiling takes more than linear time. Real ones have up to 1,000.
pub(super) const MAX_PATTERN_BYTES: usize = 8_000;

/// The most possessive quantifiers of a pattern: each is compared with all that follow it.
const MAX_POSSESSIVE: usize = 64;

/// The ways in which files write English contractions in both cases. Oniguruma and this crate match the same text.
const CONTRACTIONS: [&str; 2] = ["(?i:'s|'t|'re|'ve|'m|'ll|'d)", "(?i:[sdmt]|ll|ve|re)"];

/// Parts of a pattern that mean something else, and why.
const OTHERS: [(&str, &str); 5] = [
    ("[:", "a class of POSIX is that of ASCII here"),
    ("--", "this may be a difference of classes here"),
    ("~~", "this may be a difference of classes here"),
    ("&&", "it has another precedence"),
    ("\\p{^", "it is a negation there"),
];

/// Names of properties that are another class in Oniguruma, or only there.
const PROPERTIES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Returns the problem with a pattern, if there is one.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!(
            "the pattern {} has more than {MAX_PATTERN_BYTES} bytes",
            shown(pattern)
        ));
    }
    let possessive = ["++", "?+", "*+"];
    let count = |part: &&str| pattern.matches(*part).count();
    if possessive.iter().map(count).sum::<usize>() > MAX_POSSESSIVE {
        return Err(format!(
            "the pattern {} has more than {MAX_POSSESSIVE} possessive quantifiers",
            shown(pattern)
        ));
    }
    let known = |text: String, known: &&str| text.replace(*known, "(?:)");
    let rest = CONTRACTIONS.iter().fold(pattern.to_owned(), known);
    if let Some((feature, why)) = other_part(&rest).or_else(|| other_char(&rest)) {
        return Err(format!(
            "`{feature}` in the pattern {} has another meaning in the regex engine of the file: {why}",
            shown(pattern)
        ));
    }
    let expr = Expr::parse_tree(pattern)
        .map_err(|error| format!("the pattern {} is not supported: {error}", shown(pattern)))?;
    if least_chars(&expr.expr) == 0 {
        return Err(format!(
            "the pattern {} may match between two characters, where the file would split",
            shown(pattern)
        ));
    }
    Ok(())
}

fn other_part(pattern: &str) -> Option<(String, &'static str)> {
    let part = OTHERS.iter().find(|(part, _)| pattern.contains(part))?;
    Some((part.0.to_owned(), part.1))
}

/// Returns the first escape, anchor or group that means something else.
fn other_char(pattern: &str) -> Option<(String, &'static str)> {
    let (mut depth, mut chars) = (0_usize, pattern.char_indices());
    while let Some((at, c)) = chars.next() {
        let rest = pattern.get(at..).unwrap_or_default();
        match c {
            '\\' => {
                let escaped = chars.next()?.1;
                if let Some(why) = other_escape(escaped, rest) {
                    return Some((format!("\\{escaped}"), why));
                }
                if matches!(rest.as_bytes(), [_, b'p' | b'P' | b'x' | b'u', b'{', ..]) {
                    chars.find(|(_, c)| *c == '}');
                }
            }
            '[' => {
                depth += 1;
                if rest.starts_with("[^") {
                    chars.next();
                }
            }
            ']' => depth = depth.saturating_sub(1),
            '}' if depth == 0 && rest.starts_with("}+") => {
                let why = "it is possessive here, and a repetition there";
                return Some(("}+".to_owned(), why));
            }
            '^' | '$' if depth == 0 => {
                return Some((c.into(), "it is the beginning or end of a line there"));
            }
            '(' if depth == 0 && rest.starts_with("(?") => {
                let same = ["(?:", "(?!", "(?=", "(?<=", "(?<!", "(?>"];
                if !same.iter().any(|same| rest.starts_with(same)) {
                    let group = rest.chars().take(3).collect();
                    return Some((group, "flags and names of groups differ"));
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns why an escape means something else. `rest` begins with its backslash.
fn other_escape(escaped: char, rest: &str) -> Option<&'static str> {
    match escaped {
        'w' | 'W' | 'b' | 'B' | '<' | '>' => Some("the characters of words differ"),
        'h' | 'H' | 'R' | 'X' | 'K' | 'G' | 'Z' | 'y' | 'Y' | 'N' | 'O' => {
            Some("it is a feature of one of the two")
        }
        'p' | 'P' => {
            let name = rest.get(2..)?.strip_prefix('{').map(|name| {
                let end = name.find('}').unwrap_or(name.len());
                name.get(..end).unwrap_or_default().to_ascii_lowercase()
            });
            let is_same = name.is_some_and(|name| !PROPERTIES.contains(&&*name));
            (!is_same).then_some("its class differs, or has another name")
        }
        _ => None,
    }
}

/// Returns a number of characters that each match has at least. It may be too low, and is 0 for rare features.
fn least_chars(expr: &Expr) -> usize {
    match expr {
        Expr::Any { .. } | Expr::Delegate { .. } | Expr::GeneralNewline { .. } => 1,
        Expr::Literal { val, .. } => usize::from(!val.is_empty()),
        Expr::Concat(parts) => parts.iter().map(least_chars).fold(0, usize::saturating_add),
        Expr::Alt(parts) => parts.iter().map(least_chars).min().unwrap_or(0),
        Expr::Group(inner) => least_chars(inner),
        Expr::AtomicGroup(inner) => least_chars(inner),
        Expr::Repeat { child, lo, .. } => least_chars(child).saturating_mul(*lo),
        _ => 0,
    }
}
