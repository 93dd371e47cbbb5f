//! The golden files and the values in them.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Once;

use flate2::read::GzDecoder;
use hmac_sha256::Hash;
use serde_json::Value;
use tiktally::TokenId;

use crate::common::say;

/// Makes the message about a missing folder appear only once.
static SAID: Once = Once::new();

/// Returns the folder of the vectors, or `None` in the published package, which leaves it out.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.is_dir().then_some(folder)
}

/// Reads and unpacks a golden file. Prints a message if the folder is not there; a missing file in it is a failure.
fn read(name: &str) -> Option<String> {
    let Some(folder) = folder() else {
        SAID.call_once(|| say("golden: tests/golden is not part of the package, nothing compared"));
        return None;
    };
    let bytes = fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut text = String::new();
    if Path::new(name).extension().is_some_and(|end| end == "gz") {
        GzDecoder::new(&*bytes).read_to_string(&mut text)
    } else {
        bytes.as_slice().read_to_string(&mut text)
    }
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    Some(text)
}

/// Reads a file with one JSON object per line.
pub(crate) fn lines(name: &str) -> Option<Vec<Value>> {
    let parse = |line| serde_json::from_str(line).unwrap();
    Some(read(name)?.lines().map(parse).collect())
}

/// Reads a file that is one JSON object.
pub(crate) fn object(name: &str) -> Option<Value> {
    Some(serde_json::from_str(&read(name)?).unwrap())
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text {key} in {value}"))
}

pub(crate) fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

pub(crate) fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

pub(crate) fn ids(value: &Value) -> Vec<TokenId> {
    let id = |value: &Value| TokenId::try_from(value.as_u64().unwrap()).unwrap();
    array(value).map(id).collect()
}

/// Decodes standard base64 with padding, the only kind in these files.
pub(crate) fn base64(value: &Value) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut width) = (Vec::new(), 0_u32, 0);
    for digit in value.as_str().unwrap().trim_end_matches('=').bytes() {
        let six = ALPHABET.iter().position(|&known| known == digit).unwrap();
        bits = (bits << 6 | six as u32) & 0xFFFF;
        width += 6;
        if width >= 8 {
            width -= 8;
            bytes.push((bits >> width & 0xFF) as u8);
        }
    }
    bytes
}

/// Returns bytes in hexadecimal.
pub(crate) fn hex(bytes: [u8; 32]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).concat()
}

/// Returns the digest of ids that the files use: SHA-256 over each id as four little-endian bytes.
pub(crate) fn digest(ids: &[TokenId]) -> String {
    let mut hash = Hash::new();
    for id in ids {
        hash.update(id.to_le_bytes());
    }
    hex(hash.finalize())
}

/// Returns the digest of lists of bytes, each preceded by its length.
pub(crate) fn digest_of_lists<'b>(lists: impl Iterator<Item = Option<&'b [u8]>>) -> String {
    let mut hash = Hash::new();
    for list in lists {
        match list {
            Some(bytes) => {
                hash.update((bytes.len() as u32).to_le_bytes());
                hash.update(bytes);
            }
            None => hash.update([0xFF; 4]),
        }
    }
    hex(hash.finalize())
}
