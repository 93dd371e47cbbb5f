//! The caller's sizes of images that a request only links to.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

type Size = dyn Fn(&str) -> Option<(u32, u32)> + Send + Sync;

/// A caller's function from the link of an image to its width and height in pixels.
#[derive(Clone)]
pub(crate) struct ImageSizes(Arc<AssertUnwindSafe<Box<Size>>>);

impl ImageSizes {
    /// Creates the sizes from a function.
    pub(crate) fn new(size: impl Fn(&str) -> Option<(u32, u32)> + Send + Sync + 'static) -> Self {
        Self(Arc::new(AssertUnwindSafe(Box::new(size))))
    }

    /// Returns the width and height in pixels of the image at this link, if the function knows them.
    pub(crate) fn of(&self, url: &str) -> Option<(u32, u32)> {
        self.0.0(url)
    }
}

impl fmt::Debug for ImageSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImageSizes")
    }
}
