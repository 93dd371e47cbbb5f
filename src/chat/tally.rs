//! A request while it is counted: what was found so far, and what all of the rules ask for.

use super::numbers::Numbers;
use super::request::{Message, Role};
use super::{Counter, Family, unsupported};
use crate::error::Error;

/// A request that is being counted.
pub(super) struct Tally<'c> {
    pub(super) counter: &'c Counter,
    pub(super) numbers: &'c Numbers,
    pub(super) family: Family,
    pub(super) doubts: Vec<String>,
    /// The tokens of all images.
    pub(super) images: usize,
    /// The first message that instructs the model, and the tokens of its last text.
    pub(super) system: Option<(usize, usize)>,
    /// What the roles cost that have been seen, as [`Role::ALL`] has them.
    roles: [Option<usize>; Role::ALL.len()],
}

impl Counter {
    /// Begins to count; the doubts are those that the request came with.
    pub(super) fn tally(&self, mut doubts: Vec<String>) -> Result<Tally<'_>, Error> {
        let family = self.family.map_err(|why| unsupported("model", why))?;
        doubts.extend(self.doubt.map(str::to_owned));
        Ok(Tally {
            counter: self,
            numbers: self.numbers,
            family,
            doubts,
            images: 0,
            system: None,
            roles: Default::default(),
        })
    }
}

impl Tally<'_> {
    pub(super) fn count(&self, text: &str) -> usize {
        self.counter.encoding.count(text)
    }

    /// The tokens of a role's name.
    pub(super) fn role(&mut self, role: Role) -> usize {
        let known = self.roles.get(role as usize).copied().flatten();
        known.unwrap_or_else(|| {
            let count = self.count(role.name());
            if let Some(place) = self.roles.get_mut(role as usize) {
                *place = Some(count);
            }
            count
        })
    }

    pub(super) fn doubt(&mut self, reason: &str) {
        self.doubts.push(reason.to_owned());
    }

    pub(super) fn doubt_images_beside_calls(&mut self, images: usize, messages: &[Message<'_>]) {
        if images > 0 && messages.iter().any(Message::has_call) {
            self.doubt("the only recorded image beside tool calls was billed 4 tokens less");
        }
    }

    /// Whether a message has what tools are added to; the models of June 2023 know no developers.
    pub(super) fn is_system(&self, role: Role) -> bool {
        match self.family {
            Family::Legacy0613 => role == Role::System,
            _ => role.is_system(),
        }
    }

    /// What a message has beside its header and its content.
    pub(super) fn frame(&self) -> usize {
        match self.family {
            Family::Legacy0301 => self.numbers.message_0301,
            _ => self.numbers.message,
        }
    }

    /// What follows the last message.
    pub(super) fn priming(&self) -> usize {
        match self.family {
            Family::Reasoning => self.numbers.priming_reasoning,
            _ => self.numbers.priming,
        }
    }

    pub(super) fn is_legacy(&self) -> bool {
        matches!(self.family, Family::Legacy0301 | Family::Legacy0613)
    }
}
