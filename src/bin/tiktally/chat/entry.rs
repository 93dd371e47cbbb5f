//! A line of a file with many requests: of a batch file or a fine-tuning file, or a request body.

use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// The APIs that batch files can be for: how the URL ends, and a key that the body must have.
const APIS: [(&str, &str); 4] = [
    ("/chat/completions", "messages"),
    ("/responses", "input"),
    ("/completions", "prompt"),
    ("/embeddings", "input"),
];

/// A request and its name in a batch file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'l> {
    pub(super) custom_id: Option<String>,
    pub(super) body: &'l str,
}

impl<'l> Entry<'l> {
    /// Reads a line. A line with a `body` is of a batch file; the `body` of any other line is the line itself.
    pub(super) fn read(line: &'l str) -> Result<Self, String> {
        let members = Members::of(line)?;
        let custom_id = members.text("custom_id");
        let Some(body) = members.get("body") else {
            if custom_id.is_some() {
                return Err("`body` is missing".to_owned());
            }
            let body = line;
            return Ok(Self { custom_id, body });
        };
        if let Some(url) = members.text("url") {
            check_url(&url, body)?;
        }
        Ok(Self { custom_id, body })
    }
}

/// Checks that a request to this URL can be counted, and that the body is one of that API.
fn check_url(url: &str, body: &str) -> Result<(), String> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let Some((_, key)) = APIS.iter().find(|(end, _)| path.ends_with(end)) else {
        return Err(format!("url: requests to {url:?} cannot be counted"));
    };
    // of an invalid body, the library names the fault
    match Members::of(body) {
        Ok(members) if members.get(key).is_none() => {
            Err(format!("body: a request to {url:?} needs `{key}`"))
        }
        _ => Ok(()),
    }
}

/// The keys of an object with the JSON texts of their values.
///
/// The texts are handed on as they are, since the order of keys in a tool changes its tokens.
pub(super) struct Members<'t>(Vec<(String, &'t str)>);

impl<'t> Members<'t> {
    /// Splits the text of an object. The values are valid JSON.
    pub(super) fn of(text: &'t str) -> Result<Self, String> {
        Self::split(text).ok_or_else(|| {
            let error = serde_json::from_str::<IgnoredAny>(text).err();
            error.map_or_else(
                || "this must be an object".to_owned(),
                |error| format!("this is not valid JSON: {error}"),
            )
        })
    }

    fn split(text: &'t str) -> Option<Self> {
        let mut members = Vec::new();
        let mut rest = text.trim_ascii_start().strip_prefix('{')?;
        let is_end = |rest: &mut &'t str| {
            *rest = rest.trim_ascii_start();
            rest.strip_prefix('}').is_some_and(|after| {
                *rest = after.trim_ascii_start();
                true
            })
        };
        if is_end(&mut rest) {
            return rest.is_empty().then_some(Self(members));
        }
        loop {
            let key = value(&mut rest)?;
            rest = rest.trim_ascii_start().strip_prefix(':')?;
            members.push((decode(key)?, value(&mut rest)?));
            if is_end(&mut rest) {
                return rest.is_empty().then_some(Self(members));
            }
            rest = rest.strip_prefix(',')?;
        }
    }

    /// Returns the text of the value of a key, unless it is `null`. Of two values, the last counts, as in the library.
    pub(super) fn get(&self, key: &str) -> Option<&'t str> {
        let mut found = self.0.iter().rev().filter(|(name, _)| name == key);
        found
            .next()
            .map(|(_, value)| *value)
            .filter(|value| *value != "null")
    }

    /// Returns the value of a key, if it is a string.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?).ok()
    }
}

/// Splits the text of one value off.
fn value<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let text = rest.trim_ascii_start();
    let mut values = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (value, after) = text.split_at(values.byte_offset());
    *rest = after;
    Some(value)
}

/// Returns a key without its escapes. A key with half a surrogate pair, which no string can hold, stays as it is written.
fn decode(key: &str) -> Option<String> {
    let is_text = key.starts_with('"');
    is_text.then(|| serde_json::from_str(key).unwrap_or_else(|_| key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Option<Vec<(String, &str)>> {
        Members::of(text).ok().map(|members| members.0)
    }

    #[test]
    fn members_have_their_texts() {
        let text = " { \"a\" : {\"z\":1, \"b\": [\"}\", 2]} ,\"\\u0062\":-1.5e3,\"c\\ud800\": null, \"d\":\"\\ud800\"} ";
        let expected = [
            ("a".to_owned(), "{\"z\":1, \"b\": [\"}\", 2]}"),
            ("b".to_owned(), "-1.5e3"),
            ("\"c\\ud800\"".to_owned(), "null"),
            ("d".to_owned(), "\"\\ud800\""),
        ];
        assert_eq!(members(text).unwrap(), expected);
        assert_eq!(members("{}"), Some(vec![]));
        assert_eq!(members(" { } "), Some(vec![]));
        let twice = Members::of(r#"{"a": 1, "a": "x", "b": null}"#).unwrap();
        assert_eq!(
            (twice.get("a"), twice.text("a")),
            (Some("\"x\""), Some("x".to_owned()))
        );
        assert_eq!((twice.get("b"), twice.get("c")), (None, None));
    }

    #[test]
    fn only_whole_objects_have_members() {
        for text in [
            "",
            "1",
            "[]",
            "null",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{} {}",
            "{}}",
            "{1:2}",
            "{\"a\":1}x",
            "{,}",
            "{\"a\":[}]",
            "{\"a\":1",
            "{a:1}",
        ] {
            assert!(Members::of(text).is_err(), "{text}");
        }
        let problem = |text| Members::of(text).err().unwrap();
        assert_eq!(problem("[]"), "this must be an object");
        assert!(
            problem("{\"a\": }").ends_with("at line 1 column 7"),
            "{}",
            problem("{\"a\": }")
        );
    }

    #[test]
    fn urls() {
        for (url, body, is_counted) in [
            ("/v1/chat/completions", r#"{"messages": []}"#, true),
            ("/chat/completions", r#"{"messages": []}"#, true),
            (
                "https://a.example/openai/responses?api-version=1",
                r#"{"input": ""}"#,
                true,
            ),
            ("/v1/completions", r#"{"prompt": ""}"#, true),
            ("/v1/embeddings", r#"{"input": ""}"#, true),
            ("/v1/responses", r#"{"messages": []}"#, false),
            (
                "/v1/chat/completions",
                r#"{"input": "", "messages": null}"#,
                false,
            ),
            ("/v1/moderations", r#"{"input": ""}"#, false),
            ("", r#"{"input": ""}"#, false),
        ] {
            assert_eq!(check_url(url, body).is_ok(), is_counted, "{url} {body}");
        }
    }
}
