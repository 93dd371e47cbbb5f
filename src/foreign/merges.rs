//! Checks that the merges of a file give the ids of byte pair encoding by ranks.
//!
//! The file joins the pair of the first merge in its list, this crate the pair whose token has the lowest id. Two tokens
//! that stand side by side are merged to a token only if they are its two halves: no other pair with its bytes ever meets,
//! see [`derive`](crate::vocab::derive). So both give the same if each token's halves are in the list, and the list is in
//! the order of the ids of the tokens that it gives. More pairs in the list change nothing.

use std::borrow::Cow;

use super::letters::Letters;
use super::tokenizer_json::MergeText;
use super::{invalid, shown, unsupported};
use crate::error::Error;
use crate::token_id::TokenId;
use crate::vocab::Regular;

/// Fails if the merges do not give the ids of the vocabulary.
pub(super) fn check(
    vocab: &Regular,
    merges: &[MergeText<'_>],
    ignores_merges: bool,
    letters: &Letters,
) -> Result<(), Error> {
    let mut found = vec![false; vocab.max_id() as usize + 1];
    let mut last = 0;
    let mut bytes = Vec::new();
    for (i, merge) in merges.iter().enumerate() {
        let place = || format!("model.merges[{i}]");
        let (left, right) = halves(merge).ok_or_else(|| {
            invalid(
                place(),
                "a merge is two tokens, as \"a b\" or [\"a\", \"b\"]",
            )
        })?;
        bytes.clear();
        let is_left = letters.append_bytes(left, &mut bytes);
        let end = bytes.len();
        let is_right = letters.append_bytes(right, &mut bytes);
        let unknown = |text: &str| {
            let problem = format!("there is no token {} in the vocabulary", shown(text));
            invalid(place(), problem)
        };
        let (one, two) = bytes.split_at(end);
        let one = vocab.id(one).filter(|_| is_left);
        let one = one.ok_or_else(|| unknown(left))?;
        let two = vocab.id(two).filter(|_| is_right);
        let two = two.ok_or_else(|| unknown(right))?;
        let whole = vocab.id(&bytes);
        let whole = whole.ok_or_else(|| unknown(&format!("{left}{right}")))?;
        if whole < last {
            let problem = format!(
                "it gives the token {whole} after one that gives {last}; the merges must be in the order of the ids"
            );
            return Err(unsupported(place(), problem));
        }
        last = whole;
        if vocab.halves(whole) == Some((one, two))
            && let Some(found) = found.get_mut(whole as usize)
        {
            *found = true;
        }
    }
    let name = |id: TokenId| format!("\"{}\"", vocab.token(id).unwrap_or_default().escape_ascii());
    for (id, token) in vocab.tokens() {
        if token.len() < 2 || found.get(id as usize) == Some(&true) {
            continue;
        }
        match vocab.halves(id) {
            Some((left, right)) => {
                let problem = format!(
                    "no merge of {} and {} gives the token {} with the id {id}, but its bytes merge to these two",
                    name(left),
                    name(right),
                    name(id)
                );
                return Err(unsupported("model.merges", problem));
            }
            None if !ignores_merges => {
                let problem = format!(
                    "no merges give the token {} with the id {id}, and `ignore_merges` is not set",
                    name(id)
                );
                return Err(unsupported("model.merges", problem));
            }
            None => {}
        }
    }
    Ok(())
}

/// Returns the two tokens of a merge.
fn halves<'m>(merge: &'m MergeText<'_>) -> Option<(&'m str, &'m str)> {
    match merge {
        MergeText::One(text) => {
            let (left, right) = text.split_once(' ')?;
            (!right.contains(' ')).then_some((left, right))
        }
        MergeText::Two(left, right) => Some((Cow::as_ref(left), Cow::as_ref(right))),
        MergeText::Other => None,
    }
}
