//! Ids as they arrive, decoded to text.

use std::str;

use crate::encoding::Encoding;
use crate::error::{Error, ErrorKind};
use crate::token_id::TokenId;

/// Bytes that arrive in parts, as text in parts. What is held is at most the beginning of a character.
#[derive(Debug, Clone, Default)]
struct Held {
    bytes: Vec<u8>,
    /// What the last part completed.
    text: String,
    /// How many bytes went before those that are held, and how many ids.
    done: usize,
    ids: usize,
}

/// What stands behind the valid beginning of some bytes.
enum Rest {
    /// Nothing, or the beginning of a character.
    Open,
    /// So many bytes that no character has.
    Invalid(usize),
}

impl Held {
    /// Moves the valid beginning of the bytes that are held to the text.
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

    fn skip(&mut self, bytes: usize) {
        self.bytes.drain(..bytes);
        self.done += bytes;
    }
}

/// Decodes ids one by one, strictly: made by [`Encoding::stream_decoder`].
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

/// Decodes ids one by one, with U+FFFD for what is no text: made by [`Encoding::stream_decoder_lossy`].
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
    /// A decoder for ids that arrive one by one. It gives each character as soon as it is complete, and ends with an error
    /// where the bytes are no text.
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

    /// A decoder for ids that arrive one by one, with U+FFFD for what is no text. All that it gives, joined, is
    /// [`decode_lossy`](Self::decode_lossy) of all ids.
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
    /// Takes the next id; gives every character that it completes.
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
    /// [`is_unknown_token`](Error::is_unknown_token) for an id that the encoding does not have;
    /// [`is_invalid_utf8`](Error::is_invalid_utf8) where the bytes are no text, counted from the first id on. The decoder
    /// stays as it was before.
    ///
    /// # Complexity
    /// O(n) in the bytes of the token.
    pub fn push(&mut self, id: TokenId) -> Result<&str, Error> {
        let held = &mut self.held;
        let bytes = self.encoding.token_bytes(id);
        let bytes = bytes.ok_or_else(|| self.encoding.unknown(id, held.ids))?;
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

    /// Ends the text.
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
    /// [`is_invalid_utf8`](Error::is_invalid_utf8) if it ends inside a character.
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
    /// Takes the next id; gives every character that it completes, and U+FFFD for what can be none.
    ///
    /// ```
    /// # #[cfg(feature = "cl100k_base")] {
    /// let mut decoder = tiktally::cl100k_base().stream_decoder_lossy();
    /// assert!(decoder.push(u32::MAX).unwrap_err().is_unknown_token());
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`is_unknown_token`](Error::is_unknown_token) for an id that the encoding does not have. The decoder stays as it was
    /// before.
    ///
    /// # Complexity
    /// O(n) in the bytes of the token.
    pub fn push(&mut self, id: TokenId) -> Result<&str, Error> {
        let held = &mut self.held;
        let bytes = self.encoding.token_bytes(id);
        let bytes = bytes.ok_or_else(|| self.encoding.unknown(id, held.ids))?;
        held.bytes.extend_from_slice(bytes);
        held.text.clear();
        while let Rest::Invalid(bytes) = held.take_valid() {
            held.text.push(char::REPLACEMENT_CHARACTER);
            held.skip(bytes);
        }
        held.ids += 1;
        Ok(&held.text)
    }

    /// Ends the text: U+FFFD if it ends inside a character.
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
