//! Images of chat requests: their size and their detail, on which the price depends (section 4 of page.md).

#[cfg(feature = "json")]
mod data_url;
mod price;
#[cfg(feature = "json")]
mod sizes;

#[cfg(feature = "json")]
use crate::error::Error;
#[cfg(feature = "json")]
pub(crate) use data_url::is_link;
pub(crate) use price::{Sent, cost, group};
#[cfg(feature = "json")]
pub(crate) use sizes::ImageSizes;

/// How closely the model looks at an image: `detail` in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Detail {
    /// The model chooses, as without a detail: `Original` for gpt-5.5, `High` for the others.
    #[default]
    Auto,
    /// One price for all sizes on models that count tiles. Models that count patches have no known lower price.
    Low,
    /// A higher price for a larger image, up to a limit of the model.
    High,
    /// Like `High`, with a larger limit on gpt-5.4 and gpt-5.5. Other models count it as `High`, as an estimate.
    Original,
}

/// An image in a chat request: its size in pixels and its detail, on which its cost depends.
///
/// Swapping width and height does not change the cost, so the rotation in a photo's metadata does not matter. A side of
/// 0 counts as 1.
///
/// ```
/// use tiktally::chat::{Detail, Image};
///
/// let image = Image::new(1024, 768, Detail::High);
/// assert_eq!((image.width(), image.height(), image.detail()), (1024, 768, Detail::High));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Image {
    width: u32,
    height: u32,
    detail: Detail,
    source: Source,
}

/// The source of an image's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(not(feature = "json"), allow(dead_code))] // only bodies have links
enum Source {
    Known,
    /// A link of an image whose size is not known; the size may not matter.
    Link,
    /// The image replaces a part without a known price, which is noted already.
    Missing,
}

impl Image {
    /// Creates an image of a known size in pixels.
    pub fn new(width: u32, height: u32, detail: Detail) -> Self {
        Self {
            width,
            height,
            detail,
            source: Source::Known,
        }
    }

    /// Creates an image that replaces a part without a known price; it costs nothing.
    #[cfg(feature = "json")]
    pub(crate) fn missing() -> Self {
        Self {
            source: Source::Missing,
            ..Self::new(0, 0, Detail::Auto)
        }
    }

    /// Returns whether this image replaces a part without a known price.
    pub(crate) fn is_missing(self) -> bool {
        self.source == Source::Missing
    }

    /// Returns whether the size is not known because the image is a link.
    fn is_link(self) -> bool {
        self.source == Source::Link
    }

    /// Reads a URL like [`from_data_url`](Self::from_data_url), but accepts a link at low detail: some models bill no
    /// size then.
    #[cfg(feature = "json")]
    pub(crate) fn from_url(url: &str, detail: Detail) -> Result<Self, Error> {
        if detail == Detail::Low && data_url::is_link(url) {
            return Ok(Self {
                source: Source::Link,
                ..Self::new(0, 0, detail)
            });
        }
        Self::from_data_url(url, detail)
    }

    /// Reads the size of an image from a URL with its data: `data:image/…;base64,…`, of PNG, JPEG, GIF or WebP.
    ///
    /// Only the head of the data is read. The rest is not checked, and the format may differ from the one that the URL
    /// names. Links are never fetched: give their size with [`new`](Self::new).
    ///
    /// ```
    /// use tiktally::chat::{Detail, Image};
    ///
    /// let gif = "data:image/gif;base64,R0lGODlhAwACAPAAAP8AAP///yH5BAAAAAAALAAAAAADAAIAAAIChF8AOw==";
    /// assert_eq!(Image::from_data_url(gif, Detail::Low)?, Image::new(3, 2, Detail::Low));
    ///
    /// let link = Image::from_data_url("https://example.com/cat.png", Detail::Low);
    /// assert!(link.unwrap_err().is_unsupported_content());
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// The error's path is empty.
    /// - [`is_unsupported_content`](Error::is_unsupported_content): the URL is a link.
    /// - [`is_invalid_chat`](Error::is_invalid_chat): the URL does not hold an image in base64, or its data does not
    ///   give a possible size.
    ///
    /// # Complexity
    /// O(n) in the bytes of the URL; usually only the first kilobyte is read.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn from_data_url(url: &str, detail: Detail) -> Result<Self, Error> {
        let (width, height) = data_url::size(url)?;
        Ok(Self::new(width, height, detail))
    }

    /// Returns the width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the detail.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Returns width and height, at least 1 each, so that divisions are safe. `u64` holds every product of [`price`].
    fn sides(self) -> (u64, u64) {
        (self.width.max(1).into(), self.height.max(1).into())
    }

    /// Returns whether no side is longer than this, in pixels.
    fn fits(self, side: u64) -> bool {
        let (width, height) = self.sides();
        width.max(height) <= side
    }
}

/// The reason why an image of an unknown size has no price.
pub(crate) const LINK: &str = "the image is a link, whose size is unknown because links are never fetched; give the size with `Counter::with_image_sizes` or `Image::new`";
