//! Suggestions for unknown names: the known name that was probably meant.
//!
//! Nothing uses a suggestion by itself: it only stands in the message of an error.

use super::models;

/// The longest name that is compared, in bytes. The longest known one has 45.
const MAX_LEN: usize = 64;

/// Returns the name of a model that has an encoding and is near an unknown name.
///
/// Names from routers come with a provider (`openai/gpt-4o`, `openai:gpt-4o`) or a variant (`gpt-4o:free`).
pub(crate) fn model(unknown: &str) -> Option<String> {
    let name = unknown.trim();
    let name = name.rsplit('/').next().unwrap_or(name);
    let found = match name.get(..3) {
        // the rest belongs to the user: its case matters
        Some(tuned) if tuned.eq_ignore_ascii_case("ft:") => {
            let (base, rest) = split_at_colon(name.get(3..).unwrap_or_default());
            known_or_near(base).map(|base| format!("ft:{base}{rest}"))
        }
        _ => {
            let (before, rest) = split_at_colon(name);
            known_or_near(before)
                .or_else(|| known_or_near(rest.get(1..)?))
                .or_else(|| known_or_near(name))
        }
    };
    found.filter(|name| name != unknown && is_known(name))
}

/// Returns the name of an encoding that is near an unknown name, or the encoding of the model that has this name.
pub(crate) fn encoding(unknown: &str, known: &[&'static str]) -> Option<String> {
    let name = unknown.trim();
    let near = nearest(name, known.iter().copied());
    near.or_else(|| models::encoding_name_for_model(name).ok())
        .map(str::to_owned)
}

fn is_known(model: &str) -> bool {
    models::encoding_name_for_model(model).is_ok()
}

/// Splits a name before its first colon.
fn split_at_colon(name: &str) -> (&str, &str) {
    name.split_at(name.find(':').unwrap_or(name.len()))
}

/// Returns the name itself if it is one of a model, or else the nearest one.
fn known_or_near(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let known = [name, &lower].into_iter().find(|name| is_known(name));
    known
        .or_else(|| nearest(name, models::names_with_encoding()))
        .map(str::to_owned)
}

/// Returns the nearest of the known names, the first one of equally near ones; `None` if no name is near.
fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if name.len() > MAX_LEN {
        return None;
    }
    let (lower, plain) = (name.to_ascii_lowercase(), plain(name));
    let near = known.filter_map(|known| Some((distance(&lower, &plain, known)?, known)));
    let (_, nearest) = near.min_by_key(|(distance, _)| *distance)?;
    Some(nearest)
}

/// Returns a measure of how far a known name is from an unknown one in lower case; `None` if it is too far.
///
/// `plain` is the [plain](plain) form of the unknown name.
fn distance(lower: &str, plain: &str, known: &str) -> Option<usize> {
    let known_plain = self::plain(known);
    // another digit is another model: gpt-6 is no slip of the finger for gpt-5
    if digits(plain).eq(digits(&known_plain)) {
        let slips = strsim::osa_distance(plain, &known_plain);
        let allowed = match plain.len() {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        if slips <= allowed {
            return Some(slips);
        }
    }
    // cl100k for cl100k_base: after all names with slips, the shortest first
    let rest = known.strip_prefix(lower)?;
    let is_whole_word = rest.starts_with(['-', '_']);
    // neither is gpt near gpt-5, nor text near text-ada-001
    let is_large_part = lower.len() > 3 && lower.len() * 5 >= known.len() * 2;
    (is_whole_word && is_large_part).then_some(MAX_LEN + known.len())
}

/// Returns a name without the marks that people forget, in lower case, and with letters for zeros: `gpt4o` for `GPT-40`.
fn plain(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_alphanumeric());
    kept.map(|c| match c {
        '0' => 'o',
        c => c.to_ascii_lowercase(),
    })
    .collect()
}

/// Returns the digits of a plain name.
fn digits(plain: &str) -> impl Iterator<Item = char> {
    plain.chars().filter(char::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every known name is found under the marks and cases that people use, and never becomes another name.
    #[test]
    fn known_names_in_disguise() {
        for name in models::names_with_encoding() {
            assert!(name.len() <= MAX_LEN);
            let routed = format!("openai/{name}");
            let spaced = format!(" {name}\n");
            for disguise in [name.to_ascii_uppercase(), routed, spaced] {
                if is_known(&disguise) {
                    continue;
                }
                assert_eq!(model(&disguise).as_deref(), Some(name), "{disguise:?}");
            }
        }
    }
}
