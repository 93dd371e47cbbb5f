//! The sums of many requests, by model.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tiktally::chat::{Api, RuleUse};

use super::counting::Counted;
use super::tables;
use crate::terminal::Table;

/// The sums of requests, as many as there are.
#[derive(Debug, Default)]
pub(super) struct Totals {
    by_model: BTreeMap<String, Sum>,
    /// The rules by models, API and name, each with the number of requests that used it.
    rules: BTreeMap<(&'static str, Api, &'static str), (RuleUse, usize)>,
    failed: usize,
}

/// Numbers of requests, and of tokens that are exact or estimated.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    requests: usize,
    estimates: usize,
    exact_tokens: usize,
    estimated_tokens: usize,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.estimates += other.estimates;
        self.exact_tokens += other.exact_tokens;
        self.estimated_tokens += other.estimated_tokens;
    }

    fn tokens(self) -> usize {
        self.exact_tokens + self.estimated_tokens
    }

    fn cells(self) -> [String; 5] {
        [
            self.requests,
            self.estimates,
            self.exact_tokens,
            self.estimated_tokens,
            self.tokens(),
        ]
        .map(|number| number.to_string())
    }
}

impl Totals {
    /// Adds a request.
    pub(super) fn count(&mut self, counted: &Counted) {
        let is_estimate = counted.estimate_reason().is_some();
        let total = counted.tokens.total;
        let model = counted.model.as_deref().unwrap_or("-");
        // most requests are for a model that is known already: its name is not copied
        if !self.by_model.contains_key(model) {
            self.by_model.insert(model.to_owned(), Sum::default());
        }
        if let Some(sum) = self.by_model.get_mut(model) {
            sum.add(Sum {
                requests: 1,
                estimates: usize::from(is_estimate),
                exact_tokens: if is_estimate { 0 } else { total },
                estimated_tokens: if is_estimate { total } else { 0 },
            });
        }
        for rule in &counted.tokens.rules {
            self.add_rule(*rule, 1);
        }
    }

    fn add_rule(&mut self, rule: RuleUse, requests: usize) {
        let key = (rule.models, rule.api, rule.name);
        self.rules.entry(key).or_insert((rule, 0)).1 += requests;
    }

    /// Adds a request that could not be counted, or an input that could not be read.
    pub(super) fn fail(&mut self) {
        self.failed += 1;
    }

    /// Adds all of `other`.
    pub(super) fn add(&mut self, other: Self) {
        for (model, sum) in other.by_model {
            self.by_model.entry(model).or_default().add(sum);
        }
        for (rule, requests) in other.rules.into_values() {
            self.add_rule(rule, requests);
        }
        self.failed += other.failed;
    }

    fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        self.by_model.values().for_each(|other| sum.add(*other));
        sum
    }

    /// Returns how many requests were counted.
    pub(super) fn counted(&self) -> usize {
        self.sum().requests
    }

    /// Returns how many requests there were.
    pub(super) fn asked(&self) -> usize {
        self.counted() + self.failed
    }

    pub(super) fn tokens(&self) -> usize {
        self.sum().tokens()
    }

    pub(super) fn has_estimates(&self) -> bool {
        self.sum().estimates > 0
    }

    /// Prints the total.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        tables::print_total(self.tokens(), self.has_estimates(), "  ", out)
    }

    /// Prints a table of the models and the total, and the rules that the counts used if `explain` is set.
    pub(super) fn print_by_model(&self, explain: bool, out: &mut impl Write) -> io::Result<()> {
        let mut table = Table::new("nrrrrr");
        table.header([
            "model",
            "requests",
            "estimates",
            "exact tokens",
            "estimated tokens",
            "tokens",
        ]);
        let models = self.by_model.iter();
        let models = models.map(|(model, sum)| (model.as_str(), *sum));
        for (name, sum) in models.chain([("total", self.sum())]) {
            let name = [name.to_owned()];
            table.row(name.into_iter().chain(sum.cells()));
        }
        table.print("  ", out)?;
        if explain {
            let rules = self.rules.values();
            let rules = rules.map(|(rule, requests)| (*rule, Some(*requests)));
            tables::print_rules(rules, "  ", out)?;
        }
        Ok(())
    }
}
