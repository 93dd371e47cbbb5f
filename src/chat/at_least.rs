//! Partial answers: the tokens of all content with a known price, and the list of the rest.

use super::{ChatTokens, Counter, Exactness, Request, unsupported};
use crate::error::Error;

/// The least that a request costs, and the content without a known price; returned by [`Counter::at_least`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AtLeast {
    /// The cost of all content with a known price. If something is missing, it is an estimate whose reason says that it
    /// is a lower bound. Otherwise it is the result of [`Counter::estimate`].
    pub tokens: ChatTokens,
    /// The content that only the service can count, in the order in which it was found. It counts as 0 tokens.
    pub missing: Vec<Missing>,
}

/// Content of a request that only the service can count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Missing {
    /// The place in the request, such as `messages[2].content[1]`.
    pub path: String,
    /// Why its cost is not known.
    pub reason: String,
}

impl Counter {
    /// Counts the tokens of all content with a known price, and lists the content without one. Audio, files and links
    /// to images of an unknown size have none.
    ///
    /// ```
    /// use tiktally::chat::{Counter, Detail, Exactness, Family, Image, Message, Part, Request};
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// // no model, so the price of an image is not known
    /// let counter = Counter::new(Family::Modern, tiktally::o200k_base());
    /// let image = Image::new(512, 512, Detail::Low);
    /// let request = Request::new([Message::user([Part::text("Hello!"), image.into()])]);
    /// assert!(counter.estimate(&request).unwrap_err().is_unsupported_content());
    ///
    /// let least = counter.at_least(&request)?;
    /// assert_eq!(least.tokens.total, 9);
    /// assert_eq!(least.missing[0].path, "messages[0].content[1]");
    /// let Exactness::Estimate { reason } = least.tokens.exactness else { panic!() };
    /// assert!(reason.contains("lower bound"));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`is_invalid_chat`](Error::is_invalid_chat): the API would refuse the request.
    /// - [`is_unsupported_content`](Error::is_unsupported_content), with the path `model`: nothing can be counted for
    ///   this model.
    ///
    /// # Complexity
    /// As [`count`](Self::count).
    pub fn at_least(&self, request: &Request<'_>) -> Result<AtLeast, Error> {
        let (tokens, unpriced) = self.price(request, Unpriced::listed())?;
        Ok(AtLeast::new(tokens, unpriced))
    }
}

impl AtLeast {
    /// Creates an answer; with unpriced content, the tokens become an estimate that says it is a lower bound.
    pub(super) fn new(mut tokens: ChatTokens, unpriced: Unpriced) -> Self {
        let missing = unpriced.0.unwrap_or_default();
        if !missing.is_empty() {
            let mut reason = match missing.len() {
                1 => "this is a lower bound: one part of the request has no known price".to_owned(),
                parts => format!(
                    "this is a lower bound: {parts} parts of the request have no known price"
                ),
            };
            if let Exactness::Estimate { reason: other } = &tokens.exactness {
                reason = reason + "; " + other;
            }
            tokens.exactness = Exactness::Estimate { reason };
        }
        Self { tokens, missing }
    }
}

/// Content without a known price: an error by default, or a list of it.
#[derive(Debug, Default)]
pub(super) struct Unpriced(Option<Vec<Missing>>);

impl Unpriced {
    /// Creates an empty list, so that such content is not an error.
    pub(super) fn listed() -> Self {
        Self(Some(Vec::new()))
    }

    /// Adds content to the list, or returns the error for it.
    pub(super) fn note(
        &mut self,
        path: impl Into<String>,
        reason: impl Into<String>,
    ) -> Result<(), Error> {
        let Some(missing) = &mut self.0 else {
            return Err(unsupported(path, reason));
        };
        missing.push(Missing {
            path: path.into(),
            reason: reason.into(),
        });
        Ok(())
    }
}
