//! The API that a request is sent to, and the day on which it is sent.

use crate::error::Error;

/// The API that a request is sent to: the two frame tools, calls and schemas differently.
///
/// ```
/// use tiktally::chat::{Api, Counter, Message, Request, Tool};
///
/// # #[cfg(feature = "o200k_base")] {
/// let counter = Counter::for_model("gpt-4o")?;
/// let request = Request::new([Message::user("Hello!")]).tools([Tool::function("ping").description("Answers")]);
/// assert_eq!(counter.count(&request)?.tools, 25);
/// assert_eq!(counter.count(&request.api(Api::Responses))?.tools, 19);
/// # }
/// # Ok::<(), tiktally::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Api {
    /// `POST /v1/chat/completions`.
    #[default]
    ChatCompletions,
    /// `POST /v1/responses`.
    Responses,
}

impl Api {
    /// Returns the name of the API in the table of evidence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat",
            Self::Responses => "responses",
        }
    }
}

/// A day, as `year * 10,000 + month * 100 + day`, so that comparing days compares their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(u32);

impl Day {
    /// Creates a day; nothing is checked.
    pub(crate) const fn new(year: u32, month: u32, day: u32) -> Self {
        Self(year * 10_000 + month * 100 + day)
    }

    /// Reads an ISO date such as `2026-03-03`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| {
            let problem = format!("{text:?} is not a date; write it like 2026-03-03");
            super::invalid("as_of", problem)
        })
    }

    /// Reads an ISO date, or returns `None` if the text is not a day of the calendar.
    fn read(text: &str) -> Option<Self> {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let number = |digits: &str, len: usize| {
            let is_number = digits.len() == len && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse::<u32>().ok()).flatten()
        };
        let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
        (1..=days_of(year, month)?)
            .contains(&day)
            .then(|| Self::new(year, month, day))
    }
}

/// Returns the number of days in a month.
fn days_of(year: u32, month: u32) -> Option<u32> {
    match month {
        4 | 6 | 9 | 11 => Some(30),
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            Some(29)
        }
        2 => Some(28),
        1..=12 => Some(31),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    #[test]
    fn only_days_are_dates() {
        for text in ["2026-03-03", "2024-02-29", "2000-02-29", "2025-12-31"] {
            assert!(Day::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-3-3",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-03-00",
            "03-03-2026",
            "2026-03-03T00:00",
            "2026/03/03",
            " 2026-03-03",
            "+026-03-03",
            "２０２６-03-03",
        ] {
            let error = Day::parse(text).unwrap_err();
            assert!(error.to_string().contains("2026-03-03"), "{error}");
        }
        assert!(Day::new(2026, 3, 3) < Day::new(2026, 3, 12));
        assert!(Day::new(2025, 12, 31) < Day::new(2026, 1, 1));
    }
}
