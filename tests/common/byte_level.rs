//! The letters in which byte-level tokenizer files write bytes.

/// Returns bytes in the letters of a byte-level file.
pub(crate) fn letters(bytes: &[u8]) -> String {
    let is_itself = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..);
    let letter = |byte: &u8| {
        let before = (0..*byte).filter(|other| !is_itself(*other)).count() as u32;
        let code = if is_itself(*byte) {
            u32::from(*byte)
        } else {
            0x100 + before
        };
        char::from_u32(code).unwrap()
    };
    bytes.iter().map(letter).collect()
}

/// Returns the vocabulary of a small byte-level file: the bytes, `ab` and `abc`.
pub(crate) fn small_vocab() -> serde_json::Map<String, serde_json::Value> {
    let bytes = (0..=255_u8).map(|byte| (letters(&[byte]), byte.into()));
    let words = [("ab".into(), 256.into()), ("abc".into(), 257.into())];
    bytes.chain(words).collect()
}
