//! Refuses patterns that could find other pieces here than in the regex engine of a `tokenizer.json`.
//!
//! That engine is Oniguruma with its own syntax. Features that both have and that mean the same are let through; of the
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
    let checked = check_others(&rest).and_then(|()| check_items(&rest));
    checked.map_err(|(feature, why)| {
        format!(
            "`{feature}` in the pattern {} has another meaning in the regex engine of the file: {why}",
            shown(pattern)
        )
    })?;
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

/// A part of a pattern that means something else, and why.
type Other = (String, &'static str);

/// Fails if the pattern has one of the [`OTHERS`].
fn check_others(pattern: &str) -> Result<(), Other> {
    let other = OTHERS.iter().find(|(part, _)| pattern.contains(part));
    other.map_or(Ok(()), |(part, why)| Err(((*part).to_owned(), why)))
}

/// Fails at the first escape, quantifier, anchor or group that means something else.
fn check_items(pattern: &str) -> Result<(), Other> {
    let (mut depth, mut rest) = (0_usize, pattern);
    while let Some(c) = rest.chars().next() {
        let len = match c {
            '\\' => escape_len(rest)?,
            '[' => {
                depth += 1;
                class_start_len(rest)
            }
            ']' => {
                depth = depth.saturating_sub(1);
                1
            }
            _ if depth > 0 => c.len_utf8(),
            '^' | '$' => return Err((c.into(), "it is the beginning or end of a line there")),
            '(' => group_len(rest)?,
            '?' | '*' | '+' | '{' => quantifier_len(rest)?,
            _ => c.len_utf8(),
        };
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(())
}

/// Returns the length of the beginning of a class of characters, with a bracket that comes first: that is a character.
fn class_start_len(rest: &str) -> usize {
    let open = 1 + usize::from(rest.starts_with("[^"));
    let inside = rest.get(open..).unwrap_or_default();
    open + usize::from(inside.starts_with(']'))
}

/// Returns the length of the escape that `rest` begins with.
fn escape_len(rest: &str) -> Result<usize, Other> {
    let Some(escaped) = rest.chars().nth(1) else {
        return Ok(rest.len());
    };
    if let Some(why) = other_escape(escaped, rest) {
        return Err((format!("\\{escaped}"), why));
    }
    Ok(match rest.as_bytes() {
        [_, b'p' | b'P' | b'x' | b'u', b'{', ..] => rest.find('}').map_or(rest.len(), |at| at + 1),
        _ => 1 + escaped.len_utf8(),
    })
}

/// Returns the length of what begins a group, up to its kind.
fn group_len(rest: &str) -> Result<usize, Other> {
    let same = ["(?:", "(?!", "(?=", "(?<=", "(?<!", "(?>"];
    if !rest.starts_with("(?") {
        Ok(1)
    } else if same.iter().any(|same| rest.starts_with(same)) {
        Ok(2)
    } else {
        let group = rest.chars().take(3).collect();
        Err((group, "flags and names of groups differ"))
    }
}

/// Returns the length of the quantifier that `rest` begins with.
///
/// There, `{2}?` makes a part optional, `{2}+` and `+?+` repeat a repetition, and braces with a space are text.
fn quantifier_len(rest: &str) -> Result<usize, Other> {
    let (len, suffixes) = match rest.strip_prefix('{').map(|rest| rest.split_once('}')) {
        None => (1, "?+"),
        Some(Some((range, _))) if is_range(range) => {
            (range.len() + 2, if range.contains(',') { "?" } else { "" })
        }
        Some(_) => (0, ""),
    };
    let suffix = rest.get(len..).and_then(|after| after.chars().next());
    let len = len + usize::from(suffix.is_some_and(|suffix| suffixes.contains(suffix)));
    let goes_on = rest
        .get(len..)
        .is_some_and(|after| after.starts_with(['?', '*', '+', '{']));
    if goes_on {
        let is_part = |c: &char| matches!(c, '?' | '*' | '+' | '{' | '}' | ',' | '0'..='9');
        let quantifier = rest.chars().take_while(is_part).collect();
        return Err((quantifier, "it is another quantifier there, or none"));
    }
    Ok(len)
}

/// Returns whether this is the text between the braces of a quantifier.
fn is_range(range: &str) -> bool {
    let (least, most) = range.split_once(',').unwrap_or((range, range));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_backward = match (least.parse::<u32>(), most.parse::<u32>()) {
        (Ok(least), Ok(most)) => least > most,
        _ => false,
    };
    is_number(least) && is_number(most) && !(least.is_empty() && most.is_empty()) && !is_backward
}

/// Returns why an escape means something else. `rest` begins with its backslash.
fn other_escape(escaped: char, rest: &str) -> Option<&'static str> {
    match escaped {
        'w' | 'W' | 'b' | 'B' | '<' | '>' => Some("the characters of words differ"),
        'h' | 'H' | 'R' | 'X' | 'K' | 'G' | 'Z' | 'y' | 'Y' | 'N' | 'O' | 'U' | 'g' => {
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
