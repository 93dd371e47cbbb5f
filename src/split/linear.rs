//! Runs custom patterns on an automaton that reads each piece once.
//!
//! Two features of backtracking engines are supported without one:
//!
//! - `\s+(?!\S)` is white space that leaves its last character to the next piece. The automaton searches for `\s+`, and
//!   the code then checks which text follows.
//! - A possessive quantifier equals a plain one if no character that it could give back can begin the rest of the
//!   alternative.

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

/// White space that leaves its last character to the next piece.
const TRAILING: &str = r"\s+(?!\S)";

/// The limit of memory for compiling a pattern, in bytes, so that one pattern cannot take all memory. Chosen on 21
/// November 2026; no measurement is recorded.
const MAX_NFA_BYTES: usize = 16 << 20;

/// The memory for the states of a lazy automaton, in bytes, for each thread that searches at once. When they no
/// longer fit, the cache is cleared. Chosen on 21 November 2026; no measurement is recorded.
const CACHE_BYTES: usize = 8 << 20;

type Caches = Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>>;

/// A pattern that is compiled to automata.
pub(crate) struct Linear {
    alternatives: Alternatives,
    /// Finds the next place where any alternative matches, after text that none matches.
    anywhere: meta::Regex,
}

/// Alternatives that are tried at one place; the first one that matches wins.
struct Alternatives {
    dfa: DFA,
    caches: Caches,
    /// The indices of the alternatives that are [`TRAILING`], and the alternatives that follow each.
    trailing: Vec<(usize, Option<Alternatives>)>,
}

/// How many more bytes a stream may read to find the end of the open piece.
///
/// A look at a piece that is still open reads it again from its start. Text that almost matches is read again from each of
/// its characters. So the text that arrives pays for the looks: [`READS`] bytes for each of its own, and [`FIRST_READS`]
/// for each piece.
///
/// Without this, `[a-z]+!` took 1.8 s for 40 kB of one letter and a full stop, and 20 minutes would have passed for 1 MB.
/// With it, 400 kB took 63 ms (AMD EPYC with AVX2, 27 November 2026).
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// The bytes that are left; below zero if the last look read more.
    left: isize,
    /// The length of the text that has paid.
    pub(super) paid: usize,
}

/// How many bytes may be read for each byte that arrives. A long piece is looked at when it has grown by a 64th. Chosen on
/// 27 November 2026; no other value was measured.
const READS: isize = 64;

/// How many bytes may be read in addition. A piece of up to 1,400 bytes is looked at with each byte that arrives. The value
/// was chosen on 27 November 2026. 10 kB of one letter then took 2.4 ms in one push (AMD EPYC with AVX2).
const FIRST_READS: isize = 1 << 20;

/// The first bytes of each look are free: after it, the next character is looked at, or more text has arrived. So text
/// without a match costs nothing, however long it is.
const FREE_READS: usize = 16;

impl Budget {
    /// Creates the budget of a piece that was not looked at yet.
    pub(super) fn new(text: &[u8]) -> Self {
        Self {
            left: FIRST_READS,
            paid: text.len(),
        }
    }

    /// Adds the bytes that may be read for text that has arrived.
    pub(super) fn add(&mut self, text: &[u8]) {
        let new = isize::try_from(text.len() - self.paid).unwrap_or(isize::MAX);
        self.left = self.left.saturating_add(new.saturating_mul(READS));
        self.paid = text.len();
    }

    /// Subtracts the bytes that a look has read.
    fn subtract(&mut self, bytes: usize) {
        let bytes = bytes.saturating_sub(FREE_READS);
        self.left = self.left.saturating_sub_unsigned(bytes);
    }
}

/// A text that is searched.
struct Search<'s> {
    text: &'s [u8],
    /// Whether no more text will come.
    complete: bool,
    budget: &'s mut Budget,
}

/// The result of a search at one place.
enum Found {
    /// The end of a match, and which alternative it is.
    Match(usize, usize),
    Nothing,
    /// More text could change the result.
    Open,
}

impl Linear {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The reason why the automaton would find other pieces than the pattern means.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let mut texts = alternatives(pattern)?;
        // where one fails, another fails too; and the text after each is compiled again
        let mut is_first = true;
        texts.retain(|text| text != TRAILING || std::mem::take(&mut is_first));
        let hirs = texts.iter().map(|text| hir(text));
        let hirs = hirs.collect::<Result<Vec<Hir>, String>>()?;
        let anywhere = meta::Builder::new()
            .configure(meta::Config::new().nfa_size_limit(Some(MAX_NFA_BYTES)))
            .build_many_from_hir(&hirs)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            alternatives: Alternatives::new(&texts, &hirs)?,
            anywhere,
        })
    }

    /// Returns true if a match begins at every character, so that no text is left between two of them. False may be wrong.
    #[cfg(feature = "tokenizer-json")]
    pub(crate) fn leaves_no_gaps(pattern: &str) -> bool {
        let Ok(texts) = alternatives(pattern) else {
            return false;
        };
        let mut found = ClassUnicode::empty();
        for text in &texts {
            match hir(text) {
                Ok(hir) if hir.properties().minimum_len().is_some_and(|len| len > 0) => {
                    if text != TRAILING {
                        found.union(&single_chars(&hir));
                    }
                }
                _ => return false,
            }
        }
        found.negate();
        found.ranges().is_empty()
    }

    /// Writes the ends of the first pieces, see [`Custom::ends`](super::custom::Custom::ends).
    pub(crate) fn ends(&self, text: &[u8], complete: bool, ends: &mut [u32]) -> usize {
        let mut cache = self.alternatives.caches.get();
        let (mut start, mut count) = (0, 0);
        for place in ends {
            let mut search = Search {
                text,
                complete,
                budget: &mut Budget::new(text),
            };
            let mut at = start;
            let Some(end) = self.end_with(&mut cache, &mut search, start, &mut at) else {
                break;
            };
            *place = end as u32;
            start = end;
            count += 1;
        }
        count
    }

    /// Returns the end of the piece that begins at `start`, see [`Scan::end`](super::Scan::end). No match begins before
    /// `at`, which moves on.
    pub(super) fn end(
        &self,
        text: &[u8],
        start: usize,
        at: &mut usize,
        complete: bool,
        budget: &mut Budget,
    ) -> Option<usize> {
        let mut search = Search {
            text,
            complete,
            budget,
        };
        self.end_with(&mut self.alternatives.caches.get(), &mut search, start, at)
    }

    fn end_with(
        &self,
        cache: &mut Cache,
        search: &mut Search<'_>,
        start: usize,
        at: &mut usize,
    ) -> Option<usize> {
        let (text, complete) = (search.text, search.complete);
        while *at < text.len() && (complete || search.budget.left > 0) {
            match self.alternatives.match_at(cache, search, *at) {
                Found::Match(end, _) if *at == start => return Some(end),
                Found::Match(..) => return Some(*at),
                Found::Open => return None,
                Found::Nothing if complete => {
                    let found = self.find_with(cache, text, *at);
                    return Some(found.map_or(text.len(), |found| found.start));
                }
                Found::Nothing => *at += class_at(text, *at)?.1,
            }
        }
        // a gap ends with the text
        (complete && start < text.len()).then_some(text.len())
    }

    /// Returns the next match at or after `from` that is not empty.
    pub(crate) fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        self.find_with(&mut self.alternatives.caches.get(), text.as_bytes(), from)
    }

    fn find_with(&self, cache: &mut Cache, text: &[u8], mut from: usize) -> Option<Range<usize>> {
        let mut search = Search {
            text,
            complete: true,
            budget: &mut Budget::new(text),
        };
        while from < text.len() {
            let start = self
                .anywhere
                .search(&Input::new(text).range(from..))?
                .start();
            let found = self.alternatives.match_at(cache, &mut search, start);
            if let Found::Match(end, _) = found {
                return Some(start..end);
            }
            from = start + class_at(text, start)?.1;
        }
        None
    }
}

impl Alternatives {
    /// Compiles alternatives, of which each is given as its text and its parsed form.
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
            .configure(NFA::config().nfa_size_limit(Some(MAX_NFA_BYTES)))
            .build_many_from_hir(hirs)
            .map_err(|error| error.to_string())?;
        let looks = nfa.look_set_any();
        if looks.iter().any(|look| look != Look::End) {
            return Err("it looks at text before a piece, or at the ends of lines or words".into());
        }
        let dfa = DFA::builder()
            .configure(
                DFA::config()
                    .match_kind(MatchKind::LeftmostFirst)
                    .cache_capacity(CACHE_BYTES)
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

    /// Returns the match at `start` that is not empty.
    fn match_at(&self, cache: &mut Cache, search: &mut Search<'_>, start: usize) -> Found {
        let found = self.any_match_at(cache, search, start);
        let Found::Match(end, alternative) = found else {
            return found;
        };
        let trailing = self.trailing.iter().find(|(i, _)| *i == alternative);
        match trailing {
            _ if end == start => Found::Nothing,
            Some((_, rest)) if end < search.text.len() => {
                // the last character is left to the next piece
                let last = whole_chars(search.text, end - 1);
                match rest {
                    _ if last > start => Found::Match(last, alternative),
                    Some(rest) => rest.match_at(&mut rest.caches.get(), search, start),
                    None => Found::Nothing,
                }
            }
            _ => found,
        }
    }

    /// Returns the match at `start`, which may be empty, and reads no further than needed to know it.
    fn any_match_at(&self, cache: &mut Cache, search: &mut Search<'_>, start: usize) -> Found {
        let text = search.text;
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        // a lazy automaton only gives up if it is configured to
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
                // the automaton reports a match one byte late
                found = Found::Match(at, self.dfa.match_pattern(cache, state, 0).as_usize());
            } else if state.is_dead() || state.is_quit() {
                search.budget.subtract(at + 1 - start);
                return found;
            }
        }
        search.budget.subtract(rest.len());
        if !search.complete {
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

/// Returns characters that match a pattern alone, in any text.
#[cfg(feature = "tokenizer-json")]
fn single_chars(hir: &Hir) -> ClassUnicode {
    let union = |parts: &[Hir]| {
        let mut all = ClassUnicode::empty();
        for part in parts {
            all.union(&single_chars(part));
        }
        all
    };
    if !hir.properties().look_set().is_empty() {
        return ClassUnicode::empty();
    }
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => class.clone(),
        HirKind::Repetition(repetition) if repetition.min <= 1 => single_chars(&repetition.sub),
        HirKind::Capture(capture) => single_chars(&capture.sub),
        HirKind::Alternation(parts) => union(parts),
        HirKind::Concat(parts) => {
            let is_needed = |part: &&Hir| part.properties().minimum_len() != Some(0);
            match *parts.iter().filter(is_needed).collect::<Vec<_>>() {
                [] => union(parts),
                [only] => single_chars(only),
                _ => ClassUnicode::empty(),
            }
        }
        _ => ClassUnicode::empty(),
    }
}

/// Splits a pattern into its alternatives.
fn alternatives(pattern: &str) -> Result<Vec<String>, String> {
    let mut alternatives = vec![String::new()];
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
            alternatives.push(String::new());
            continue;
        }
        let last = alternatives.last_mut().ok_or("it is empty")?;
        last.push(c);
        if c == '\\' {
            last.extend(chars.next());
        }
    }
    if alternatives.iter().any(|text| has_flags(text)) {
        return Err("it has flags that apply to later alternatives; write `(?i:…)`".into());
    }
    Ok(alternatives)
}

/// Returns whether a part of a pattern sets flags for the parts after it, as `(?i)` does.
fn has_flags(part: &str) -> bool {
    part.match_indices("(?").any(|(at, _)| {
        let flags = part.get(at + 2..).unwrap_or_default();
        let rest = flags.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
        rest.len() < flags.len() && rest.starts_with(')')
    })
}

/// Parses an alternative and makes its possessive quantifiers plain ones. Of [`TRAILING`], it parses only the white
/// space; the text after it is checked during the search.
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
                let (before, after) = concat.asts.split_at_mut(i + 1);
                if let Some(quantified) = before.last_mut() {
                    relax(quantified, after, alternative)?;
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

/// Makes a possessive quantifier a plain one.
///
/// # Errors
/// A character that the quantifier takes could begin the items after it, so that the two differ; or an item is not a
/// single character, so that this is not known.
fn relax(ast: &mut Ast, after: &[Ast], pattern: &str) -> Result<(), String> {
    let Some(repetition) = possessive(ast) else {
        return Ok(());
    };
    let taken = class(&repetition.ast, pattern)?.ok_or_else(|| {
        format!(
            "a possessive quantifier repeats more than a single character: {}",
            repetition.ast
        )
    })?;
    for item in after {
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
            .ok_or("a possessive quantifier is not followed by a single character")?;
        common.intersect(&taken);
        if !common.ranges().is_empty() {
            return Err("a possessive quantifier can take the character that follows it".into());
        }
        if !is_optional {
            break;
        }
    }
    *ast = Ast::Repetition(Box::new(repetition.clone()));
    Ok(())
}

/// Returns an item without its quantifiers, and whether it may be missing.
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

/// Returns the repetition that is possessive, as in `a++`: the parser reads that as a repetition of a repetition.
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

/// Returns whether a quantifier directly follows another one.
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

/// Returns the characters that a part of a pattern matches, if it always matches a single one.
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
