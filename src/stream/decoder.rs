//! Decodes ids to text while they arrive.

use std::str;

use crate::encoding::Encoding;
use crate::error::{Error, ErrorKind};
use crate::token_id::TokenId;

/// Turns bytes that arrive token by token into text. Between two calls it holds only bytes of a character that is not
/// complete, so at most three.
#[derive(Debug, Clone, Default)]
struct Held {
    bytes: Vec<u8>,
    /// The text that the last token completed.
    text: String,
    /// How many bytes came before those that are held: positions in errors count from the first id on.
    done: usize,
    /// How many ids were decoded.
    ids: usize,
}

/// The bytes that follow the longest valid prefix.
enum Rest {
    /// None, or the beginning of a character.
    Open,
    /// This many bytes that no character contains.
    Invalid(usize),
}

impl Held {
    /// Moves the longest valid prefix of the held bytes to the text, and returns the kind of the bytes that follow.
    fn take_valid(&mut self) -> Rest {
        let (valid, rest) = match str::from_utf8(&self.bytes) {
            Ok(text) => (text.len(), Rest::Open),
            Err(error) => {
                let rest = error.error_len().map_or(Rest::Open, Rest::Invalid);
                (error.valid_up_to(), rest)
            }
        };
        let valid = str::from_utf8(self.bytes.get(..valid).unwrap_or_default());
        self.text.push_str(valid.unwrap_or_default());
        self.skip(valid.map_or(0, str::len));
        rest
    }

    /// Drops the first `bytes` of the held bytes.
    fn skip(&mut self, bytes: usize) {
        self.bytes.drain(..bytes);
        self.done += bytes;
    }
}

/// Decodes ids one by one to text, and fails on bytes that are not valid UTF-8.
///
/// Created by [`Encoding::stream_decoder`]. [`LossyStreamDecoder`] replaces such bytes instead.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let encoding = tiktally::cl100k_base();
/// let mut decoder = encoding.stream_decoder();
/// let mut text = String::new();
/// for id in encoding.encode_ordinary("tea 🍵") {
///     text += decoder.push(id)?;
/// }
/// decoder.finish()?;
/// assert_eq!(text, "tea 🍵");
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct StreamDecoder {
    encoding: Encoding,
    held: Held,
}

/// Decodes ids one by one to text, and replaces invalid UTF-8 by U+FFFD.
///
/// Created by [`Encoding::stream_decoder_lossy`]. [`StreamDecoder`] fails on such bytes instead.
///
/// ```
/// # #[cfg(feature = "cl100k_base")] {
/// let encoding = tiktally::cl100k_base();
/// let mut decoder = encoding.stream_decoder_lossy();
/// let cup = encoding.encode_ordinary("🍵");
/// assert_eq!(decoder.push(cup[0])?, "");
/// assert_eq!(decoder.push(1917)?, "\u{fffd} world");
/// assert_eq!(decoder.finish(), "");
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LossyStreamDecoder {
    encoding: Encoding,
    held: Held,
}

impl Encoding {
    /// Creates a decoder for ids that arrive one by one. It returns each character as soon as it is complete, and an
    /// error where the bytes are not valid UTF-8.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut decoder = tiktally::cl100k_base().stream_decoder();
    /// assert_eq!(decoder.push(15339)?, "hello");
    /// assert_eq!(decoder.push(1917)?, " world");
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn stream_decoder(&self) -> StreamDecoder {
        StreamDecoder {
            encoding: self.clone(),
            held: Held::default(),
        }
    }

    /// Creates a decoder for ids that arrive one by one, which replaces invalid UTF-8 by U+FFFD. Its output, joined,
    /// equals [`decode_lossy`](Self::decode_lossy) of all ids.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut decoder = tiktally::cl100k_base().stream_decoder_lossy();
    /// assert_eq!(decoder.push(15339)?, "hello");
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    pub fn stream_decoder_lossy(&self) -> LossyStreamDecoder {
        LossyStreamDecoder {
            encoding: self.clone(),
            held: Held::default(),
        }
    }
}

impl StreamDecoder {
    /// Decodes the next id, and returns the characters that it completes; empty if it completes none.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// let mut decoder = encoding.stream_decoder();
    /// let cup = encoding.encode_ordinary("🍵");
    /// assert_eq!(cup.len(), 3);
    /// assert_eq!(decoder.push(cup[0])?, "");
    /// assert_eq!(decoder.push(cup[1])?, "");
    /// let error = decoder.push(15339).unwrap_err();
    /// assert!(error.is_invalid_utf8());
    /// assert_eq!(decoder.push(cup[2])?, "🍵");
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): the encoding does not have the id.
    /// [`is_invalid_utf8`](Error::is_invalid_utf8): the bytes are not valid UTF-8; the position counts bytes from the
    /// first id on. After an error, the decoder is unchanged and takes further ids.
    ///
    /// # Complexity
    /// O(n) in the bytes of the token.
    pub fn push(&mut self, id: TokenId) -> Result<&str, Error> {
        let held = &mut self.held;
        let bytes = self.encoding.known_bytes(id, held.ids)?;
        let before = held.bytes.len();
        held.bytes.extend_from_slice(bytes);
        held.text.clear();
        if let Err(error) = str::from_utf8(&held.bytes)
            && error.error_len().is_some()
        {
            held.bytes.truncate(before);
            let position = held.done + error.valid_up_to();
            return Err(ErrorKind::InvalidUtf8 { position }.into());
        }
        held.take_valid();
        held.ids += 1;
        Ok(&held.text)
    }

    /// Ends the text, and checks that its last character is complete.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// let mut decoder = encoding.stream_decoder();
    /// decoder.push(encoding.encode_ordinary("🍵")[0])?;
    /// assert!(decoder.finish().unwrap_err().is_invalid_utf8());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_invalid_utf8`](Error::is_invalid_utf8): the text ends inside a character.
    ///
    /// # Complexity
    /// O(1).
    pub fn finish(self) -> Result<(), Error> {
        if self.held.bytes.is_empty() {
            return Ok(());
        }
        let position = self.held.done;
        Err(ErrorKind::InvalidUtf8 { position }.into())
    }
}

impl LossyStreamDecoder {
    /// Decodes the next id, and returns the characters that it completes, with U+FFFD for bytes that can be no
    /// character.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut decoder = tiktally::cl100k_base().stream_decoder_lossy();
    /// assert_eq!(decoder.push(15339)?, "hello");
    /// assert!(decoder.push(u32::MAX).unwrap_err().is_unknown_token());
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token): the encoding does not have the id. The decoder is then unchanged.
    ///
    /// # Complexity
    /// O(n) in the bytes of the token.
    pub fn push(&mut self, id: TokenId) -> Result<&str, Error> {
        let held = &mut self.held;
        let bytes = self.encoding.known_bytes(id, held.ids)?;
        held.bytes.extend_from_slice(bytes);
        held.text.clear();
        while let Rest::Invalid(bytes) = held.take_valid() {
            held.text.push(char::REPLACEMENT_CHARACTER);
            held.skip(bytes);
        }
        held.ids += 1;
        Ok(&held.text)
    }

    /// Ends the text, and returns U+FFFD if it ends inside a character, else an empty string.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let encoding = tiktally::cl100k_base();
    /// let mut decoder = encoding.stream_decoder_lossy();
    /// decoder.push(encoding.encode_ordinary("🍵")[0])?;
    /// assert_eq!(decoder.finish(), "\u{fffd}");
    /// # }
    /// # Ok::<(), tiktally::Error>(())
    /// ```
    ///
    /// # Complexity
    /// O(1).
    pub fn finish(self) -> &'static str {
        if self.held.bytes.is_empty() {
            ""
        } else {
            "\u{fffd}"
        }
    }
}
