//! Finds the halves of tokens from their bytes. Shared with the build script, so nothing here depends on the rest of the
//! crate.
#![allow(clippy::indexing_slicing)] // ids are indices into vectors with an entry per token, joins are between symbols

use std::collections::HashMap;
use std::hash::BuildHasher;

use super::tables::{Made, NONE};

/// How the tokens of a vocabulary are made.
pub(crate) struct Derived {
    /// How each token is made, by id.
    pub(crate) made: Vec<Made>,
    /// The ids of the tokens that no merge gives, in ascending order. They are gaps in `made`.
    pub(crate) unmergeable: Vec<u32>,
    /// By id, whether a token is out of order, or made of one that is; empty if no token is.
    pub(crate) out_of_order: Vec<bool>,
}

/// Finds how each token is made. `tokens` has the bytes of each by id, empty for an id that no token has.
///
/// The halves of a token are the two tokens that are left when all other tokens merge its bytes. Mostly both have lower
/// ids, and one pass finds them. A token with a lower id than one of its halves is *out of order*: no merge gives it before
/// that half exists.
///
/// Returns `None` if the tokens do not merge to themselves with the halves that were found, or if finding them takes too
/// much [work](MAX_WORK).
///
/// # Complexity
/// O(n²) in the bytes of each token, a few times.
pub(crate) fn halves<S: BuildHasher + Clone>(tokens: &[&[u8]], hasher: &S) -> Option<Derived> {
    let mut out_of_order = OutOfOrder::default();
    let (mut made, mut work) = (Vec::new(), 0);
    for _ in 0..MAX_PASSES {
        let mut pass = Pass::new(tokens, &out_of_order, &made, hasher.clone());
        pass.work += work;
        let mut unmergeable = std::mem::take(&mut pass.unmergeable);
        if unmergeable
            .iter()
            .any(|id| out_of_order.follows.contains_key(id))
        {
            return None;
        }
        let known = out_of_order.found.len();
        if !pass.move_out_of_order(tokens, &mut unmergeable, &mut out_of_order) {
            return None;
        }
        if out_of_order.found.len() == known {
            let holds = known == 0 || pass.holds(tokens, &out_of_order);
            return holds.then(|| Derived {
                out_of_order: if known > 0 {
                    flags(&pass.made)
                } else {
                    Vec::new()
                },
                made: pass.made,
                unmergeable,
            });
        }
        (made, work) = (pass.made, pass.work);
        out_of_order.set_starts(tokens);
    }
    None
}

/// Returns by id whether a token is out of order, or made of one that is, directly or not.
fn flags(made: &[Made]) -> Vec<bool> {
    let mut out_of_order = vec![false; made.len()];
    let mut before = vec![];
    // a half that makes a token out of order may come after it
    while out_of_order != before {
        before.clone_from(&out_of_order);
        for (id, made) in made.iter().enumerate() {
            if let Made::Merge(left, right) = made {
                let halves = [*left as usize, *right as usize];
                out_of_order[id] |= halves
                    .into_iter()
                    .any(|half| half > id || out_of_order[half]);
            }
        }
    }
    out_of_order
}

/// The tokens that are out of order.
#[derive(Default)]
struct OutOfOrder {
    /// Their ids in the order in which they were found: the halves of a token come before it.
    found: Vec<u32>,
    /// By id, the token in its order whose existence makes this one possible.
    follows: HashMap<u32, u32>,
    /// The first [`START_BYTES`] bytes of each, as indices of true entries; empty if one of them is shorter.
    starts: Vec<bool>,
}

/// How many bytes of an out-of-order token are searched in other tokens.
const START_BYTES: usize = 3;

/// Returns the index of three bytes in a table of 2^16 entries.
fn start_index(bytes: [u8; START_BYTES]) -> usize {
    let [a, b, c] = bytes.map(usize::from);
    (a << 8 | b) ^ c << 4
}

impl OutOfOrder {
    /// Collects the beginnings of the tokens that were found.
    fn set_starts(&mut self, tokens: &[&[u8]]) {
        self.starts = vec![false; 1 << 16];
        for id in &self.found {
            let Some(start) = tokens[*id as usize].first_chunk() else {
                self.starts.clear();
                return;
            };
            self.starts[start_index(*start)] = true;
        }
    }

    /// Returns false if a token contains none of the tokens that were found, and then they do not change how its bytes
    /// merge. Of few others, it returns true too.
    fn may_change(&self, token: &[u8]) -> bool {
        let starts = token.windows(START_BYTES);
        let mut starts = starts.filter_map(|start| Some(start_index(*start.first_chunk()?)));
        self.starts.is_empty() || starts.any(|start| self.starts[start])
    }

    /// Returns the token in its order from which on `id` exists: `id` itself, unless it is out of order.
    fn exists_from(&self, id: u32) -> u32 {
        self.follows.get(&id).copied().unwrap_or(id)
    }

    /// Adds a token that exists as soon as both of its halves do.
    fn add(&mut self, id: u32, left: u32, right: u32) {
        let follows = self.exists_from(left).max(self.exists_from(right));
        self.found.push(id);
        self.follows.insert(id, follows);
    }
}

/// The most passes over all tokens. Each uses the out-of-order tokens that the previous one found. Real vocabularies need
/// two passes; Llama 3's has 90 such tokens.
const MAX_PASSES: usize = 8;

/// The most work of all passes: the square of the length of each token that is merged, plus [`WORK_OF_MERGE`]. More is
/// treated as an attack. If out-of-order tokens are halves of one another in a chain, each link costs a walk over all tokens
/// that are left. Without a limit, 250 links and 2,000 tokens of 255 bytes took half a minute (AMD EPYC, 28 November 2026).
const MAX_WORK: usize = 1 << 30;
const WORK_OF_MERGE: usize = 64;

/// A pass over the tokens in the order in which they begin to exist.
struct Pass<S> {
    /// The tokens of one byte.
    bytes: [Option<u32>; 256],
    made: Vec<Made>,
    /// By the two halves, the token.
    merges: HashMap<u64, u32, S>,
    /// The merges of two tokens of one byte by these bytes, which are half of the look-ups; [`NONE`] where there is none.
    of_bytes: Vec<u32>,
    /// The tokens whose bytes did not merge to exactly two others.
    unmergeable: Vec<u32>,
    /// The symbols of the bytes that are being merged, and the ids that neighbours join to.
    symbols: Vec<u32>,
    joins: Vec<Option<u32>>,
    /// The work so far, see [`MAX_WORK`].
    work: usize,
}

impl<S: BuildHasher> Pass<S> {
    /// Adds all tokens by id, each followed by those of `out_of_order` that it makes possible.
    ///
    /// `before` is how the pass before this one made the tokens, empty for the first one.
    fn new(tokens: &[&[u8]], out_of_order: &OutOfOrder, before: &[Made], hasher: S) -> Self {
        let mut pass = Self {
            bytes: [None; 256],
            made: vec![Made::Gap; tokens.len()],
            merges: HashMap::with_capacity_and_hasher(tokens.len(), hasher),
            of_bytes: vec![NONE; 1 << 16],
            unmergeable: Vec::new(),
            symbols: Vec::new(),
            joins: Vec::new(),
            work: 0,
        };
        for (id, token) in (0..).zip(tokens) {
            if let [byte] = **token {
                pass.bytes[usize::from(byte)] = Some(id);
                pass.made[id as usize] = Made::Byte(byte);
            }
        }
        let mut followers: HashMap<u32, Vec<u32>> = HashMap::new();
        for id in &out_of_order.found {
            let first = out_of_order.exists_from(*id);
            followers.entry(first).or_default().push(*id);
        }
        for (id, token) in (0..).zip(tokens) {
            if token.len() > 1 && !out_of_order.follows.contains_key(&id) {
                match before.get(id as usize) {
                    Some(made) if !out_of_order.may_change(token) => pass.set(id, token, *made),
                    _ => pass.add(id, token),
                }
            }
            for follower in followers.get(&id).into_iter().flatten() {
                pass.add(*follower, tokens[*follower as usize]);
            }
        }
        pass
    }

    /// Adds a token: its halves are the two symbols that the tokens so far merge it to.
    fn add(&mut self, id: u32, token: &[u8]) {
        self.merge(token);
        let made = match self.symbols[..] {
            [left, right] => Made::Merge(left, right),
            _ => Made::Gap,
        };
        self.set(id, token, made);
    }

    /// Sets how a token is made. A token of several bytes that is a gap is unmergeable.
    fn set(&mut self, id: u32, token: &[u8], made: Made) {
        self.made[id as usize] = made;
        match made {
            Made::Merge(left, right) => self.set_merge(id, token, left, right),
            _ => self.unmergeable.push(id),
        }
    }

    fn set_merge(&mut self, id: u32, token: &[u8], left: u32, right: u32) {
        self.merges.insert(pair(left, right), id);
        if let [left, right] = *token {
            self.of_bytes[byte_pair(left, right)] = id;
        }
    }

    /// Moves tokens from `unmergeable` to `out_of_order` if all tokens together merge to them. Returns false if that takes
    /// too much work.
    fn move_out_of_order(
        &mut self,
        tokens: &[&[u8]],
        unmergeable: &mut Vec<u32>,
        out_of_order: &mut OutOfOrder,
    ) -> bool {
        let mut before = usize::MAX;
        // a token that is found may be a half of another
        while unmergeable.len() < before && self.work <= MAX_WORK {
            before = unmergeable.len();
            unmergeable
                .retain(|id| !self.add_if_out_of_order(*id, tokens[*id as usize], out_of_order));
        }
        self.work <= MAX_WORK
    }

    /// Returns whether all tokens together merge to a token that those of lower ids did not give, and adds it then.
    fn add_if_out_of_order(
        &mut self,
        id: u32,
        token: &[u8],
        out_of_order: &mut OutOfOrder,
    ) -> bool {
        self.merge(token);
        let [left, right] = self.symbols[..] else {
            return false;
        };
        self.set_merge(id, token, left, right);
        out_of_order.add(id, left, right);
        true
    }

    /// Returns whether each merge token is the merge of its own bytes. That is so for tokens that contain no token out of
    /// order: tokens of higher ids begin to exist only when the halves of this one are left.
    fn holds(&mut self, tokens: &[&[u8]], out_of_order: &OutOfOrder) -> bool {
        (0..).zip(tokens).all(|(id, token)| {
            if let Made::Merge(..) = self.made[id as usize]
                && out_of_order.may_change(token)
            {
                self.merge(token);
                return self.symbols == [id];
            }
            true
        })
    }

    /// Merges some bytes to `symbols`, by the tokens that were added so far.
    fn merge(&mut self, bytes: &[u8]) {
        self.work += bytes.len().pow(2) + WORK_OF_MERGE;
        let symbols = bytes
            .iter()
            .filter_map(|byte| self.bytes[usize::from(*byte)]);
        self.symbols.clear();
        self.symbols.extend(symbols);
        let joins = bytes.windows(2).map(|pair| {
            let merged = self.of_bytes[byte_pair(pair[0], pair[1])];
            Some(merged).filter(|merged| *merged != NONE)
        });
        self.joins.clear();
        self.joins.extend(joins);
        let merges = &self.merges;
        join_symbols(&mut self.symbols, &mut self.joins, |left, right| {
            merges.get(&pair(left, right)).copied()
        });
    }
}

/// Packs two ids into one number, which hashes faster than two.
fn pair(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Returns the index of two bytes in a table of 2^16 entries.
fn byte_pair(left: u8, right: u8) -> usize {
    usize::from(left) << 8 | usize::from(right)
}

/// Joins the pair of the lowest rank, the leftmost on a tie, until no pair can be joined. `joins` is scratch memory.
pub(crate) fn merge_symbols(
    symbols: &mut Vec<u32>,
    joins: &mut Vec<Option<u32>>,
    merged: impl Fn(u32, u32) -> Option<u32>,
) {
    joins.clear();
    joins.extend(symbols.windows(2).map(|pair| merged(pair[0], pair[1])));
    join_symbols(symbols, joins, merged);
}

/// Merges symbols whose neighbours join to the ids in `joins`.
fn join_symbols(
    symbols: &mut Vec<u32>,
    joins: &mut Vec<Option<u32>>,
    merged: impl Fn(u32, u32) -> Option<u32>,
) {
    loop {
        let ranks = (0..).zip(&*joins);
        let best = ranks.filter_map(|(at, join)| Some(((*join)?, at))).min();
        let Some((id, at)) = best else {
            return;
        };
        symbols[at] = id;
        symbols.remove(at + 1);
        joins.remove(at);
        if at > 0 {
            joins[at - 1] = merged(symbols[at - 1], id);
        }
        if at < joins.len() {
            joins[at] = merged(id, symbols[at + 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    /// Returns the bytes, and a chain of tokens from `yz` on, each of which is a half of the token with the id before it.
    fn chain(links: usize) -> Vec<Vec<u8>> {
        let bytes = (0..=255).map(|byte| vec![byte]);
        let longer = (1..=links).rev().map(|len| {
            let mut token = vec![b'z'; len + 1];
            token[0] = b'y';
            token
        });
        bytes.chain(longer).collect()
    }

    fn derived(tokens: &[Vec<u8>]) -> Option<Derived> {
        let tokens: Vec<&[u8]> = tokens.iter().map(Vec::as_slice).collect();
        halves(&tokens, &RandomState::new())
    }

    #[test]
    fn a_chain_against_the_order_is_followed_unless_it_is_much_work() {
        let mut tokens = chain(120);
        let found = derived(&tokens).unwrap();
        let last = tokens.len() - 1;
        assert_eq!(found.made[256], Made::Merge(257, u32::from(b'z')));
        assert_eq!(found.made[last], Made::Merge(b'y'.into(), b'z'.into()));
        assert!(found.unmergeable.is_empty());
        assert!(found.out_of_order[256..last].iter().all(|is| *is));
        // no merge gives these, and each link of the chain might
        let mut random = crate::texts::Random::new(1);
        let pairs = (0..64).map(|i| vec![b'a' + i / 8, b'a' + i % 8]);
        tokens.extend(pairs);
        let letters = |_| (0..255).map(|_| b'a' + random.below(8) as u8).collect();
        let unmergeable: Vec<Vec<u8>> = (0..2000).map(letters).collect();
        assert!(derived(&tokens).is_some());
        tokens.extend(unmergeable);
        assert!(derived(&tokens).is_none());
    }
}
