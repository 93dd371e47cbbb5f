//! The state of a count, and the numbers that several rules need.
#![cfg_attr(not(feature = "json"), allow(dead_code))] // calls and tools with parameters are JSON

use super::api::{Api, Day};
use super::at_least::Unpriced;
use super::numbers::Numbers;
use super::request::{Message, Request, Role};
use super::rules::{self, Rule, RuleSet, RuleUse};
use super::{Counter, Family, families, images, unsupported};
use crate::error::Error;

/// The first day on which the Responses API was recorded without the hidden tokens of its first weeks (section 3.9).
/// With tools, the last recording with them is of two days earlier.
const FIRST_WEEKS_END: Day = Day::new(2025, 4, 7);

/// The rules that differ among reasoning models.
const DIFFERENT: [Rule; 4] = [Rule::Answer, Rule::Tools, Rule::Call, Rule::Parallel];
/// Why the counter of such a family alone is not sure of them.
const UNNAMED: &str = "answers in the history, tools and calls cost differently on some reasoning models, and the counter has the name of none";

/// A request that is being counted.
pub(super) struct Tally<'c> {
    pub(super) counter: &'c Counter,
    pub(super) numbers: &'c Numbers,
    pub(super) family: Family,
    /// The models whose recordings hold for this one, see [`families::group`].
    pub(super) group: &'static str,
    pub(super) api: Api,
    /// Reasons for an estimate that come from no rule: content that no recording shows.
    pub(super) doubts: Vec<String>,
    /// The content without a known price.
    pub(super) unpriced: Unpriced,
    /// The rules that were used so far.
    pub(super) rules: RuleSet,
    /// Whether the first message came as `instructions`, and the places of the others: see [`Request`].
    pub(super) has_instructions: bool,
    pub(super) items: Vec<usize>,
    /// Whether the messages have tool calls.
    pub(super) has_calls: bool,
    /// The tokens of all images so far.
    pub(super) images: usize,
    /// The tokens of the roles that were counted so far, in the order of [`Role::ALL`].
    roles: [Option<usize>; Role::ALL.len()],
}

impl Counter {
    /// Starts a count of a request to this API; `doubts` are the reasons that were found while the request was read.
    pub(super) fn tally(&self, api: Api, mut doubts: Vec<String>) -> Result<Tally<'_>, Error> {
        let family = self.family.map_err(|why| unsupported("model", why))?;
        doubts.extend(self.doubt.map(str::to_owned));
        Ok(Tally {
            counter: self,
            numbers: self.numbers,
            family,
            group: families::group(family, &self.base(), self.encoding.name()),
            api,
            doubts,
            unpriced: Unpriced::default(),
            rules: RuleSet::default(),
            has_instructions: false,
            items: Vec::new(),
            has_calls: false,
            images: 0,
            roles: Default::default(),
        })
    }
}

impl Tally<'_> {
    /// Counts the tokens of a text.
    pub(super) fn count(&self, text: &str) -> usize {
        self.counter.encoding.count(text)
    }

    /// Returns `tokens` and the tokens that a text adds where it follows another one. They can be negative: white space at
    /// the end of the other one joins that of the text.
    pub(super) fn plus_after(&self, tokens: usize, before: &str, text: &str) -> usize {
        (tokens + self.count(&[before, text].concat())).saturating_sub(self.count(before))
    }

    /// Counts the name of a function after its namespace: `.` and the name (section 3.2).
    pub(super) fn count_function(&self, name: &str) -> usize {
        self.plus_after(0, "functions", &format!(".{name}"))
    }

    /// Counts the name of a role, once for each role.
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

    /// Notes that the count uses a rule.
    pub(super) fn uses(&mut self, rule: Rule) {
        self.rules.insert(rule);
    }

    /// Adds a reason why the count is not sure.
    pub(super) fn doubt(&mut self, reason: &str) {
        self.doubts.push(reason.to_owned());
    }

    /// Returns whether the request is counted as of this day or later.
    pub(super) fn is_since(&self, day: Day) -> bool {
        self.counter.day.is_none_or(|as_of| as_of >= day)
    }

    /// Returns the text of the first message if it instructs the model. Models of June 2023 do not know developer
    /// messages.
    pub(super) fn first_system<'m>(
        &self,
        messages: &'m [Message<'_>],
    ) -> Option<std::borrow::Cow<'m, str>> {
        let first = messages.first()?;
        let is_system = match self.family {
            Family::Legacy0613 => first.role == Role::System,
            _ => first.role.is_system(),
        };
        is_system.then(|| first.text())
    }

    /// Returns the tokens of a message beyond its header and its content (section 1).
    pub(super) fn frame(&self) -> usize {
        match self.family {
            Family::Legacy0301 => self.numbers.message_0301,
            _ => self.numbers.message,
        }
    }

    /// Returns the tokens after the last message, which open the answer (section 1).
    pub(super) fn priming(&self) -> usize {
        match self.family {
            Family::Reasoning => self.numbers.priming_reasoning,
            _ => self.numbers.priming,
        }
    }

    /// Returns the tokens after the last message, with those that the Responses API adds or saves (section 3.9).
    pub(super) fn priming_of(&mut self, request: &Request<'_>) -> usize {
        let mut priming = self.priming();
        if !self.is_responses() {
            return priming;
        }
        if self.family == Family::Legacy0613 {
            priming -= self.numbers.legacy_responses;
        }
        if self.is_since(FIRST_WEEKS_END) {
            return priming;
        }
        self.uses(Rule::FirstWeeks);
        priming
            + if request.tools.is_empty() {
                self.numbers.first_weeks
            } else {
                self.numbers.first_weeks_tools
            }
    }

    /// Returns whether the request is counted as of a day from `since` to the day before `until`.
    pub(super) fn is_between(&self, since: Day, until: Day) -> bool {
        self.counter
            .day
            .is_some_and(|as_of| as_of >= since && as_of < until)
    }

    /// Returns whether the model is of June 2023 or earlier.
    pub(super) fn is_legacy(&self) -> bool {
        matches!(self.family, Family::Legacy0301 | Family::Legacy0613)
    }

    /// Returns whether the request is sent to the Responses API.
    pub(super) fn is_responses(&self) -> bool {
        self.api == Api::Responses
    }

    /// Returns the place of a message in the request, for errors and reasons.
    pub(super) fn place(&self, at: usize) -> String {
        if !self.is_responses() {
            return format!("messages[{at}]");
        }
        match at.checked_sub(usize::from(self.has_instructions)) {
            None => "instructions".to_owned(),
            Some(at) => format!("input[{}]", self.items.get(at).unwrap_or(&at)),
        }
    }

    /// Returns the place of the content of a message.
    pub(super) fn place_of_content(&self, message: &Message<'_>, at: usize) -> String {
        let is_output = self.is_responses() && message.role == Role::Tool;
        let key = if is_output { "output" } else { "content" };
        format!("{}.{key}", self.place(at))
    }

    /// Returns the rules that were used, each with its evidence.
    pub(super) fn used(&self) -> Vec<RuleUse> {
        let evidence = |rule: Rule| {
            let models = if rule.is_of_image() {
                images::group(&self.counter.base())
            } else {
                self.group
            };
            rules::evidence(rule, models, self.api)
        };
        self.rules.iter().map(evidence).collect()
    }

    /// Returns the reasons why the count is not sure: content that no recording shows, and rules with too few
    /// recordings.
    pub(super) fn reasons(&self, used: &[RuleUse]) -> Vec<String> {
        let mut reasons = self.doubts.clone();
        let differs = |rule: &Rule| self.rules.contains(*rule);
        if self.family == Family::Reasoning
            && !families::is_reasoning(&self.counter.base())
            && DIFFERENT.iter().any(differs)
        {
            reasons.push(UNNAMED.to_owned());
        }
        reasons.extend(used.iter().filter(|rule| !rule.is_sure()).map(|rule| {
            let RuleUse {
                name,
                models,
                recordings,
                others,
                ..
            } = rule;
            let api = self.api.name();
            match (recordings, others) {
                (0, _) => format!("no recording shows the rule `{name}` for {models} in the {api} API"),
                (1 | 2, _) => {
                    format!("the rule `{name}` for {models} in the {api} API has fewer than three recordings, {recordings}")
                }
                _ => format!(
                    "of the recordings with the rule `{name}` for {models} in the {api} API, {others} were billed otherwise and {recordings} so"
                ),
            }
        }));
        reasons
    }
}
