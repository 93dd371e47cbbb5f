//! The least that a raw request body costs, and the sizes of images that it links to.

use super::{counter_of, parse};
use crate::chat::Counter;
use crate::chat::at_least::{AtLeast, Gaps};
use crate::chat::images::ImageSizes;
use crate::error::Error;

/// Counts the tokens of all content of a raw request body with a known price, with the counter of the model that it
/// names. See [`Counter::at_least_json`].
///
/// ```
/// # #[cfg(feature = "o200k_base")] {
/// let body = r#"{"model": "gpt-4o", "previous_response_id": "resp_1", "input": "Hello!"}"#;
/// let least = tiktally::chat::at_least_json(body)?;
/// assert_eq!((least.tokens.total, least.missing.len()), (9, 1));
/// assert_eq!(least.missing[0].path, "previous_response_id");
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
///
/// # Errors
/// As [`Counter::at_least_json`] and [`Counter::for_model`].
///
/// # Complexity
/// As [`count_json`](super::count_json).
pub fn at_least_json(body: &str) -> Result<AtLeast, Error> {
    let body = parse(body)?;
    counter_of(&body)?.price_body(&body, Gaps::listed())
}

impl Counter {
    /// Counts the tokens of all content of a raw request body with a known price, and lists the content without one.
    ///
    /// Sound, files, links to images of an unknown size, tools that are not functions, reasoning before a call and
    /// references to what the service stores have no known price.
    ///
    /// ```
    /// use tiktally::chat::Counter;
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let body = r#"{"messages": [{"role": "user", "content": [
    ///     {"type": "text", "text": "Hello!"},
    ///     {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    /// ]}]}"#;
    /// let counter = Counter::for_model("gpt-4o")?;
    /// assert!(counter.estimate_json(body).unwrap_err().is_unsupported_content());
    ///
    /// let least = counter.at_least_json(body)?;
    /// assert_eq!(least.tokens.total, 9);
    /// assert_eq!(least.missing[0].path, "messages[0].content[1]");
    /// assert!(least.missing[0].reason.contains("input_audio"));
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_invalid_chat`](Error::is_invalid_chat) as [`estimate_json`](Self::estimate_json);
    /// [`is_unsupported_content`](Error::is_unsupported_content) only with the path `model`, for a model of which
    /// nothing can be counted.
    ///
    /// # Complexity
    /// As [`count_json`](Self::count_json).
    pub fn at_least_json(&self, body: &str) -> Result<AtLeast, Error> {
        self.price_body(&parse(body)?, Gaps::listed())
    }

    /// Returns this counter with a function that returns the width and the height of an image in pixels by its link, for
    /// the links of raw request bodies. It replaces an earlier one.
    ///
    /// The function is called for each link when a body is counted, except `data:` URLs, which hold the image. If it returns
    /// `None`, the size stays unknown. The counter never fetches a link.
    ///
    /// ```
    /// use tiktally::chat::Counter;
    ///
    /// # #[cfg(feature = "o200k_base")] {
    /// let body = r#"{"messages": [{"role": "user", "content": [
    ///     {"type": "text", "text": "What is this?"},
    ///     {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
    /// ]}]}"#;
    /// let counter = Counter::for_model("gpt-4o")?;
    /// assert!(counter.count_json(body).unwrap_err().is_unsupported_content());
    ///
    /// let sized = counter.with_image_sizes(|url| url.ends_with("/cat.png").then_some((1024, 768)));
    /// assert_eq!(sized.count_json(body)?.images, 765);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    #[must_use]
    pub fn with_image_sizes(
        mut self,
        size: impl Fn(&str) -> Option<(u32, u32)> + Send + Sync + 'static,
    ) -> Self {
        self.sizes = Some(ImageSizes::new(size));
        self
    }
}
