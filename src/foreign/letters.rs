//! The letters that stand for bytes in the tokens of a byte-level file.

/// The number of bytes that are no printable Latin-1 character; their letters follow U+0100 in the order of the bytes.
const LETTERS_END: usize = 0x100 + 68;

/// The byte of each letter.
pub(super) struct Letters([Option<u8>; LETTERS_END]);

impl Letters {
    /// Creates the table. A printable character of Latin-1 stands for itself.
    pub(super) fn new() -> Self {
        let mut letters = [None; LETTERS_END];
        let mut others = 0x100..;
        for byte in 0..=u8::MAX {
            let is_itself = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..);
            let letter = if is_itself {
                Some(usize::from(byte))
            } else {
                others.next()
            };
            if let Some(place) = letter.and_then(|letter| letters.get_mut(letter)) {
                *place = Some(byte);
            }
        }
        Self(letters)
    }

    /// Appends the bytes of a text in letters. Returns false if a character is not such a letter.
    pub(super) fn append_bytes(&self, text: &str, bytes: &mut Vec<u8>) -> bool {
        text.chars().all(|letter| {
            let byte = self.0.get(letter as usize).copied().flatten();
            bytes.extend(byte);
            byte.is_some()
        })
    }
}
