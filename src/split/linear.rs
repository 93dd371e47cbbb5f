//! Patterns on an automaton that reads each piece once.
//!
//! Two things of a backtracking engine can be had without one. `\s+(?!\S)` is white space that leaves its last character to
//! what follows: it is looked for as `\s+`, and what follows is looked at afterwards. And a possessive quantifier is a plain
//! one where nothing that it gave back could begin what stands behind it.

use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::NFA;
use regex_automata::util::look::Look;
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input, MatchKind, meta};
use regex_syntax::ast::{self, Ast, Repetition, RepetitionKind, RepetitionRange};
use regex_syntax::hir::translate::Translator;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

use super::classes::class_at;
use crate::utf8::whole_chars;

/// White space that leaves its last character to what follows.
const TRAILING: &str = r"\s+(?!\S)";

/// What the automaton of a pattern may take, in bytes.
const MAX_NFA: usize = 16 << 20;
const CACHE: usize = 8 << 20;

type Caches = Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>>;

/// A pattern.
pub(crate) struct Linear {
    alternatives: Alternatives,
    /// Finds where anything matches at all.
    anywhere: meta::Regex,
}

/// Alternatives at one place, the first one that matches first.
struct Alternatives {
    dfa: DFA,
    caches: Caches,
    /// Which are [`TRAILING`], and the alternatives behind each.
    trailing: Vec<(usize, Option<Alternatives>)>,
}

/// What an automaton found behind a place.
enum Found {
    /// The end of a match, and which alternative it is.
    Match(usize, usize),
    Nothing,
    /// That depends on the text behind this one.
    Open,
}

impl Linear {
    /// # Errors
    /// Why the automaton would not find what the pattern means.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let texts = split_up(pattern)?;
        let hirs = texts.iter().map(|text| hir(text));
        let hirs = hirs.collect::<Result<Vec<Hir>, String>>()?;
        let anywhere = meta::Builder::new()
            .configure(meta::Config::new().nfa_size_limit(Some(MAX_NFA)))
            .build_many_from_hir(&hirs)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            alternatives: Alternatives::new(&texts, &hirs)?,
            anywhere,
        })
    }

    /// See [Custom::ends`](super::custom::Custom::ends).
    pub(crate) fn ends(
        &self,
        text: &[u8],
        mut start: usize,
        complete: bool,
        ends: &mut [u32],
    ) -> usize {
        let mut cache = self.alternatives.caches.get();
        let mut count = 0;
        for place in ends {
            if start == text.len() {
                break;
            }
            let end = match self
                .alternatives
                .match_at(&mut cache, text, start, complete)
            {
                Found::Match(end, _) => end,
                Found::Open => break,
                // only the whole text tells how far it is to the next match
                Found::Nothing if !complete => break,
                Found::Nothing => self
                    .find_with(&mut cache, text, start)
                    .map_or(text.len(), |found| found.start),
            };
            *place = end as u32;
            start = end;
            count += 1;
        }
        count
    }

    /// The next match at or behind `from` that is not empty.
    pub(crate) fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        self.find_with(&mut self.alternatives.caches.get(), text.as_bytes(), from)
    }

    fn find_with(&self, cache: &mut Cache, text: &[u8], mut from: usize) -> Option<Range<usize>> {
        while from < text.len() {
            let start = self
                .anywhere
                .search(&Input::new(text).range(from..))?
                .start();
            if let Found::Match(end, _) = self.alternatives.match_at(cache, text, start, true) {
                return Some(start..end);
            }
            from = start + class_at(text, start)?.1;
        }
        None
    }
}

impl Alternatives {
    /// From the text of each, and what it means.
    fn new(texts: &[String], hirs: &[Hir]) -> Result<Self, String> {
        let mut trailing = Vec::new();
        for (i, _) in texts
            .iter()
            .enumerate()
            .filter(|(_, text)| *text == TRAILING)
        {
            let rest = texts.get(i + 1..).zip(hirs.get(i + 1..));
            let rest = rest.filter(|(texts, _)| !texts.is_empty());
            let rest = rest.map(|(texts, hirs)| Self::new(texts, hirs));
            trailing.push((i, rest.transpose()?));
        }
        let nfa = NFA::compiler()
            .configure(NFA::config().nfa_size_limit(Some(MAX_NFA)))
            .build_many_from_hir(hirs)
            .map_err(|error| error.to_string())?;
        let looks = nfa.look_set_any();
        if looks.iter().any(|look| look != Look::End) {
            return Err(
                "it looks at what is before a piece, or at the ends of lines or words".into(),
            );
        }
        let dfa = DFA::builder()
            .configure(
                DFA::config()
                    .match_kind(MatchKind::LeftmostFirst)
                    .cache_capacity(CACHE)
                    .skip_cache_capacity_check(true),
            )
            .build_from_nfa(nfa)
            .map_err(|error| error.to_string())?;
        let made = dfa.clone();
        Ok(Self {
            caches: Pool::new(Box::new(move || made.create_cache())),
            dfa,
            trailing,
        })
    }

    /// The match at `start` that is not empty.
    fn match_at(&self, cache: &mut Cache, text: &[u8], start: usize, complete: bool) -> Found {
        let found = self.search(cache, text, start, complete);
        let Found::Match(end, alternative) = found else {
            return found;
        };
        let trailing = self.trailing.iter().find(|(i, _)| *i == alternative);
        match trailing {
            _ if end == start => Found::Nothing,
            Some((_, rest)) if end < text.len() => {
                // the last character is left to what follows
                let last = whole_chars(text, end - 1);
                match rest {
                    _ if last > start => Found::Match(last, alternative),
                    Some(rest) => rest.match_at(&mut rest.caches.get(), text, start, complete),
                    None => Found::Nothing,
                }
            }
            _ => found,
        }
    }

    /// The match at `start`, reading no further than to where it is certain.
    fn search(&self, cache: &mut Cache, text: &[u8], start: usize, complete: bool) -> Found {
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        // a lazy automaton without limits of its own gives up nowhere
        let Ok(mut state) = self.dfa.start_state_forward(cache, &input) else {
            return Found::Nothing;
        };
        let mut found = Found::Nothing;
        let rest = text.get(start..).unwrap_or_default();
        for (at, byte) in (start..).zip(rest) {
            let Ok(next) = self.dfa.next_state(cache, state, *byte) else {
                return found;
            };
            state = next;
            if state.is_match() {
                // matches are told one byte late
                found = Found::Match(at, self.dfa.match_pattern(cache, state, 0).as_usize());
            } else if state.is_dead() || state.is_quit() {
                return found;
            }
        }
        if !complete {
            return Found::Open;
        }
        match self.dfa.next_eoi_state(cache, state) {
            Ok(state) if state.is_match() => Found::Match(
                text.len(),
                self.dfa.match_pattern(cache, state, 0).as_usize(),
            ),
            _ => found,
        }
    }
}

/// The alternatives of a pattern.
fn split_up(pattern: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut in_class) = (0_usize, 0_usize);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '[' => in_class += 1,
            ']' => in_class = in_class.saturating_sub(1),
            '(' if in_class == 0 => depth += 1,
            ')' if in_class == 0 => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == '|' && depth == 0 && in_class == 0 {
            parts.push(String::new());
            continue;
        }
        let part = parts.last_mut().ok_or("it is empty")?;
        part.push(c);
        if c == '\\' {
            part.extend(chars.next());
        }
    }
    if parts.iter().any(|part| has_flags(part)) {
        return Err("it has flags that go on behind an alternative; write `(?i:…)`".into());
    }
    Ok(parts)
}

/// Whether a part of a pattern switches flags for what follows, as `(?i)` does.
fn has_flags(part: &str) -> bool {
    part.match_indices("(?").any(|(at, _)| {
        let flags = part.get(at + 2..).unwrap_or_default();
        let rest = flags.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
        rest.len() < flags.len() && rest.starts_with(')')
    })
}

/// An alternative without possessive quantifiers, as the automaton's builder takes it: what is behind [`TRAILING`] white
/// space is looked at later.
fn hir(alternative: &str) -> Result<Hir, String> {
    let alternative = if alternative == TRAILING {
        r"\s+"
    } else {
        alternative
    };
    let parsed = ast::parse::Parser::new().parse(alternative);
    let mut ast = parsed.map_err(|error| error.to_string())?;
    match &mut ast {
        Ast::Concat(concat) => {
            for i in 0..concat.asts.len() {
                let (before, behind) = concat.asts.split_at_mut(i + 1);
                if let Some(quantified) = before.last_mut() {
                    relax(quantified, behind, alternative)?;
                }
            }
        }
        only => relax(only, &[], alternative)?,
    }
    if has_possessive(&ast) {
        return Err("it has a possessive quantifier inside a group".into());
    }
    translated(&ast, alternative)
}

fn translated(ast: &Ast, pattern: &str) -> Result<Hir, String> {
    let hir = Translator::new().translate(pattern, ast);
    hir.map_err(|error| error.to_string())
}

/// Makes a possessive quantifier a plain one, if nothing that it takes can begin what stands behind.
fn relax(ast: &mut Ast, behind: &[Ast], pattern: &str) -> Result<(), String> {
    let Some(repetition) = possessive(ast) else {
        return Ok(());
    };
    let taken = class(&repetition.ast, pattern)?.ok_or_else(|| {
        format!(
            "what a possessive quantifier takes is no single character, but {}",
            repetition.ast
        )
    })?;
    for item in behind {
        if let Ast::Assertion(assertion) = item
            && matches!(
                assertion.kind,
                ast::AssertionKind::EndLine | ast::AssertionKind::EndText
            )
        {
            break;
        }
        let (item, is_optional) = unquantified(item);
        let mut common = class(item, pattern)?
            .ok_or("what stands behind a possessive quantifier is no single character")?;
        common.intersect(&taken);
        if !common.ranges().is_empty() {
            return Err("a possessive quantifier may take what stands behind it".into());
        }
        if !is_optional {
            break;
        }
    }
    *ast = Ast::Repetition(Box::new(repetition.clone()));
    Ok(())
}

/// What stands before the quantifiers, and whether it may be missing.
fn unquantified(ast: &Ast) -> (&Ast, bool) {
    let mut ast = ast;
    let mut is_optional = false;
    while let Ast::Repetition(repetition) = ast {
        is_optional |= match &repetition.op.kind {
            RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore => true,
            RepetitionKind::OneOrMore => false,
            RepetitionKind::Range(
                RepetitionRange::Exactly(least)
                | RepetitionRange::AtLeast(least)
                | RepetitionRange::Bounded(least, _),
            ) => *least == 0,
        };
        ast = &repetition.ast;
    }
    (ast, is_optional)
}

/// The quantifier that is made possessive, as in `a++`: the parser reads it as one of another.
fn possessive(ast: &Ast) -> Option<&Repetition> {
    let Ast::Repetition(outer) = ast else {
        return None;
    };
    let is_plus = outer.greedy && outer.op.kind == RepetitionKind::OneOrMore;
    match &*outer.ast {
        Ast::Repetition(inner) if is_plus && inner.greedy => Some(inner),
        _ => None,
    }
}

/// Whether a quantifier stands right behind another one.
fn has_possessive(ast: &Ast) -> bool {
    match ast {
        Ast::Repetition(repetition) => {
            matches!(&*repetition.ast, Ast::Repetition(_)) || has_possessive(&repetition.ast)
        }
        Ast::Group(group) => has_possessive(&group.ast),
        Ast::Concat(concat) => concat.asts.iter().any(has_possessive),
        Ast::Alternation(alternation) => alternation.asts.iter().any(has_possessive),
        _ => false,
    }
}

/// The characters that a part of a pattern stands for, if it is always one.
fn class(ast: &Ast, pattern: &str) -> Result<Option<ClassUnicode>, String> {
    let hir = translated(ast, pattern)?;
    Ok(match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().and_then(|text| {
            let mut chars = text.chars();
            let (first, rest) = (chars.next()?, chars.next());
            rest.is_none().then(|| {
                ClassUnicode::new([regex_syntax::hir::ClassUnicodeRange::new(first, first)])
            })
        }),
        _ => None,
    })
}
