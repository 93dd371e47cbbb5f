//! Images of chat requests: the size and the detail, which is all that a price depends on.

#[cfg(feature = "json")]
mod data_url;
mod price;

#[cfg(feature = "json")]
use crate::error::Error;
pub(crate) use price::cost;

/// How closely the model looks at an image: `detail` in a request.
///
/// ```
/// use tiktally::chat::Detail;
///
/// assert_eq!(Detail::default(), Detail::Auto);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Detail {
    /// The model's own choice, and what a request means that names no detail: `Original` for gpt-5.5, `High` for the
    /// others.
    #[default]
    Auto,
    /// One fixed price on models that count tiles, whatever the size of the image. It changes nothing known on models
    /// that count patches.
    Low,
    /// The price grows with the image, up to a limit of the model.
    High,
    /// As `High` with a larger limit; gpt-5.4 and gpt-5.5 know it. Elsewhere it counts as `High`, as an estimate.
    Original,
}

/// An image in a chat request: its size in pixels and its detail, which is all that its price depends on.
///
/// Width and height may be exchanged, so it does not matter whether the rotation that a photo's metadata asks for has
/// been applied. A side of 0 counts as 1.
///
/// ```
/// use tiktally::chat::{Detail, Image};
///
/// let image = Image::new(1024, 768, Detail::High);
/// assert_eq!((image.width(), image.height(), image.detail()), (1024, 768, Detail::High));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    detail: Detail,
    /// Of a link the size is not known; it may not matter.
    is_link: bool,
}

impl Image {
    /// An image of a known size in pixels.
    ///
    /// ```
    /// use tiktally::chat::{Detail, Image};
    ///
    /// let image = Image::new(640, 480, Detail::Auto);
    /// assert_eq!(image, Image::new(640, 480, Detail::default()));
    /// ```
    pub fn new(width: u32, height: u32, detail: Detail) -> Self {
        Self {
            width,
            height,
            detail,
            is_link: false,
        }
    }

    /// As [`from_data_url`](Self::from_data_url), but some models bill a link at low detail whatever size it has.
    #[cfg(feature = "json")]
    pub(crate) fn from_url(url: &str, detail: Detail) -> Result<Self, Error> {
        if detail == Detail::Low && data_url::is_link(url) {
            return Ok(Self {
                is_link: true,
                ..Self::new(0, 0, detail)
            });
        }
        Self::from_data_url(url, detail)
    }

    /// An image from a URL that holds its data: `data:image/…;base64,…`, of PNG, JPEG, GIF or WebP.
    ///
    /// Only the size is read, from the head of the data; whether the rest is an image is not checked, nor whether the
    /// format is the one that the URL names. Nothing is ever fetched: where the URL is a link, give the size with
    /// [`new`](Self::new).
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
    /// [`is_unsupported_content`](Error::is_unsupported_content) when the URL is a link;
    /// [`is_invalid_chat`](Error::is_invalid_chat) when it holds no image in base64, or the head of the data tells no
    /// size that an image can have. The error's path is empty.
    ///
    /// # Complexity
    /// Linear in the length of the URL, and as a rule only its first kilobyte is read.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn from_data_url(url: &str, detail: Detail) -> Result<Self, Error> {
        let (width, height) = data_url::size(url)?;
        Ok(Self::new(width, height, detail))
    }

    /// The width in pixels.
    ///
    /// ```
    /// use tiktally::chat::{Detail, Image};
    ///
    /// assert_eq!(Image::new(640, 480, Detail::Auto).width(), 640);
    /// ```
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The height in pixels.
    ///
    /// ```
    /// use tiktally::chat::{Detail, Image};
    ///
    /// assert_eq!(Image::new(640, 480, Detail::Auto).height(), 480);
    /// ```
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How closely the model is to look.
    ///
    /// ```
    /// use tiktally::chat::{Detail, Image};
    ///
    /// assert_eq!(Image::new(640, 480, Detail::Low).detail(), Detail::Low);
    /// ```
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Wide enough for every product below, and without the zero that nothing can be divided by.
    fn sides(self) -> (u64, u64) {
        (self.width.max(1).into(), self.height.max(1).into())
    }

    fn fits(self, side: u64) -> bool {
        let (width, height) = self.sides();
        width.max(height) <= side
    }
}

/// Why an image that is not there has no price.
const LINK: &str = "the image is a link, which tells no size and is never fetched; give the image's size with `Image::new`";
