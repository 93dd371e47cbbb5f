//! The sources as one tree of modules, files read in.

use std::fs;
use std::path::Path;

use syn::{Attribute, Item, Meta};

/// The items of the crate; each `mod name;` has its file's items inside.
pub(crate) fn read_crate(lib: &Path) -> Vec<Item> {
    let mut items = parse(&fs::read_to_string(lib).unwrap());
    fill(&mut items, lib.parent().unwrap());
    items
}

pub(crate) fn parse(source: &str) -> Vec<Item> {
    syn::parse_file(source).unwrap().items
}

fn fill(items: &mut [Item], folder: &Path) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        if is_test(&module.attrs) {
            continue;
        }
        let name = module.ident.to_string();
        let inner = folder.join(&name);
        if let Some((_, items)) = &mut module.content {
            fill(items, &inner);
            continue;
        }
        let (beside, inside) = (folder.join(name + ".rs"), inner.join("mod.rs"));
        let file = if beside.is_file() { beside } else { inside };
        let source =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut items = parse(&source);
        fill(&mut items, &inner);
        module.content = Some((syn::token::Brace::default(), items));
    }
}

/// `#[cfg(test)]`, alone or among other conditions, and `#[cfg(doctest)]`.
pub(crate) fn is_test(attrs: &[Attribute]) -> bool {
    conditions(attrs).any(|condition| {
        let mut words = condition.split(|c: char| !c.is_alphanumeric());
        words.any(|word| word == "test" || word == "doctest")
    })
}

/// `#[doc(hidden)]`.
pub(crate) fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) => attr.path().is_ident("doc") && list.tokens.to_string() == "hidden",
        _ => false,
    })
}

/// What stands in the `#[cfg(…)]` of an item.
pub(crate) fn conditions(attrs: &[Attribute]) -> impl Iterator<Item = String> {
    attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::List(list) if attr.path().is_ident("cfg") => {
            Some(super::show::tokens(list.tokens.clone()))
        }
        _ => None,
    })
}
