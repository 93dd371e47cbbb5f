//! The lines of the listing.

use std::collections::{BTreeMap, BTreeSet};

use quote::{ToTokens, quote};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, TraitItem, Type, UseTree, Visibility};

use super::show::tokens;
use super::source::{conditions, is_hidden, is_test};

/// A module, and the features it is behind.
#[derive(Clone)]
struct Scope<'s> {
    items: &'s [Item],
    path: Vec<String>,
    conditions: Vec<String>,
}

struct Listing<'s> {
    root: &'s [Item],
    lines: Vec<String>,
    /// Public types: name in the sources -> public path.
    types: BTreeMap<String, String>,
    /// Public traits.
    traits: BTreeSet<String>,
}

/// Everything public, sorted, each on its line.
pub(crate) fn of(root: &[Item]) -> Vec<String> {
    let mut listing = Listing {
        root,
        lines: Vec::new(),
        types: BTreeMap::new(),
        traits: BTreeSet::new(),
    };
    listing.module(&Scope {
        items: root,
        path: Vec::new(),
        conditions: Vec::new(),
    });
    let mut private = type_names(root);
    private.retain(|name| !listing.types.contains_key(name) && !listing.traits.contains(name));
    listing.implementations(root, &[], &private);
    listing.lines.sort();
    listing.lines.dedup();
    listing.lines
}

impl<'s> Listing<'s> {
    fn line(&mut self, path: &str, what: &str, conditions: &[String]) {
        let mut line = format!("{path}: {what}");
        for condition in conditions {
            line.extend([" [", condition, "]"]);
        }
        self.lines.push(line);
    }

    /// What a public module shows.
    fn module(&mut self, scope: &Scope<'s>) {
        for item in scope.items {
            match item {
                Item::Use(reexport) if is_public(&reexport.vis) && is_shown(&reexport.attrs) => {
                    let conditions = joined(&scope.conditions, &reexport.attrs);
                    self.reexport(scope, &reexport.tree, Vec::new(), &conditions);
                }
                _ if name_of(item).is_some() && is_public_item(item) => {
                    let name = name_of(item).unwrap();
                    self.item(item, &scope.path, &name, &scope.conditions);
                }
                _ => {}
            }
        }
    }

    /// One item under its public name.
    fn item(&mut self, item: &'s Item, path: &[String], name: &str, conditions: &[String]) {
        let attrs = attributes(item);
        if !is_shown(attrs) {
            return;
        }
        let conditions = joined(conditions, attrs);
        let mut inner = path.to_vec();
        inner.push(name.to_owned());
        let full = inner.join("::");
        let mark = if attrs.iter().any(|a| a.path().is_ident("non_exhaustive")) {
            "#[non_exhaustive] "
        } else {
            ""
        };
        self.line(&full, &(mark.to_owned() + &signature(item)), &conditions);
        match item {
            Item::Mod(module) => {
                let items = module.content.as_ref().map(|(_, items)| items.as_slice());
                self.module(&Scope {
                    items: items.unwrap_or_default(),
                    path: inner,
                    conditions,
                });
            }
            Item::Struct(item) => {
                self.types.insert(item.ident.to_string(), full.clone());
                self.derived(&full, attrs);
                self.fields(&full, &item.fields);
            }
            Item::Enum(item) => {
                self.types.insert(item.ident.to_string(), full.clone());
                self.derived(&full, attrs);
                for variant in item.variants.iter().filter(|v| is_shown(&v.attrs)) {
                    let mut bare = variant.clone();
                    bare.attrs.clear();
                    bare.fields.iter_mut().for_each(|field| field.attrs.clear());
                    let conditions: Vec<_> = super::source::conditions(&variant.attrs).collect();
                    self.line(
                        &format!("{full}::{}", variant.ident),
                        &tokens(bare),
                        &conditions,
                    );
                }
            }
            Item::Trait(item) => {
                self.traits.insert(item.ident.to_string());
                for member in &item.items {
                    if let TraitItem::Fn(function) = member {
                        let name = &function.sig.ident;
                        self.line(&format!("{full}::{name}"), &tokens(&function.sig), &[]);
                    }
                }
            }
            _ => {}
        }
    }

    fn fields(&mut self, path: &str, fields: &Fields) {
        for (i, field) in fields.iter().enumerate() {
            if is_public(&field.vis) && is_shown(&field.attrs) {
                let name = field
                    .ident
                    .as_ref()
                    .map_or(i.to_string(), ToString::to_string);
                let conditions: Vec<_> = conditions(&field.attrs).collect();
                self.line(&format!("{path}::{name}"), &tokens(&field.ty), &conditions);
            }
        }
    }

    fn derived(&mut self, path: &str, attrs: &[Attribute]) {
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
            attr.parse_nested_meta(|meta| {
                self.line(path, &format!("impl {} (derived)", tokens(&meta.path)), &[]);
                Ok(())
            })
            .unwrap();
        }
    }

    /// `pub use`: finds each item that is meant, wherever it is defined.
    fn reexport(
        &mut self,
        scope: &Scope<'s>,
        tree: &UseTree,
        mut prefix: Vec<String>,
        conditions: &[String],
    ) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.reexport(scope, &path.tree, prefix, conditions);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.reexport(scope, tree, prefix.clone(), conditions);
                }
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                self.resolved(scope, &prefix, &name, &name, conditions);
            }
            UseTree::Rename(rename) => {
                let (name, shown) = (rename.ident.to_string(), rename.rename.to_string());
                self.resolved(scope, &prefix, &name, &shown, conditions);
            }
            UseTree::Glob(_) => {
                let what = format!("pub use {}::*", prefix.join("::"));
                self.line(&scope.path.join("::"), &what, conditions);
            }
        }
    }

    fn resolved(
        &mut self,
        scope: &Scope<'s>,
        prefix: &[String],
        name: &str,
        shown: &str,
        conditions: &[String],
    ) {
        let is_here = matches!(prefix.first().map(String::as_str), Some("self"));
        let is_named_here = prefix
            .first()
            .is_some_and(|first| module(scope.items, first).is_some());
        let start = if is_here || is_named_here {
            scope.items
        } else {
            self.root
        };
        let mut items = Some(start);
        for segment in prefix
            .iter()
            .filter(|s| !matches!(s.as_str(), "crate" | "self"))
        {
            items = items.and_then(|items| module(items, segment));
        }
        let mut path = scope.path.clone();
        let found =
            items.and_then(|items| items.iter().find(|i| name_of(i).is_some_and(|n| n == name)));
        if let Some(item) = found {
            self.item(item, &path, shown, conditions);
            return;
        }
        // Re-exported a second time on the way, made by a macro, or of another crate.
        let chained = items.into_iter().flatten().find_map(|item| match item {
            Item::Use(inner) => target(&inner.tree, Vec::new(), name),
            _ => None,
        });
        if let (Some((prefix, original)), Some(items)) = (chained, items) {
            let inner = Scope {
                items,
                path,
                conditions: Vec::new(),
            };
            self.resolved(&inner, &prefix, &original, shown, conditions);
            return;
        }
        let what = items
            .and_then(|items| made_by_macro(items, name))
            .unwrap_or_else(|| format!("pub use {}::{name}", prefix.join("::")));
        path.push(shown.to_owned());
        self.line(&path.join("::"), &what, conditions);
    }

    /// The methods and traits of public types, in whatever module they are written.
    fn implementations(&mut self, items: &[Item], outer: &[String], private: &BTreeSet<String>) {
        for item in items {
            match item {
                Item::Mod(module) if is_shown(&module.attrs) => {
                    let conditions = joined(outer, &module.attrs);
                    if let Some((_, items)) = &module.content {
                        self.implementations(items, &conditions, private);
                    }
                }
                Item::Impl(block) if is_shown(&block.attrs) && !is_of_any(block, private) => {
                    let conditions = joined(outer, &block.attrs);
                    if let Some(path) = type_name(&block.self_ty).and_then(|n| self.types.get(&n)) {
                        let path = path.clone();
                        self.implementation(block, &path, &conditions);
                    }
                }
                _ => {}
            }
        }
    }

    fn implementation(&mut self, block: &ItemImpl, path: &str, conditions: &[String]) {
        if let Some((_, of, _)) = &block.trait_ {
            let (generics, ty) = (&block.generics, &block.self_ty);
            let clause = &block.generics.where_clause;
            let associated: Vec<_> = block
                .items
                .iter()
                .filter(|item| matches!(item, ImplItem::Type(_)))
                .map(|item| tokens(item).trim_end_matches(';').to_owned())
                .collect();
            let mut what = tokens(quote!(impl #generics #of for #ty #clause));
            if !associated.is_empty() {
                what.extend([" { ", &associated.join("; "), " }"]);
            }
            self.line(path, &what, conditions);
            return;
        }
        for member in &block.items {
            let (attrs, vis, name, what) = match member {
                ImplItem::Fn(f) => {
                    let (vis, sig) = (&f.vis, &f.sig);
                    (&f.attrs, vis, &f.sig.ident, tokens(quote!(#vis #sig)))
                }
                ImplItem::Const(c) => {
                    let (vis, name, ty) = (&c.vis, &c.ident, &c.ty);
                    (&c.attrs, vis, name, tokens(quote!(#vis const #name: #ty)))
                }
                _ => continue,
            };
            if is_public(vis) && is_shown(attrs) {
                let conditions = joined(conditions, attrs);
                self.line(&format!("{path}::{name}"), &what, &conditions);
            }
        }
    }
}

/// The names of all types and traits that are defined in these modules.
fn type_names(items: &[Item]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in items {
        match item {
            Item::Mod(module) => {
                let inner = module.content.as_ref().map(|(_, items)| type_names(items));
                names.extend(inner.unwrap_or_default());
            }
            Item::Struct(_) | Item::Enum(_) | Item::Trait(_) => names.extend(name_of(item)),
            _ => {}
        }
    }
    names
}

/// Whether the implemented trait, or a parameter of it, is one of these.
fn is_of_any(block: &ItemImpl, names: &BTreeSet<String>) -> bool {
    block.trait_.as_ref().is_some_and(|(_, of, _)| {
        let of = tokens(of);
        let mut words = of.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| names.contains(word))
    })
}

/// The items of a module that these items hold.
fn module<'s>(items: &'s [Item], name: &str) -> Option<&'s [Item]> {
    items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => Some(module.content.as_ref()?.1.as_slice()),
        _ => None,
    })
}

/// Where a `use` gets this name from: the path before it, and the name there.
fn target(tree: &UseTree, mut prefix: Vec<String>, wanted: &str) -> Option<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            target(&path.tree, prefix, wanted)
        }
        UseTree::Group(group) => {
            let mut trees = group.items.iter();
            trees.find_map(|tree| target(tree, prefix.clone(), wanted))
        }
        UseTree::Name(name) => (name.ident == wanted).then(|| (prefix, wanted.to_owned())),
        UseTree::Rename(rename) => {
            (rename.rename == wanted).then(|| (prefix, rename.ident.to_string()))
        }
        UseTree::Glob(_) => None,
    }
}

/// The signature of a function that a macro of this module makes: under its own name, or under a `$name`.
fn made_by_macro(items: &[Item], name: &str) -> Option<String> {
    let bodies = items.iter().filter_map(|item| match item {
        Item::Macro(item) if item.ident.is_some() => Some(tokens(&item.mac.tokens)),
        _ => None,
    });
    let bodies: Vec<String> = bodies.collect();
    let find = |start: &str| {
        let body = bodies.iter().find(|body| body.contains(start))?;
        let rest = &body[body.find(start)?..];
        Some(rest[..rest.find(" {")?].to_owned())
    };
    let by_name = find(&format!("pub fn {name}("));
    let made = by_name.or_else(|| find("pub fn $"))?;
    let open = made.find('(')?;
    Some(format!("pub fn {name}{}", &made[open..]))
}

fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

fn is_shown(attrs: &[Attribute]) -> bool {
    !is_hidden(attrs) && !is_test(attrs)
}

fn joined(outer: &[String], attrs: &[Attribute]) -> Vec<String> {
    let mut all = outer.to_vec();
    for condition in conditions(attrs) {
        if !all.contains(&condition) {
            all.push(condition);
        }
    }
    all
}

fn type_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        Type::Reference(reference) => type_name(&reference.elem),
        _ => None,
    }
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn is_public_item(item: &Item) -> bool {
    match item {
        Item::Const(item) => is_public(&item.vis),
        Item::Enum(item) => is_public(&item.vis),
        Item::Fn(item) => is_public(&item.vis),
        Item::Mod(item) => is_public(&item.vis),
        Item::Static(item) => is_public(&item.vis),
        Item::Struct(item) => is_public(&item.vis),
        Item::Trait(item) => is_public(&item.vis),
        Item::Type(item) => is_public(&item.vis),
        _ => false,
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        _ => &[],
    }
}

/// The item without its body, its value and its fields, which have lines of their own.
fn signature(item: &Item) -> String {
    let with_generics = |head: &dyn ToTokens, generics: &syn::Generics| {
        let clause = &generics.where_clause;
        tokens(quote!(#head #generics #clause))
    };
    match item {
        Item::Const(item) => {
            let (vis, name, ty) = (&item.vis, &item.ident, &item.ty);
            tokens(quote!(#vis const #name: #ty))
        }
        Item::Static(item) => {
            let (vis, name, ty) = (&item.vis, &item.ident, &item.ty);
            tokens(quote!(#vis static #name: #ty))
        }
        Item::Fn(item) => {
            let (vis, sig) = (&item.vis, &item.sig);
            tokens(quote!(#vis #sig))
        }
        Item::Mod(item) => {
            let (vis, name) = (&item.vis, &item.ident);
            tokens(quote!(#vis mod #name))
        }
        Item::Type(item) => {
            let (vis, name, generics, ty) = (&item.vis, &item.ident, &item.generics, &item.ty);
            tokens(quote!(#vis type #name #generics = #ty))
        }
        Item::Struct(item) => {
            let (vis, name) = (&item.vis, &item.ident);
            with_generics(&quote!(#vis struct #name), &item.generics)
        }
        Item::Enum(item) => {
            let (vis, name) = (&item.vis, &item.ident);
            with_generics(&quote!(#vis enum #name), &item.generics)
        }
        Item::Trait(item) => {
            let (vis, name) = (&item.vis, &item.ident);
            with_generics(&quote!(#vis trait #name), &item.generics)
        }
        _ => item.to_token_stream().to_string(),
    }
}
