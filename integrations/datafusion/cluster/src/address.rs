//! Addresses of schedulers, as people write them.

use std::fmt;
use std::str::FromStr;

/// The port of a scheduler, if an address names none.
pub const DEFAULT_PORT: u16 = 50050;

/// The host and port of a scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or a number; IPv6 in brackets.
    pub host: String,
    /// The port for queries, executors and the REST interface.
    pub port: u16,
}

impl FromStr for Address {
    type Err = String;

    /// Parses `HOST`, `HOST:PORT`, `http://HOST:PORT` or `df://HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is not an address: write HOST:PORT, such as 10.0.0.5:{DEFAULT_PORT}"
            )
        };
        let bare = match text.split_once("://") {
            Some(("http" | "df", rest)) => rest,
            Some(_) => return Err(wrong()),
            None => text,
        };
        let bare = bare.trim_end_matches('/');
        let after_brackets = bare.rfind(']').unwrap_or(0);
        let (host, port) = match bare[after_brackets..].rfind(':') {
            Some(at) => (
                &bare[..after_brackets + at],
                bare[after_brackets + at + 1..]
                    .parse()
                    .map_err(|_| wrong())?,
            ),
            None => (bare, DEFAULT_PORT),
        };
        let is_bare_ipv6 = host.contains(':') && !host.starts_with('[');
        if host.is_empty() || host.contains(['/', '@', ' ']) || is_bare_ipv6 {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, u16) {
        let address: Address = text.parse().unwrap();
        (address.host, address.port)
    }

    #[test]
    fn addresses_come_in_four_forms() {
        for text in ["head:7", "http://head:7", "df://head:7", "http://head:7/"] {
            assert_eq!(parsed(text), ("head".to_owned(), 7), "{text}");
        }
        assert_eq!(parsed("head"), ("head".to_owned(), DEFAULT_PORT));
        assert_eq!(parsed("[::1]:7"), ("[::1]".to_owned(), 7));
        assert_eq!(parsed("[::1]"), ("[::1]".to_owned(), DEFAULT_PORT));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            ":7",
            "head:x",
            "https://head:7",
            "::1",
            "a/b:7",
            "head:70000",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains("write HOST:PORT"), "{text}: {error}");
        }
    }
}
