//! Lower bounds for raw request bodies, and the sizes of images that they link to.

use super::{counter_of, parse};
use crate::chat::Counter;
use crate::chat::at_least::{AtLeast, Unpriced};
use crate::chat::images::ImageSizes;
use crate::error::Error;

/// Counts the tokens of all content with a known price in a raw request body, with the counter of the model that it
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
    counter_of(body.value())?.price_body(body.value(), Unpriced::listed())
}

impl Counter {
    /// Counts the tokens of all content with a known price in a raw request body, and lists the content without one.
    ///
    /// No price is known for audio, files, links to images of an unknown size, and tools that are not functions. Nor is
    /// it for reasoning before a call and references to content that the service stores.
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
    /// - [`is_invalid_chat`](Error::is_invalid_chat): as [`estimate_json`](Self::estimate_json).
    /// - [`is_unsupported_content`](Error::is_unsupported_content), with the path `model`: nothing can be counted for
    ///   this model.
    ///
    /// # Complexity
    /// As [`count_json`](Self::count_json).
    pub fn at_least_json(&self, body: &str) -> Result<AtLeast, Error> {
        self.price_body(parse(body)?.value(), Unpriced::listed())
    }

    /// Returns this counter with a function for the sizes of images that raw request bodies link to. It replaces an
    /// earlier function.
    ///
    /// The function takes a link and returns the image's width and height in pixels, or `None` if the size is unknown.
    /// It is called once for each link of a body, except `data:` URLs, which hold the image. The counter never fetches
    /// a link.
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
