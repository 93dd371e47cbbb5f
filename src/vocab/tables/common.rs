//! The commonest tokens of at most seven bytes, each at the one place where it can be: most pieces are found with one look.
//!
//! Seven bytes times an keyless number are seven bytes again, and no two the same. So the place is the upper bits of the
//! product, and an entry needs no more than the rest of it: `rest << 22 | id`.

/// How many places there are.
pub(crate) const LEN: usize = 1 << BITS;
const BITS: u32 = 14;

const ID_BITS: u32 = 18;
/// The rest of its product is zero, as that of seven zeros is; but its id is none.
const EMPTY: u64 = (1 << ID_BITS) - 1;

/// The product of the first seven bytes of a key, above eight zeros.
#[inline(always)]
fn product(low: u64) -> u64 {
    (low << 8).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// The id of the token with this key, and whether there is one.
#[inline(always)]
pub(crate) fn find(entries: &[u64; LEN], key: u128) -> (u32, bool) {
    let low = key as u64;
    let product = product(low);
    let rest = entries[(product >> (64 - BITS)) as usize] ^ product << BITS;
    (rest as u32, (rest < EMPTY) & (low >> 56 == 0xFF))
}

pub(super) fn empty() -> Vec<u64> {
    vec![EMPTY; LEN]
}

/// Adds a token, if it is short and no token with a smaller id has its place.
#[inline(always)]
pub(super) fn insert(entries: &mut [u64], key: u128, id: u32) {
    let low = key as u64;
    let product = product(low);
    let entry = &mut entries[(product >> (64 - BITS)) as usize];
    let fits = (low >> 56 == 0xFF) & (*entry == EMPTY) & (u64::from(id) < EMPTY);
    // written either way: a branch would be mispredicted
    *entry = if fits {
        product << BITS | u64::from(id)
    } else {
        *entry
    };
}
