//! Contents of messages: texts and images.

use std::borrow::Cow;

use super::images::Image;

/// The content of a message: a text, or parts of text and images.
///
/// The constructors of [`Message`](super::Message) take anything that converts into it. That is a text (`&str`, `String`
/// or `Cow<str>`), a [`Part`], an [`Image`], or an array or `Vec` of parts.
///
/// ```
/// use tiktally::chat::{Content, Counter, Detail, Image, Message, Part, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let counter = Counter::for_model("gpt-4o")?;
/// let count = |content: Content| Ok::<_, tiktally::Error>(counter.count(&Request::new([Message::user(content)]))?.total);
/// let image = Image::new(512, 512, Detail::Low);
/// assert_eq!(count("Hello!".into())?, 9);
/// assert_eq!(count([Part::text("Hello!"), image.into()].into())?, 9 + 85);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Content<'a>(pub(crate) Vec<Part<'a>>);

impl Content<'_> {
    /// Creates an empty content, like `null` in a request body, for messages that have only calls.
    ///
    /// ```
    /// use tiktally::chat::{Content, Counter, Message, Request, ToolCall};
    ///
    /// # #[cfg(all(feature = "json", feature = "o200k_base"))] {
    /// let call = ToolCall::new("call_1", "sum", r#"{"of": [1, 2]}"#);
    /// let asked = Message::assistant(Content::none()).tool_calls([call]);
    /// let request = Request::new([asked, Message::tool("call_1", "3")]);
    /// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 26);
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub const fn none() -> Self {
        Self(Vec::new())
    }
}

/// A part of a message.
///
/// ```
/// use tiktally::chat::{Counter, Message, Part, Request};
///
/// # #[cfg(feature = "o200k_base")] {
/// let request = Request::new([Message::user([Part::text("Hel"), Part::text("lo!")])]);
/// assert_eq!(Counter::for_model("gpt-4o")?.count(&request)?.total, 9);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part<'a> {
    /// A text. Texts next to each other are joined.
    Text(Cow<'a, str>),
    /// An image of a known size.
    Image(Image),
}

impl<'a> Part<'a> {
    /// Creates a part of text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the text, if this is a part of text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Image(_) => None,
        }
    }
}

impl From<Image> for Part<'_> {
    fn from(image: Image) -> Self {
        Self::Image(image)
    }
}

impl<'a> From<&'a str> for Content<'a> {
    fn from(text: &'a str) -> Self {
        Part::text(text).into()
    }
}

impl<'a> From<&'a String> for Content<'a> {
    fn from(text: &'a String) -> Self {
        Part::text(text).into()
    }
}

impl From<String> for Content<'_> {
    fn from(text: String) -> Self {
        Part::text(text).into()
    }
}

impl<'a> From<Cow<'a, str>> for Content<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Part::Text(text).into()
    }
}

impl From<Image> for Content<'_> {
    fn from(image: Image) -> Self {
        Part::Image(image).into()
    }
}

impl<'a> From<Part<'a>> for Content<'a> {
    fn from(part: Part<'a>) -> Self {
        Self(vec![part])
    }
}

impl<'a, const N: usize> From<[Part<'a>; N]> for Content<'a> {
    fn from(parts: [Part<'a>; N]) -> Self {
        Self(parts.into())
    }
}

impl<'a> From<Vec<Part<'a>>> for Content<'a> {
    fn from(parts: Vec<Part<'a>>) -> Self {
        Self(parts)
    }
}

impl<'a> FromIterator<Part<'a>> for Content<'a> {
    fn from_iter<T: IntoIterator<Item = Part<'a>>>(parts: T) -> Self {
        Self(parts.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Part};
    use crate::chat::{Detail, Image, Message};

    #[test]
    fn all_kinds_of_content() {
        let text = String::from("Hm.");
        let expected = Message::user([Part::text("Hm.")]);
        for content in [
            Content::from("Hm."),
            Content::from(&text),
            Content::from(text.clone()),
            Content::from(std::borrow::Cow::from("Hm.")),
            Content::from(Part::text("Hm.")),
            Content::from(vec![Part::text(&text)]),
            [Part::text("Hm.")].into_iter().collect(),
        ] {
            assert_eq!(Message::user(content), expected);
        }
        let image = Image::new(1, 2, Detail::Low);
        assert_eq!(Content::from(image), Content::from([Part::Image(image)]));
        assert_eq!(Content::none(), Content::default());
    }
}
