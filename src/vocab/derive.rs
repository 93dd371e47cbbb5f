//! The parts of tokens from their bytes. Shared with the build script, so nothing here depends on the rest of the crate.

use std::collections::HashMap;
use std::hash::BuildHasher;

use super::tables::{Made, NONE, stay_apart};

/// What each token is made of, in the order of the ids; `tokens` gives the bytes, empty for an id that no token has.
///
/// # Errors
/// The id of a token that merging its own bytes does not give, or that comes before its parts.
pub(crate) fn parts<S: BuildHasher + Default>(tokens: &[&[u8]]) -> Result<Vec<Made>, u32> {
    let ids: HashMap<&[u8], u32, S> = tokens
        .iter()
        .enumerate()
        .map(|(id, token)| (*token, id as u32))
        .collect();
    let mut made: Vec<Made> = Vec::with_capacity(tokens.len());
    let mut merges: HashMap<(u32, u32), u32, S> = HashMap::default();
    for (id, token) in tokens.iter().enumerate() {
        let id = id as u32;
        let whole = match **token {
            [] => Made::Gap,
            [byte] => Made::Byte(byte),
            _ => {
                let part = |bytes: &[u8]| ids.get(bytes).copied().filter(|part| *part < id);
                let cut = |at: usize| Some((part(token.get(..at)?)?, part(token.get(at..)?)?));
                // with the merges so far, the right parts are those that merging leaves apart
                let merged = |left, right| merges.get(&(left, right)).copied().unwrap_or(NONE);
                let parts = |id: u32| {
                    made.get(id as usize)
                        .copied()
                        .unwrap_or(Made::Gap)
                        .numbers()
                };
                let right_cut =
                    |(left, right): &(u32, u32)| stay_apart(*left, *right, merged, parts);
                let (left, right) = (1..token.len()).filter_map(cut).find(right_cut).ok_or(id)?;
                merges.insert((left, right), id);
                Made::Merge(left, right)
            }
        };
        made.push(whole);
    }
    Ok(made)
}
