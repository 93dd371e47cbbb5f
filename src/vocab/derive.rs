//! The parts of tokens from their bytes. Shared with the build script, so nothing here depends on the rest of the crate.
#![allow(clippy::indexing_slicing)] // ids are places in what is made of the tokens, joins are between symbols

use std::collections::HashMap;
use std::hash::BuildHasher;

use super::tables::Made;

/// What each token is made of by id, and the ids of those that no merge gives, which are gaps among the others.
pub(crate) struct Derived {
    pub(crate) made: Vec<Made>,
    pub(crate) unmergeable: Vec<u32>,
    /// By id, the tokens that are out_of_order, or made of such; none if there are none.
    pub(crate) out_of_order: Vec<bool>,
}

/// What each token is made of, in the order of the ids; `tokens` gives the bytes, empty for an id that no token has.
///
/// A token is made of the two parts that are left when its bytes are merged by all other tokens. Mostly these are of lower
/// ids, and one pass finds them. A token of a lower id than one of its parts is *out_of_order*: it is there when that part is.
///
/// `None` if what is found by that is not how the tokens merge after all.
///
/// # Complexity
/// O(n²) in the bytes of each token.
pub(crate) fn halves<S: BuildHasher + Clone>(tokens: &[&[u8]], hasher: &S) -> Option<Derived> {
    let mut out_of_order = OutOfOrder::default();
    for _ in 0..MAX_PASSES {
        let mut pass = Pass::new(tokens, &out_of_order, hasher.clone());
        let mut others = std::mem::take(&mut pass.others);
        if others.iter().any(|id| out_of_order.with.contains_key(id)) {
            return None;
        }
        let known = out_of_order.order.len();
        // one that is found may be a part of another
        for _ in 0..MAX_DEPTH {
            let before = others.len();
            others.retain(|id| !pass.is_out_of_order(*id, tokens[*id as usize], &mut out_of_order));
            if others.len() == before {
                break;
            }
        }
        if out_of_order.order.len() == known {
            let holds = known == 0 || pass.holds(tokens);
            return holds.then(|| Derived {
                out_of_order: if known > 0 {
                    flags(&pass.made)
                } else {
                    Vec::new()
                },
                made: pass.made,
                unmergeable: others,
            });
        }
    }
    None
}

/// Which tokens have a lower id than one of those that they are made of.
fn flags(made: &[Made]) -> Vec<bool> {
    let mut out_of_order = vec![false; made.len()];
    let mut before = vec![];
    // one is out_of_order by a part that may stand behind it
    while out_of_order != before {
        before.clone_from(&out_of_order);
        for (id, made) in made.iter().enumerate() {
            if let Made::Merge(left, right) = made {
                let parts = [*left as usize, *right as usize];
                out_of_order[id] |= parts
                    .into_iter()
                    .any(|part| part > id || out_of_order[part]);
            }
        }
    }
    out_of_order
}

/// The out_of_order tokens.
#[derive(Default)]
struct OutOfOrder {
    /// By what is a part of them, the first found first.
    order: Vec<u32>,
    /// The other token that each is there with.
    with: HashMap<u32, u32>,
}

impl OutOfOrder {
    /// The token that is no out_of_order one, and with which this one is there.
    fn available_with(&self, id: u32) -> u32 {
        self.with.get(&id).copied().unwrap_or(id)
    }
}

/// Each finds out_of_order tokens by all that the one before found. Two are enough for real vocabularies.
const MAX_PASSES: usize = 8;

/// How many out_of_order tokens may be parts of one another, against the order of their ids: whoever makes more wants to waste time.
const MAX_DEPTH: usize = 64;

/// The tokens in the order in which they are there.
struct Pass<S> {
    /// The tokens of one byte.
    bytes: [Option<u32>; 256],
    made: Vec<Made>,
    merges: HashMap<u64, u32, S>,
    /// What was left in other parts than two.
    others: Vec<u32>,
    /// What is being merged.
    symbols: Vec<u32>,
    joins: Vec<Option<u32>>,
}

impl<S: BuildHasher> Pass<S> {
    /// `out_of_order` are the tokens that are there when another one is.
    fn new(tokens: &[&[u8]], out_of_order: &OutOfOrder, hasher: S) -> Self {
        let mut pass = Self {
            bytes: [None; 256],
            made: vec![Made::Gap; tokens.len()],
            merges: HashMap::with_capacity_and_hasher(tokens.len(), hasher),
            others: Vec::new(),
            symbols: Vec::new(),
            joins: Vec::new(),
        };
        for (id, token) in (0..).zip(tokens) {
            if let [byte] = **token {
                pass.bytes[usize::from(byte)] = Some(id);
                pass.made[id as usize] = Made::Byte(byte);
            }
        }
        let mut with: HashMap<u32, Vec<u32>> = HashMap::new();
        for id in &out_of_order.order {
            with.entry(out_of_order.available_with(*id))
                .or_default()
                .push(*id);
        }
        for (id, token) in (0..).zip(tokens) {
            if token.len() > 1 && !out_of_order.with.contains_key(&id) {
                pass.add(id, token);
            }
            for id in with.get(&id).into_iter().flatten() {
                pass.add(*id, tokens[*id as usize]);
            }
        }
        pass
    }

    fn add(&mut self, id: u32, token: &[u8]) {
        self.merge(token);
        if let [left, right] = self.symbols[..] {
            self.merges.insert(pair(left, right), id);
            self.made[id as usize] = Made::Merge(left, right);
        } else {
            self.others.push(id);
        }
    }

    /// Whether all tokens together give one that its lower ids did not.
    fn is_out_of_order(&mut self, id: u32, token: &[u8], out_of_order: &mut OutOfOrder) -> bool {
        self.merge(token);
        let [left, right] = self.symbols[..] else {
            return false;
        };
        self.merges.insert(pair(left, right), id);
        out_of_order.order.push(id);
        out_of_order.with.insert(
            id,
            out_of_order
                .available_with(left)
                .max(out_of_order.available_with(right)),
        );
        true
    }

    /// Whether merging the bytes of each gives it.
    fn holds(&mut self, tokens: &[&[u8]]) -> bool {
        (0..).zip(tokens).all(|(id, token)| {
            if let Made::Merge(..) = self.made[id as usize] {
                self.merge(token);
                return self.symbols == [id];
            }
            true
        })
    }

    /// Merges some bytes by all tokens that are there.
    fn merge(&mut self, bytes: &[u8]) {
        let symbols = bytes
            .iter()
            .filter_map(|byte| self.bytes[usize::from(*byte)]);
        self.symbols.clear();
        self.symbols.extend(symbols);
        let merges = &self.merges;
        merge_symbols(&mut self.symbols, &mut self.joins, |left, right| {
            merges.get(&pair(left, right)).copied()
        });
    }
}

/// One number, which hashes faster than two.
fn pair(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Joins the pair of the lowest rank, the leftmost on a tie, until none can be joined. `joins` is memory.
pub(crate) fn merge_symbols(
    symbols: &mut Vec<u32>,
    joins: &mut Vec<Option<u32>>,
    merged: impl Fn(u32, u32) -> Option<u32>,
) {
    joins.clear();
    joins.extend(symbols.windows(2).map(|pair| merged(pair[0], pair[1])));
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
