//! Budgets: the tokens that a request leaves of a model's window, and the messages that fit a budget.

use std::ops::Range;

use super::api::Api;
use super::messages::exchange_len;
use super::request::{Message, Request, Role};
use super::rules::{Rule, RuleSet};
use super::tally::Tally;
use super::{ChatTokens, Counter};
use crate::builtin::models::context_window;
use crate::error::{Error, ErrorKind};

/// Which messages [`Counter::fit`] drops first.
///
/// No policy drops system and developer messages, the last user message or anything after it. A call and its results
/// stay or go together.
///
/// ```
/// use tiktally::chat::Policy;
///
/// assert_eq!(Policy::default(), Policy::OldestMessages);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// Drops the oldest messages, one at a time, which keeps most of the text.
    #[default]
    OldestMessages,
    /// Drops the oldest turns as a whole, each from one user message to the next, so that no answer loses its question.
    OldestTurns,
}

/// The messages that fit a budget, and the indices of the dropped ones; returned by [`Counter::fit`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fitted<'a> {
    /// The messages that stay, in order.
    pub messages: Vec<Message<'a>>,
    /// The indices of the dropped messages in the given list, in ascending order.
    pub dropped: Vec<usize>,
    /// The cost of a request with the messages that stay.
    pub tokens: ChatTokens,
}

/// A message, or calls with their results, which stay or go together.
struct Unit {
    messages: Range<usize>,
    /// The role of the first message.
    role: Role,
    /// The number of its turn, in order; `None` if it must stay.
    turn: Option<usize>,
    tokens: Vec<usize>,
    images: usize,
    rules: RuleSet,
    doubts: Vec<String>,
}

impl Unit {
    /// Returns its tokens, with those of its images.
    fn total(&self) -> usize {
        self.tokens.iter().sum::<usize>() + self.images
    }
}

impl Counter {
    /// Returns how many tokens of the model's window a request leaves, negative if it does not fit. See
    /// [`ContextWindow::remaining`](crate::ContextWindow::remaining).
    ///
    /// Returns `None` if the window is not known, such as for a counter without a model's name.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Family, Message, Request};
    ///
    /// let request = Request::new([Message::user("Hello!")]);
    /// # #[cfg(feature = "o200k_base")] {
    /// assert_eq!(Counter::for_model("gpt-4o")?.remaining(&request)?, Some(128_000 - 9));
    /// assert_eq!(Counter::new(Family::Modern, tiktally::o200k_base()).remaining(&request)?, None);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`count`](Self::count). If there is only an [`estimate`](Self::estimate), pass its total to
    /// [`ContextWindow::remaining`](crate::ContextWindow::remaining).
    ///
    /// # Complexity
    /// As [`count`](Self::count).
    pub fn remaining(&self, request: &Request<'_>) -> Result<Option<i64>, Error> {
        let total = self.count(request)?.total;
        let window = self.model.as_deref().and_then(context_window);
        Ok(window.map(|window| window.remaining(total)))
    }

    /// Drops messages until the others cost at most `budget` tokens, including those that open the answer.
    ///
    /// The budget does not cover tools and schemas: subtract their cost, such as [`ChatTokens::tools`], first.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Message, Policy};
    ///
    /// let messages = [
    ///     Message::system("Be brief."),
    ///     Message::user("What is a token?"),
    ///     Message::assistant("A piece of text that a model reads as one."),
    ///     Message::user("And a rank?"),
    /// ];
    /// # #[cfg(feature = "o200k_base")] {
    /// let counter = Counter::for_model("gpt-4o")?;
    /// let fitted = counter.fit(messages, 20, Policy::OldestTurns)?;
    /// assert_eq!(fitted.dropped, [1, 2]);
    /// assert_eq!((fitted.messages.len(), fitted.tokens.total), (2, 18));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate), and [`is_limit_too_small`](Error::is_limit_too_small) if the messages that must
    /// stay cost more than the budget.
    ///
    /// # Complexity
    /// As counting all messages once.
    pub fn fit<'a>(
        &self,
        messages: impl IntoIterator<Item = Message<'a>>,
        budget: usize,
        policy: Policy,
    ) -> Result<Fitted<'a>, Error> {
        let messages: Vec<Message<'a>> = messages.into_iter().collect();
        let mut tally = self.tally(Api::ChatCompletions, Vec::new())?;
        tally.has_calls = messages.iter().any(Message::has_call);
        let mut units = units(&mut tally, &messages)?;
        number_turns(&mut units, policy);
        let mut total = tally.priming() + units.iter().map(Unit::total).sum::<usize>();
        let mut gone = None;
        units.retain(|unit| {
            // a turn of which a part was dropped is dropped as a whole
            let goes = unit.turn.is_some() && (total > budget || unit.turn == gone);
            if goes {
                gone = unit.turn;
                total -= unit.total();
            }
            !goes
        });
        if total > budget {
            let needed = total;
            return Err(ErrorKind::BudgetTooSmall { needed, budget }.into());
        }
        let had_calls = tally.has_calls;
        let mut fitted = fitted(messages, units, tally);
        let has_calls = fitted.messages.iter().any(Message::has_call);
        if had_calls && !has_calls && fitted.tokens.images > 0 {
            // some models bill more for images beside calls, and the calls are gone
            fitted.tokens = self.estimate(&Request::new(fitted.messages.clone()))?;
        }
        Ok(fitted)
    }
}

/// Messages that may be dropped together.
#[cfg(feature = "json")]
pub(super) struct Droppable {
    pub(super) messages: Range<usize>,
    pub(super) tokens: usize,
    /// Whether it begins a step: the messages up to the next beginning are dropped with it.
    pub(super) is_begin: bool,
}

#[cfg(feature = "json")]
impl Counter {
    /// Returns the messages of a request that may be dropped, in order.
    pub(super) fn droppable(
        &self,
        request: &Request<'_>,
        policy: Policy,
    ) -> Result<Vec<Droppable>, Error> {
        let mut tally = self.tally(request.api, Vec::new())?;
        tally.has_instructions = request.has_instructions;
        tally.items.clone_from(&request.items);
        tally.has_calls = request.messages.iter().any(Message::has_call);
        let mut units = units(&mut tally, &request.messages)?;
        number_turns(&mut units, policy);
        let mut turn = None;
        let units = units.into_iter().filter(|unit| unit.turn.is_some());
        Ok(units
            .map(|unit| Droppable {
                tokens: unit.total(),
                is_begin: std::mem::replace(&mut turn, unit.turn) != unit.turn,
                messages: unit.messages,
            })
            .collect())
    }
}

/// Groups the messages that belong together, and counts the tokens of each group.
fn units(tally: &mut Tally<'_>, messages: &[Message<'_>]) -> Result<Vec<Unit>, Error> {
    let mut units = Vec::new();
    let mut at = 0;
    while let Some(first) = messages.get(at) {
        let end = at + exchange_len(messages, at, tally.api);
        let (images, doubts) = (tally.images, tally.doubts.len());
        let rules = std::mem::take(&mut tally.rules);
        let mut tokens = Vec::new();
        tally.exchange(messages.get(at..end).unwrap_or_default(), at, &mut tokens)?;
        units.push(Unit {
            tokens,
            messages: at..end,
            role: first.role,
            turn: None,
            images: tally.images - images,
            rules: std::mem::replace(&mut tally.rules, rules),
            doubts: tally.doubts.split_off(doubts),
        });
        at = end;
    }
    Ok(units)
}

/// Numbers the turns that may be dropped: all units before the last user message except instructions.
fn number_turns(units: &mut [Unit], policy: Policy) {
    let last = units.iter().rposition(|unit| unit.role == Role::User);
    let last = last.unwrap_or(units.len().saturating_sub(1));
    let mut turn = 0;
    for unit in units.iter_mut().take(last) {
        if !unit.role.is_system() {
            let begins = policy == Policy::OldestMessages || unit.role == Role::User;
            turn += usize::from(begins);
            unit.turn = Some(turn);
        }
    }
}

/// Returns the messages of these units, and the indices of all others.
fn fitted<'a>(messages: Vec<Message<'a>>, units: Vec<Unit>, mut tally: Tally<'_>) -> Fitted<'a> {
    let mut images = 0;
    let mut tokens = Vec::new();
    let mut kept = vec![false; messages.len()];
    for unit in units {
        kept.get_mut(unit.messages).unwrap_or_default().fill(true);
        images += unit.images;
        tokens.extend(unit.tokens);
        tally.doubts.extend(unit.doubts);
        tally.rules.extend(unit.rules);
    }
    let numbered = messages.into_iter().zip(kept).enumerate();
    let (mut messages, mut dropped) = (Vec::new(), Vec::new());
    for (at, (message, is_kept)) in numbered {
        if is_kept {
            messages.push(message);
        } else {
            dropped.push(at);
        }
    }
    if images > 0 && messages.iter().any(Message::has_call) {
        tally.uses(Rule::ImageCall);
    }
    let rules = tally.used();
    let reasons = tally.reasons(&rules);
    Fitted {
        messages,
        dropped,
        tokens: ChatTokens {
            rules,
            ..ChatTokens::of_messages(tokens, images, tally.priming(), &reasons)
        },
    }
}
