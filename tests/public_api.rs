//! The public face of the crate against `public_api.txt`, so that every change of it shows in a diff.
//!
//! `TIKTALLY_BLESS=1 cargo test --test public_api` writes the list anew.
//!
//! The list is made from the sources: everything that `lib.rs` makes public, or re-exports, with all features taken
//! together; then the fields, variants, methods and traits of those types. Hidden items are left out.

mod public_api_support;

use std::path::Path;
use std::{env, fs};

use public_api_support::{listing, source};

#[test]
fn public_api_is_the_saved_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("src/lib.rs").is_file() {
        println!("no sources here: nothing compared");
        return;
    }
    let file = root.join("tests/public_api.txt");
    let ours = listing::of(&source::read_crate(&root.join("src/lib.rs"))).join("\n") + "\n";
    if env::var_os("TIKTALLY_BLESS").is_some() {
        fs::write(&file, &ours).unwrap();
    }
    let saved = fs::read_to_string(&file).unwrap_or_default();
    let changes = difference(&saved, &ours);
    assert!(
        changes.is_empty(),
        "the public API is not the saved one (-: only in tests/public_api.txt, +: only in the sources)\n{}\n\
         If that is meant: TIKTALLY_BLESS=1 cargo test --test public_api",
        changes.join("\n")
    );
}

/// The lines of one that the other does not have; the listing has each only once.
fn difference(saved: &str, ours: &str) -> Vec<String> {
    let only = |sign: char, here: &str, there: &str| -> Vec<(String, char)> {
        let lines = here
            .lines()
            .filter(|line| !there.lines().any(|l| l == *line));
        lines.map(|line| (line.to_owned(), sign)).collect()
    };
    let mut changes = only('-', saved, ours);
    changes.extend(only('+', ours, saved));
    changes.sort();
    let show = |(line, sign)| format!("{sign} {line}");
    changes.into_iter().map(show).collect()
}

/// The listing sees what it should: a small crate with one of everything.
#[test]
fn listing_of_a_small_crate() {
    let source = r#"
        mod inner {
            /// Public by its re-export.
            #[derive(Clone, Debug)]
            #[non_exhaustive]
            pub struct Seen<'a, T: Copy = u8> { pub field: &'a [T], hidden: u8 }
            pub struct Unseen;
            impl Unseen { pub fn no(&self) {} }
            impl<'a, T: Copy> Seen<'a, T> {
                pub const LIMIT: usize = 4;
                #[cfg(feature = "x")]
                pub fn method(&mut self, other: Option<&'a str>) -> Result<Vec<T>, Error> where T: Send { todo!() }
                #[doc(hidden)]
                pub fn secret(&self) {}
                fn private(&self) {}
            }
            impl<T: Copy> Iterator for Seen<'_, T> { type Item = T; fn next(&mut self) -> Option<T> { None } }
            macro_rules! functions { ($($name:ident)*) => {
                $(pub fn $name() -> &'static str { stringify!($name) })*
                pub fn fixed(n: usize) -> bool { n > 0 }
            } }
            functions!(first);
        }
        #[cfg(feature = "y")]
        pub use inner::{Seen, first as renamed};
        pub use inner::fixed;
        #[doc(hidden)]
        pub use inner::Unseen;
        #[doc(hidden)]
        pub mod reference { pub fn no() {} }
        pub mod outer { pub enum Kind { One, Two(u8), Three { x: u8 } } pub trait Do { fn it(&self) -> u8; } }
        pub type Id = u32;
        pub const VERSION: (u8, u8) = (1, 2);
        #[cfg(test)]
        pub mod tests { pub fn no() {} }
    "#;
    let expected = r#"Seen::LIMIT: pub const LIMIT: usize
Seen::field: &'a [T]
Seen::method: pub fn method(&mut self, other: Option<&'a str>) -> Result<Vec<T>, Error> where T: Send [feature = "x"]
Seen: #[non_exhaustive] pub struct Seen<'a, T: Copy = u8> [feature = "y"]
Seen: impl Clone (derived)
Seen: impl Debug (derived)
Seen: impl<T: Copy> Iterator for Seen<'_, T> { type Item = T }
VERSION: pub const VERSION: (u8, u8)
Id: pub type Id = u32
fixed: pub fn fixed(n: usize) -> bool
outer: pub mod outer
outer::Do: pub trait Do
outer::Do::it: fn it(&self) -> u8
outer::Kind: pub enum Kind
outer::Kind::One: One
outer::Kind::Three: Three { x: u8 }
outer::Kind::Two: Two(u8)
renamed: pub fn first() -> &'static str [feature = "y"]"#;
    let mut expected: Vec<&str> = expected.lines().collect();
    expected.sort_unstable();
    let ours = listing::of(&source::parse(source));
    assert_eq!(ours.join("\n"), expected.join("\n"));
}
