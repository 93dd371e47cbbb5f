//! Checks of files of other tokenizers.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::byte_level::letters;
use super::input::Input;
use super::naive::merged;
use tiktally::{Encoding, Special, TokenId};

/// Any file loads or is refused with an error of its kind. A file that loads gives the ids of its list of merges.
pub(crate) fn tokenizer_json(bytes: &[u8]) {
    match bytes.split_first() {
        Some((kind, file)) if kind.is_multiple_of(4) => {
            any_file(file);
        }
        Some((kind, rest)) if kind % 4 == 1 => changed_file(Input::new(rest)),
        _ => {
            made_file(bytes);
        }
    }
}

fn any_file(file: &[u8]) {
    for loaded in [
        Encoding::from_tokenizer_json("any", file),
        Encoding::from_tekken_json("any", file),
        Encoding::builder("any")
            .special_tokens_from_config(file)
            .and_then(tiktally::Builder::build),
    ] {
        match loaded {
            Ok(encoding) => {
                let Ok(ids) = encoding.try_encode_ordinary("a é") else {
                    continue;
                };
                let pieces: String = encoding.pieces("a é").collect();
                assert_eq!(encoding.decode(&ids).unwrap(), pieces);
            }
            Err(error) => is_typed(&error),
        }
    }
}

fn is_typed(error: &tiktally::Error) {
    let is_known = error.is_invalid_tokenizer()
        || error.is_unsupported_tokenizer()
        || error.is_invalid_special()
        || error.is_invalid_pattern();
    assert!(is_known, "{error}");
    assert!(error.to_string().len() < 1_000, "{error}");
}

/// A file that is made of an input.
struct Made {
    /// The number of added tokens before the others.
    first: TokenId,
    vocab: HashMap<Vec<u8>, TokenId>,
    merges: Vec<(Vec<u8>, Vec<u8>)>,
    ignores_merges: bool,
}

const PARTS: [&[u8]; 8] = [
    b"a",
    b"b",
    b"c",
    b" ",
    b"1",
    b"2",
    "é".as_bytes(),
    "最".as_bytes(),
];

impl Made {
    /// Trains merges on a text, each on a pair that stands there; then changes some of them.
    fn new(input: &mut Input<'_>) -> Self {
        let first: TokenId = input.pick(&[0, 0, 3]);
        let byte_id = |byte: u8| (vec![byte], TokenId::from(byte) + first);
        let mut vocab: HashMap<Vec<u8>, TokenId> = (0..=255).map(byte_id).collect();
        let text: Vec<&[u8]> = (0..4 + input.below(60))
            .map(|_| input.pick(&PARTS))
            .collect();
        let mut symbols: Vec<Vec<u8>> = text.concat().iter().map(|byte| vec![*byte]).collect();
        let mut merges = Vec::new();
        for _ in 0..input.below(16) {
            if symbols.len() < 2 {
                break;
            }
            let at = input.below(symbols.len() - 1);
            let (left, right) = (symbols[at].clone(), symbols[at + 1].clone());
            let whole = [&*left, &*right].concat();
            let id = vocab.len() as TokenId + first;
            vocab.entry(whole.clone()).or_insert(id);
            let mut i = 0;
            while i + 1 < symbols.len() {
                if symbols[i] == left && symbols[i + 1] == right {
                    symbols[i].clone_from(&whole);
                    symbols.remove(i + 1);
                }
                i += 1;
            }
            merges.push((left, right));
        }
        let mut made = Self {
            first,
            vocab,
            merges,
            ignores_merges: input.byte().is_multiple_of(2),
        };
        made.change(input);
        made
    }

    /// Lists every pair of tokens that joins to a token, as files of OpenAI's encodings do, or makes a fault.
    fn change(&mut self, input: &mut Input<'_>) {
        let (len, kind) = (self.merges.len(), input.below(10));
        match kind {
            0 if len > 1 => {
                let (one, two) = (input.below(len), input.below(len));
                self.merges.swap(one, two);
            }
            1 if len > 0 => {
                self.merges.remove(input.below(len));
            }
            2 if len > 0 => {
                let again = self.merges[input.below(len)].clone();
                self.merges.push(again);
            }
            3..6 => {
                let mut tokens: Vec<(&Vec<u8>, &TokenId)> = self.vocab.iter().collect();
                tokens.sort_by_key(|(_, id)| **id);
                let halves = tokens.iter().flat_map(|(token, _)| {
                    let cuts = 1..token.len();
                    cuts.map(|cut| (token[..cut].to_vec(), token[cut..].to_vec()))
                });
                let is_known = |(left, right): &(Vec<u8>, Vec<u8>)| {
                    self.vocab.contains_key(left) && self.vocab.contains_key(right)
                };
                self.merges = halves.filter(is_known).collect();
            }
            _ => {}
        }
    }

    fn json(&self, pre_tokenizer: &Value, as_pairs: bool) -> Vec<u8> {
        let added =
            |id: TokenId, content: String| json!({"id": id, "content": content, "special": true});
        let firsts = (0..self.first).map(|id| (format!("<{id}>"), id));
        let last = self.first + self.vocab.len() as TokenId;
        let all_added: Vec<Value> = firsts
            .clone()
            .chain([("<|end|>".to_owned(), last)])
            .map(|(content, id)| added(id, content))
            .collect();
        let tokens = self.vocab.iter();
        let tokens = tokens.map(|(token, id)| (letters(token), *id));
        let vocab: HashMap<String, TokenId> = tokens.chain(firsts).collect();
        let merges = self.merges.iter().map(|(left, right)| {
            let (left, right) = (letters(left), letters(right));
            if as_pairs {
                json!([left, right])
            } else {
                json!(format!("{left} {right}"))
            }
        });
        let merges: Vec<Value> = merges.collect();
        let file = json!({
            "added_tokens": all_added,
            "normalizer": null,
            "pre_tokenizer": pre_tokenizer,
            "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "vocab": vocab, "merges": merges, "ignore_merges": self.ignores_merges},
        });
        file.to_string().into_bytes()
    }

    /// Returns the ids of a piece by the list of merges: the first merge of the list that is possible, the leftmost on a
    /// tie.
    fn ids(&self, piece: &[u8]) -> Vec<TokenId> {
        if self.ignores_merges
            && let Some(id) = self.vocab.get(piece)
        {
            return vec![*id];
        }
        let mut order = HashMap::new();
        for (at, (left, right)) in self.merges.iter().enumerate() {
            order.insert((&**left, &**right), at);
        }
        let mut parts: Vec<Vec<u8>> = piece.iter().map(|byte| vec![*byte]).collect();
        loop {
            let pairs = (1..parts.len())
                .filter_map(|i| Some((*order.get(&(&*parts[i - 1], &*parts[i]))?, i)));
            let Some((_, i)) = pairs.min() else { break };
            let right = parts.remove(i);
            parts[i - 1].extend(right);
        }
        parts.iter().map(|part| self.vocab[part]).collect()
    }
}

/// Changes a few bytes of a valid file. If it still loads, it gives the ids of what it says then.
fn changed_file(mut input: Input<'_>) {
    let made = Made::new(&mut input);
    let is_tekken = input.byte().is_multiple_of(4);
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false});
    let mut file = if is_tekken {
        made.tekken()
    } else {
        made.json(&byte_level, input.byte().is_multiple_of(2))
    };
    for _ in 0..=input.below(3) {
        // most of the file is the vocabulary, which is in the middle
        let from = match input.below(3) {
            0 => input.below(file.len().min(400)),
            1 => file.len().saturating_sub(1 + input.below(400)),
            _ => input.below(file.len()),
        };
        let to = (from + input.below(6)).min(file.len());
        let new: Vec<u8> = match input.below(4) {
            0 => Vec::new(),
            1 => vec![input.byte()],
            2 => vec![input.pick(b"0123456789\"[]{}:,ab ")],
            _ => {
                let at = input.below(file.len());
                file[at..(at + input.below(12)).min(file.len())].to_vec()
            }
        };
        file.splice(from..to, new);
        if file.is_empty() {
            return;
        }
    }
    let loaded = if is_tekken {
        Encoding::from_tekken_json("changed", &file[..])
    } else {
        Encoding::from_tokenizer_json("changed", &file[..])
    };
    let encoding = match loaded {
        Ok(encoding) => encoding,
        Err(error) => return is_typed(&error),
    };
    let parts: Vec<&[u8]> = (0..input.below(30)).map(|_| input.pick(&PARTS)).collect();
    let text = String::from_utf8(parts.concat()).unwrap();
    // a changed pattern may backtrack, and give up
    let Ok(found) = encoding.try_encode_ordinary(&text) else {
        return;
    };
    let Ok(json) = serde_json::from_slice(&file) else {
        // a part that the loader skips has an escape that stands for no character
        return;
    };
    let read = (!is_tekken).then(|| Made::read(&json));
    let tokens: HashMap<Vec<u8>, TokenId> = encoding
        .tokens()
        .map(|(id, token)| (token.to_vec(), id))
        .collect();
    let ids = |piece: &str| match &read {
        Some(read) => read.ids(piece.as_bytes()),
        None => merged(&tokens, piece.as_bytes()),
    };
    let expected: Vec<TokenId> = encoding.pieces(&text).flat_map(ids).collect();
    assert_eq!(
        found,
        expected,
        "{text:?} {:?}",
        String::from_utf8_lossy(&file)
    );
    let special: String = encoding.special_tokens().map(|(token, _)| token).collect();
    let ids = encoding.encode(&special, Special::ALLOW_ALL).unwrap();
    assert_eq!(encoding.decode(&ids).unwrap(), special);
}

impl Made {
    /// Reads what a file says, with as little code as possible.
    fn read(file: &Value) -> Self {
        let (model, mut letter_bytes) = (&file["model"], HashMap::new());
        for byte in 0..=u8::MAX {
            letter_bytes.insert(letters(&[byte]), byte);
        }
        let bytes = |text: &str| -> Option<Vec<u8>> {
            let letters = text
                .chars()
                .map(|c| letter_bytes.get(&c.to_string()).copied());
            letters.collect()
        };
        let is_added = |text: &str| {
            let added = file["added_tokens"].as_array();
            added.is_some_and(|added| added.iter().any(|token| token["content"] == text))
        };
        let vocab = model["vocab"].as_object().unwrap().iter();
        let vocab = vocab.filter(|(text, _)| !is_added(text));
        let vocab = vocab.map(|(text, id)| (bytes(text).unwrap(), id.as_u64().unwrap() as TokenId));
        let merges = model["merges"].as_array().unwrap().iter().map(|merge| {
            let (left, right) = match merge.as_str() {
                Some(text) => text.split_once(' ').unwrap(),
                None => (merge[0].as_str().unwrap(), merge[1].as_str().unwrap()),
            };
            (bytes(left).unwrap(), bytes(right).unwrap())
        });
        Self {
            first: 0,
            vocab: vocab.collect(),
            merges: merges.collect(),
            ignores_merges: model["ignore_merges"] == true,
        }
    }

    /// Returns the tokens as a file of Mistral.
    fn tekken(&self) -> Vec<u8> {
        let mut tokens: Vec<(&Vec<u8>, &TokenId)> = self.vocab.iter().collect();
        tokens.sort_by_key(|(_, id)| **id);
        let tokens: Vec<Value> = (0..)
            .zip(tokens)
            .map(|(rank, (token, _)): (usize, _)| json!({"rank": rank, "token_bytes": base64(token), "token_str": null}))
            .collect();
        let size = tokens.len() + 4;
        let file = json!({
            "config": {
                "pattern": r"[a-c]+|\s+(?!\S)|\s", "num_vocab_tokens": size, "default_vocab_size": size,
                "default_num_special_tokens": 4, "version": "v11",
            },
            "vocab": tokens,
            "special_tokens": [{"rank": 0, "token_str": "<unk>", "is_control": true}, {"rank": 1, "token_str": "<s>", "is_control": true}],
        });
        file.to_string().into_bytes()
    }
}

/// Returns bytes in base64.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, i| {
            number << 8 | usize::from(three.get(i).copied().unwrap_or(0))
        });
        for i in 0..4 {
            let digit = DIGITS[number >> (18 - 6 * i) & 63];
            text.push(if i > three.len() { '=' } else { digit.into() });
        }
    }
    text
}

/// Checks a file that is made of an input. Returns whether it loaded.
pub(crate) fn made_file(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes.get(1..).unwrap_or_default());
    let made = Made::new(&mut input);
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false});
    let split = |regex: &str| json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false});
    let digits = json!({"type": "Digits", "individual_digits": true});
    let kind = input.below(4);
    let pre_tokenizer = match kind {
        0 => byte_level,
        1 => json!({"type": "ByteLevel", "add_prefix_space": false}),
        2 => json!({"type": "Sequence", "pretokenizers": [split(r"[a-c]+"), byte_level]}),
        _ => {
            json!({"type": "Sequence", "pretokenizers": [digits, split(r"[a-b]+|\s+(?!\S)"), byte_level]})
        }
    };
    let file = made.json(&pre_tokenizer, input.byte().is_multiple_of(2));
    let encoding = match Encoding::from_tokenizer_json("made", &file[..]) {
        Ok(encoding) => encoding,
        Err(error) => {
            assert!(error.is_unsupported_tokenizer(), "{error}");
            return false;
        }
    };
    let parts: Vec<&[u8]> = (0..input.below(60)).map(|_| input.pick(&PARTS)).collect();
    let text = String::from_utf8(parts.concat()).unwrap();
    let pieces: Vec<&str> = encoding.pieces(&text).collect();
    assert_eq!(pieces.concat(), text);
    if kind == 0 {
        assert!(pieces.len() < 2);
    }
    if kind == 3 {
        assert!(
            pieces
                .iter()
                .all(|piece| piece.chars().count() == 1 || !piece.contains(['1', '2']))
        );
        // white space before a digit is the end of a part, so it is one piece
        let spaces = pieces.iter().filter(|piece| piece.starts_with(' ')).count();
        let before_digit = text.matches(" 1").count() + text.matches(" 2").count();
        assert!(spaces >= before_digit.min(1));
    }
    let expected: Vec<TokenId> = pieces
        .iter()
        .flat_map(|piece| made.ids(piece.as_bytes()))
        .collect();
    let ids = encoding.encode_ordinary(&text);
    assert_eq!(
        ids,
        expected,
        "{text:?} {:?}",
        String::from_utf8_lossy(&file)
    );
    assert_eq!(encoding.count(&text), ids.len());
    assert_eq!(encoding.decode(&ids).unwrap(), text);
    true
}
