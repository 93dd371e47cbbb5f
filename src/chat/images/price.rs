//! The price of an image, which follows from its size, its detail and the model, but never from its content.
//!
//! Section 4 of page.md has the rules. Tile models scale the image down and count the squares of 512 pixels that cover
//! it. Patch models count squares of 32 pixels up to a budget, times a factor of the model.

use super::{Detail, Image, LINK};
use crate::chat::api::{Api, Day};
use crate::chat::families;

/// The tokens of one image, and the reason if they are an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) tokens: usize,
    pub(crate) estimate: Option<&'static str>,
    /// Whether the price was a different one before [`CHAT_LESS_SINCE`] and the request is from that time.
    pub(crate) is_earlier: bool,
}

/// How an image is sent: the model, the API, the day if it is not the newest, and the neighbours of the image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'c> {
    /// The model's [base name](families::base).
    pub(crate) model: &'c str,
    pub(crate) api: Api,
    pub(crate) day: Option<Day>,
    /// Whether no text precedes it in its message.
    pub(crate) is_first: bool,
    /// Whether the conversation has tool calls.
    pub(crate) has_calls: bool,
}

/// Returns the cost of an image, or the reason why it is not known.
pub(crate) fn cost(sent: Sent<'_>, image: Image) -> Result<Cost, &'static str> {
    let (_, rule) = rule_of(sent.model).ok_or(
        "the cost of an image is not known for this model; if it has another name, use it in `Counter::for_model`",
    )?;
    let is_fixed = matches!(rule, Rule::Tiles { .. }) && image.detail == Detail::Low;
    if image.is_link() && !is_fixed {
        return Err(LINK);
    }
    Ok(Cost {
        tokens: rule.tokens(image, sent) as usize,
        estimate: rule.doubt(image).or_else(|| rule.doubt_day(sent)),
        is_earlier: rule.is_earlier(sent),
    })
}

/// Returns the group of models whose recordings hold for the price of an image: the models with the tiles of gpt-4o, or
/// the model alone.
pub(crate) fn group(model: &str) -> &'static str {
    match rule_of(model) {
        Some((
            _,
            Rule::Tiles {
                base: 85,
                tile: 170,
                scale: (1, 1),
            },
        )) => "gpt-4o",
        Some((name, _)) => name,
        None => "another model",
    }
}

/// The way in which a model prices images.
#[derive(Debug, Clone)]
enum Rule {
    /// `base` plus `tile` for each tile, times the fraction `scale`; rounded once.
    Tiles {
        base: u64,
        tile: u64,
        scale: (u64, u64),
    },
    /// The patches times `factor`, rounded up, and the tokens of `more`.
    Patches {
        factor: f64,
        more: More,
        budget: Budget,
    },
}

/// The tokens of an image beyond its patches.
#[derive(Debug, Clone)]
struct More {
    /// In chat completions before [`CHAT_LESS_SINCE`], if the model was also recorded after that day.
    chat_before: u64,
    chat: u64,
    responses: u64,
    /// Added in chat completions if the conversation has tool calls.
    calls: u64,
    /// Added in the Responses API if no text precedes the image.
    first: u64,
}

/// The day on which some models lost one token in chat completions (section 4); it was still there on 2026-05-06.
const CHAT_LESS_SINCE: Day = Day::new(2026, 6, 8);

/// The first day without recordings before it.
const CHAT_MORE_UNTIL: Day = Day::new(2026, 5, 7);

/// The largest number of patches of an image, by detail.
#[derive(Debug, Clone)]
struct Budget {
    auto: u64,
    high: u64,
    original: Option<u64>,
}

impl Budget {
    /// Creates a budget that is equal for all details.
    const fn flat(patches: u64) -> Self {
        Self {
            auto: patches,
            high: patches,
            original: None,
        }
    }

    /// Returns the budget of a detail.
    fn of(&self, detail: Detail) -> u64 {
        match detail {
            Detail::Auto => self.auto,
            Detail::Low | Detail::High => self.high,
            Detail::Original => self.original.unwrap_or(self.high),
        }
    }
}

impl Rule {
    /// Creates the rule of a tile model, most of which have whole official prices.
    const fn tiles(base: u64, tile: u64) -> Self {
        Self::Tiles {
            base,
            tile,
            scale: (1, 1),
        }
    }

    /// Creates the rule of a patch model: the official factor and budget, and the additional tokens of recordings.
    const fn patches(factor: f64, more: More) -> Self {
        Self::Patches {
            factor,
            more,
            budget: Budget::flat(1536),
        }
    }

    /// Returns the price of an image in tokens.
    #[allow(clippy::cast_precision_loss, clippy::cast_sign_loss)] // at most 10,000 patches, times a small factor
    fn tokens(&self, image: Image, sent: Sent<'_>) -> u64 {
        match *self {
            Self::Tiles {
                base,
                tile,
                scale: (times, per),
            } => {
                let tiles = match image.detail {
                    Detail::Low => 0,
                    _ => tiles(image),
                };
                ((base + tile * tiles) * times + per / 2) / per
            }
            Self::Patches {
                factor,
                ref more,
                ref budget,
            } => {
                let patches = patches(image, budget.of(image.detail)) as f64;
                // the service multiplies in floating point too: 300 patches at 1.62 are 487
                (patches * factor).ceil() as u64 + more.of(sent)
            }
        }
    }

    /// Returns the reason why the count for this image may be wrong.
    fn doubt(&self, image: Image) -> Option<&'static str> {
        match self {
            _ if image.detail == Detail::Original && !self.has_original() => Some(
                "this model does not have the image detail `original`; it is counted as `high`",
            ),
            // only a small image was measured, which low detail does not make smaller
            Self::Patches { .. } if image.detail == Detail::Low && !image.fits(LOW) => Some(
                "the effect of the image detail `low` on a large image is unknown for this model; it is counted as `high`",
            ),
            _ => None,
        }
    }

    /// Why the count may be wrong on this day.
    fn doubt_day(&self, sent: Sent<'_>) -> Option<&'static str> {
        let is_late = sent.day.is_some_and(|day| day >= CHAT_MORE_UNTIL);
        (self.is_earlier(sent) && is_late).then_some(
            "the price of an image of this model changed on a day in May or June 2026 that no recording shows",
        )
    }

    fn is_earlier(&self, sent: Sent<'_>) -> bool {
        let has_changed =
            matches!(self, Self::Patches { more, .. } if more.chat != more.chat_before);
        let is_before = sent.day.is_some_and(|day| day < CHAT_LESS_SINCE);
        has_changed && is_before && sent.api == Api::ChatCompletions
    }

    /// Returns whether the model has a budget for the detail `original`.
    fn has_original(&self) -> bool {
        matches!(
            self,
            Self::Patches {
                budget: Budget {
                    original: Some(_),
                    ..
                },
                ..
            }
        )
    }
}

impl More {
    /// Creates the additional tokens: 0 for tool calls, and 1 for an image before the text.
    const fn new(chat_before: u64, chat: u64, responses: u64) -> Self {
        Self {
            chat_before,
            chat,
            responses,
            calls: 0,
            first: 1,
        }
    }

    /// Returns the additional tokens of an image that is sent in this way.
    fn of(&self, sent: Sent<'_>) -> u64 {
        if sent.api == Api::Responses {
            return self.responses + if sent.is_first { self.first } else { 0 };
        }
        let is_since = sent.day.is_none_or(|day| day >= CHAT_LESS_SINCE);
        let calls = if sent.has_calls { self.calls } else { 0 };
        calls
            + if is_since {
                self.chat
            } else {
                self.chat_before
            }
    }
}

/// The tiles of gpt-4o-mini. The service bills 33 1/3 times the price of gpt-4o and rounds at the end. The official
/// 2833 and 5667 are rounded before they are added.
const GPT_4O_MINI: Rule = Rule::Tiles {
    base: 85,
    tile: 170,
    scale: (100, 3),
};

/// The patches of gpt-5-mini. Recorded calls have the factor 1.2; the official 1.62 is wrong.
const GPT_5_MINI: Rule = Rule::Patches {
    factor: 1.2,
    more: More {
        calls: 1,
        ..More::new(1, 1, 1)
    },
    budget: Budget::flat(1536),
};

/// The rules by model. A name stands for itself and its dated versions only: models whose names begin alike can have
/// different prices.
const RULES: &[(&str, Rule)] = &[
    ("gpt-4o", Rule::tiles(85, 170)),
    ("chatgpt-4o-latest", Rule::tiles(85, 170)),
    ("gpt-4.1", Rule::tiles(85, 170)),
    ("gpt-4.5-preview", Rule::tiles(85, 170)),
    ("gpt-4-turbo", Rule::tiles(85, 170)),
    ("gpt-4-vision-preview", Rule::tiles(85, 170)),
    ("gpt-4-1106-vision-preview", Rule::tiles(85, 170)),
    ("gpt-4o-mini", GPT_4O_MINI),
    ("o1", Rule::tiles(75, 150)),
    ("o1-pro", Rule::tiles(75, 150)),
    ("o3", Rule::tiles(75, 150)),
    ("gpt-5", Rule::tiles(70, 140)),
    ("gpt-5-chat-latest", Rule::tiles(70, 140)),
    ("gpt-4.1-mini", Rule::patches(1.62, More::new(1, 0, 1))),
    ("gpt-4.1-nano", Rule::patches(2.46, More::new(1, 0, 1))),
    ("o4-mini", Rule::patches(1.72, More::new(1, 1, 1))),
    ("gpt-5-mini", GPT_5_MINI),
    ("gpt-5-nano", Rule::patches(1.5, More::new(1, 0, 0))),
    ("gpt-5.2", GPT_5_MINI),
    ("gpt-5.3-codex", GPT_5_MINI),
    ("gpt-5.4-mini", GPT_5_MINI),
    ("gpt-5.4-nano", GPT_5_MINI),
    (
        "gpt-5.4",
        Rule::Patches {
            factor: 1.2,
            more: More::new(1, 1, 1),
            budget: Budget {
                auto: 2500,
                high: 2500,
                original: Some(10_000),
            },
        },
    ),
    (
        "gpt-5.5",
        Rule::Patches {
            factor: 1.2,
            more: More::new(1, 1, 1),
            budget: Budget {
                auto: 10_000,
                high: 2500,
                original: Some(10_000),
            },
        },
    ),
];

/// Returns the rule of a model, with the name in the table.
fn rule_of(model: &str) -> Option<&'static (&'static str, Rule)> {
    RULES
        .iter()
        .find(|(name, _)| families::is_version(model, name))
}

/// Tile models scale an image down to fit a square of this side, in pixels.
const FIT: u64 = 2048;
/// They then scale it down until the shorter side is at most this long, in pixels.
const SHORT: u64 = 768;
/// The side of a tile, in pixels.
const TILE: u64 = 512;
/// The side of a patch, in pixels.
const PATCH: u64 = 32;
/// The side of the square that low detail scales an image down to, in pixels, by the guide that section 4 follows.
const LOW: u64 = 512;

/// Returns the number of tiles. Both resizes cut off fractions of a pixel, so 2560 x 1669 has six tiles.
fn tiles(image: Image) -> u64 {
    let (width, height) = image.sides();
    let (width, height) = shrink((width, height), width.max(height), FIT);
    let (width, height) = shrink((width, height), width.min(height), SHORT);
    width.div_ceil(TILE) * height.div_ceil(TILE)
}

/// Scales both sides by `to / from`; never scales up.
fn shrink((width, height): (u64, u64), from: u64, to: u64) -> (u64, u64) {
    if from <= to {
        return (width, height);
    }
    ((width * to / from).max(1), (height * to / from).max(1))
}

/// Returns the number of patches.
///
/// The guide scales an image with too many patches to the area of `budget` patches, then a little more. One side is
/// then a whole number of patches, and the other side needs no additional patch.
///
/// After the first step the sides are √(budget·w/h) and √(budget·h/w) patches long, so integers suffice. The side that
/// loses the larger share is rounded down, and the other follows in proportion.
fn patches(image: Image, budget: u64) -> u64 {
    let (width, height) = image.sides();
    let all = width.div_ceil(PATCH) * height.div_ceil(PATCH);
    if all <= budget {
        return all;
    }
    let columns = (budget * width / height).isqrt();
    let rows = (budget * height / width).isqrt();
    if columns == 0 || rows == 0 {
        // a strip thinner than a patch: the rule leaves 0 patches, so count the largest possible number
        return budget;
    }
    if columns * height <= rows * width {
        columns * (columns * height).div_ceil(width)
    } else {
        rows * (rows * width).div_ceil(height)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Detail::{Auto, High, Low, Original};
    use super::*;

    /// Returns an image after a text in chat completions, on a day when most prices were recorded.
    fn sent(model: &str) -> Sent<'_> {
        Sent {
            model,
            api: Api::ChatCompletions,
            day: Some(Day::new(2025, 6, 1)),
            is_first: false,
            has_calls: false,
        }
    }

    fn tokens(model: &str, width: u32, height: u32, detail: Detail) -> Option<usize> {
        let image = Image::new(width, height, detail);
        let cost = cost(sent(&families::base(model)), image);
        cost.ok().map(|cost| cost.tokens)
    }

    /// Documented prices, and recorded ones: the usage of the request less the tokens of its text.
    const KNOWN: &[(&str, u32, u32, Detail, usize)] = &[
        ("gpt-4o", 1024, 1024, High, 765),
        ("gpt-4o", 2048, 4096, High, 1105),
        ("gpt-4o", 4096, 8192, Low, 85),
        ("gpt-4o", 128, 128, High, 255),
        ("gpt-4o", 1, 1, Auto, 255),
        ("gpt-4o", 1, 1, Low, 85),
        ("gpt-4o", 1126, 488, Auto, 595),
        ("gpt-4o-mini", 1, 1, Auto, 8500),
        ("gpt-4o-mini", 1, 1, Low, 2833),
        ("gpt-4-1106-vision-preview", 800, 400, Auto, 425),
        ("gpt-4-1106-vision-preview", 2560, 1669, Auto, 1105),
        ("gpt-4o-2024-08-06", 2560, 1669, Auto, 1105),
        ("gpt-4o-2024-08-06", 3008, 2000, Auto, 1105),
        ("gpt-4.1-nano-2025-04-14", 540, 360, Auto, 503),
        // both were recorded beside tool calls, which cost 1 more
        ("gpt-5-mini-2025-08-07", 597, 566, Auto, 413 - 1),
        ("gpt-5-mini-2025-08-07", 400, 301, Auto, 158 - 1),
        // in floating point 300 times 1.62 is a little over 486
        ("gpt-4.1-mini-2025-04-14", 640, 480, Auto, 488),
        // one forum row each, both details; the text is 12 tokens, for reasoning models 11
        ("o3-2025-04-16", 128, 64, Low, 86 - 11),
        ("o3-2025-04-16", 128, 64, High, 236 - 11),
        ("o4-mini-2025-04-16", 128, 64, Low, 26 - 11),
        ("o4-mini-2025-04-16", 128, 64, High, 26 - 11),
        ("gpt-4.1-2025-04-14", 128, 64, Low, 97 - 12),
        ("gpt-4.1-2025-04-14", 128, 64, High, 267 - 12),
        ("gpt-4.1-mini-2025-04-14", 128, 64, Low, 26 - 12),
        ("gpt-4.1-mini-2025-04-14", 128, 64, High, 26 - 12),
        ("gpt-4.1-nano-2025-04-14", 128, 64, Low, 33 - 12),
        ("gpt-4.1-nano-2025-04-14", 128, 64, High, 33 - 12),
        ("gpt-4.5-preview-2025-02-27", 128, 64, Low, 97 - 12),
        ("gpt-4.5-preview-2025-02-27", 128, 64, High, 267 - 12),
        ("gpt-4o-2024-11-20", 128, 64, Low, 97 - 12),
        ("gpt-4o-2024-11-20", 128, 64, High, 267 - 12),
        ("gpt-4o-2024-08-06", 128, 64, Low, 97 - 12),
        ("gpt-4o-2024-08-06", 128, 64, High, 267 - 12),
        ("gpt-4o-mini-2024-07-18", 128, 64, Low, 2845 - 12),
        ("gpt-4o-mini-2024-07-18", 128, 64, High, 8512 - 12),
        ("gpt-4o-2024-05-13", 128, 64, Low, 97 - 12),
        ("gpt-4o-2024-05-13", 128, 64, High, 267 - 12),
        ("gpt-4-turbo-2024-04-09", 128, 64, Low, 97 - 12),
        ("gpt-4-turbo-2024-04-09", 128, 64, High, 267 - 12),
    ];

    #[test]
    fn known_prices() {
        for &(model, width, height, detail, expected) in KNOWN {
            let found = tokens(model, width, height, detail);
            assert_eq!(found, Some(expected), "{model} {width}x{height} {detail:?}");
        }
    }

    /// The prices of tile models in tokens: at low detail, of one tile, and of three.
    const TILE_PRICES: &[(&str, [usize; 3])] = &[
        ("gpt-4o", [85, 255, 595]),
        ("chatgpt-4o-latest", [85, 255, 595]),
        ("gpt-4.1", [85, 255, 595]),
        ("gpt-4.5-preview", [85, 255, 595]),
        ("gpt-4-turbo", [85, 255, 595]),
        ("gpt-4-vision-preview", [85, 255, 595]),
        ("gpt-4-1106-vision-preview", [85, 255, 595]),
        // two official prices that are rounded each would be one too many from three tiles on
        ("gpt-4o-mini", [2833, 8500, 19_833]),
        ("o1", [75, 225, 525]),
        ("o1-pro", [75, 225, 525]),
        ("o3", [75, 225, 525]),
        ("gpt-5", [70, 210, 490]),
        ("gpt-5-chat-latest", [70, 210, 490]),
    ];

    /// The prices of patch models, by field: the factor in percent; tokens added; budgets in patches.
    ///
    /// Tokens are added in chat completions until June 2026, in chat completions since then, in the Responses API, and
    /// for tool calls. The budgets are those of the details auto, high and original.
    const PATCH_PRICES: &[(&str, usize, [usize; 4], [usize; 3])] = &[
        ("gpt-4.1-mini", 162, [1, 0, 1, 0], [1536, 1536, 1536]),
        ("gpt-4.1-nano", 246, [1, 0, 1, 0], [1536, 1536, 1536]),
        ("o4-mini", 172, [1, 1, 1, 0], [1536, 1536, 1536]),
        ("gpt-5-mini", 120, [1, 1, 1, 1], [1536, 1536, 1536]),
        ("gpt-5-nano", 150, [1, 0, 0, 0], [1536, 1536, 1536]),
        ("gpt-5.2", 120, [1, 1, 1, 1], [1536, 1536, 1536]),
        ("gpt-5.3-codex", 120, [1, 1, 1, 1], [1536, 1536, 1536]),
        ("gpt-5.4-mini", 120, [1, 1, 1, 1], [1536, 1536, 1536]),
        ("gpt-5.4-nano", 120, [1, 1, 1, 1], [1536, 1536, 1536]),
        ("gpt-5.4", 120, [1, 1, 1, 0], [2500, 2500, 10_000]),
        ("gpt-5.5", 120, [1, 1, 1, 0], [10_000, 2500, 10_000]),
    ];

    /// An image that fills a budget, one that exceeds it by a patch, and the patches that are left of the second.
    const BUDGETS: &[(usize, [u32; 2], [u32; 2], usize)] = &[
        (1536, [1536, 1024], [928, 1696], 28 * 52),
        (2500, [1600, 1600], [1312, 1952], 40 * 60),
        (10_000, [3200, 3200], [2336, 4384], 72 * 136),
    ];

    /// Returns images of a model with the way they are sent, and their prices.
    fn priced(model: &str) -> Vec<(Sent<'_>, Image, usize)> {
        let mut all = Vec::new();
        let sent = sent(model);
        for (_, [low, one, three]) in TILE_PRICES.iter().filter(|row| row.0 == model) {
            all.push((sent, Image::new(512, 512, Low), *low));
            all.push((sent, Image::new(512, 512, High), *one));
            all.push((sent, Image::new(512, 1300, Auto), *three));
        }
        for (_, percent, more, budgets) in PATCH_PRICES.iter().filter(|row| row.0 == model) {
            let [before, since, responses, calls] = *more;
            let price = |patches: usize| (patches * percent).div_ceil(100);
            for (budget, detail) in budgets.iter().zip([Auto, High, Original]) {
                let row = BUDGETS.iter().find(|row| row.0 == *budget);
                let (_, full, over, left) = *row.unwrap();
                let image = Image::new(full[0], full[1], detail);
                all.push((sent, image, price(*budget) + before));
                let image = Image::new(over[0], over[1], detail);
                all.push((sent, image, price(left) + before));
            }
            let image = Image::new(32, 32, Auto);
            let price = price(1);
            let newest = Sent { day: None, ..sent };
            all.push((newest, image, price + since));
            let beside_calls = Sent {
                has_calls: true,
                ..sent
            };
            all.push((beside_calls, image, price + before + calls));
            let responses_api = Sent {
                api: Api::Responses,
                ..sent
            };
            all.push((responses_api, image, price + responses));
            let first = Sent {
                is_first: true,
                ..responses_api
            };
            all.push((first, image, price + responses + 1));
        }
        all
    }

    #[test]
    fn every_model_has_its_prices() {
        for (model, _) in RULES {
            let priced = priced(model);
            assert!(!priced.is_empty(), "{model}");
            for (sent, image, expected) in priced {
                let found = cost(sent, image).unwrap().tokens;
                assert_eq!(found, expected, "{sent:?} {image:?}");
            }
        }
    }

    /// Returns the whole numbers of a rule.
    fn numbers(rule: &mut Rule) -> Vec<&mut u64> {
        match rule {
            Rule::Tiles { base, tile, scale } => vec![base, tile, &mut scale.0, &mut scale.1],
            Rule::Patches {
                factor: _,
                more,
                budget,
            } => {
                let More {
                    chat_before,
                    chat,
                    responses,
                    calls,
                    first,
                } = more;
                let Budget {
                    auto,
                    high,
                    original,
                } = budget;
                let mut all = vec![chat_before, chat, responses, calls, first, auto, high];
                all.extend(original);
                all
            }
        }
    }

    /// Checks that a price notices each number that is wrong by one, and each factor that is wrong by a hundredth.
    #[test]
    fn every_number_is_held_by_a_price() {
        let assert_noticed = |model: &str, rule: &Rule| {
            let is_wrong = |(sent, image, price): (Sent<'_>, Image, usize)| {
                rule.tokens(image, sent) as usize != price
            };
            assert!(priced(model).into_iter().any(is_wrong), "{model} {rule:?}");
        };
        for (model, rule) in RULES {
            for (step, hundredth) in [(1, 0.01), (-1, -0.01)] {
                for i in 0..numbers(&mut rule.clone()).len() {
                    let mut rule = rule.clone();
                    let number = numbers(&mut rule).remove(i);
                    let Some(changed) = number.checked_add_signed(step) else {
                        continue;
                    };
                    *number = changed;
                    // a division by zero would stop the test by itself
                    if !matches!(rule, Rule::Tiles { scale: (_, 0), .. }) {
                        assert_noticed(model, &rule);
                    }
                }
                let mut rule = rule.clone();
                if let Rule::Patches { factor, .. } = &mut rule {
                    *factor += hundredth;
                    assert_noticed(model, &rule);
                }
            }
        }
    }

    #[test]
    fn tiles_at_their_borders() {
        let count = |width, height| tiles(Image::new(width, height, High));
        assert_eq!(count(512, 512), 1);
        assert_eq!(count(513, 512), 2);
        assert_eq!(count(768, 2048), 2 * 4);
        assert_eq!(count(769, 769), 2 * 2);
        assert_eq!(count(600, 2049), 2 * 4);
        // one pixel less at either limit would save a row
        assert_eq!(count(2048, 513), 4 * 2);
        assert_eq!(count(768, 1537), 2 * 4);
        assert_eq!(count(u32::MAX, u32::MAX), 2 * 2);
        assert_eq!(count(u32::MAX, 1), 4);
        assert_eq!(count(0, 0), 1);
    }

    #[test]
    fn patches_of_the_guide() {
        let count = |width, height, budget| patches(Image::new(width, height, High), budget);
        assert_eq!(count(1024, 1024, 1536), 1024);
        assert_eq!(count(1800, 2400, 1536), 1452);
        assert_eq!(count(2400, 1800, 1536), 1452);
        assert_eq!(count(2048, 768, 1536), 1536);
        assert_eq!(count(1600, 1600, 2500), 2500);
        assert_eq!(count(1601, 1600, 2500), 2450);
        assert_eq!(count(0, 33, 1536), 2);
        assert_eq!(count(1, u32::MAX, 1536), 1536);
        assert_eq!(count(u32::MAX, u32::MAX, 10_000), 10_000);
    }

    #[test]
    fn small_models_have_rules_of_their_own() {
        let of = |model| tokens(model, 1024, 1024, High);
        assert_eq!(of("gpt-4o-mini"), Some(25_500));
        assert_eq!(of("gpt-4.1-mini"), Some(1660));
        assert_eq!(of("gpt-4.1-nano"), Some(2521));
        assert_eq!(of("o4-mini"), Some(1763));
        assert_eq!(of("gpt-5-nano"), Some(1537));
        for model in ["gpt-5-mini", "gpt-5.4-mini", "gpt-5.4-nano"] {
            assert_eq!(of(model), Some(1230), "{model}");
        }
        assert_eq!(of("ft:gpt-4o-mini-2024-07-18:org:name:id"), Some(25_500));
        assert_eq!(of("ft:gpt-4o-mini:org::id"), Some(25_500));
        assert_eq!(of("ft:gpt-4o-2024-08-06"), Some(765));
        assert_eq!(of("ft:gpt-4.1-nano-2025-04-14:org::id"), Some(2521));
    }

    #[test]
    fn unknown_models_have_no_rule() {
        for model in [
            "",
            "ft:",
            "ft::gpt-4o",
            "gpt-4",
            "gpt-4o-",
            "gpt-4o-2024",
            "gpt-4o-2024-08-0x",
            "gpt-4o-2024-08-06-x",
            "gpt-4o-anything",
            "gpt-4o-audio-preview-2024-12-17",
            "gpt-4o:gpt-4o",
            "gpt-4-turbo-preview",
            "gpt-3.5-turbo",
            "o1-mini",
            "o3-mini",
            "gpt-5.1",
            "gpt-5.6-sol",
            "gpt-oss-20b",
            " gpt-4o",
            "GPT-4o",
        ] {
            assert_eq!(tokens(model, 1, 1, High), None, "{model}");
        }
    }

    #[test]
    fn one_rule_for_a_name() {
        for (model, _) in RULES {
            for model in [(*model).to_owned(), format!("{model}-2026-01-31")] {
                let named = RULES
                    .iter()
                    .filter(|(name, _)| families::is_version(&model, name));
                assert_eq!(named.count(), 1, "{model}");
            }
        }
    }

    #[test]
    fn says_what_is_an_estimate() {
        let estimate = |model, side, detail| {
            let cost = cost(sent(model), Image::new(side, side, detail)).unwrap();
            cost.estimate.is_some()
        };
        for detail in [Auto, Low, High, Original] {
            for (model, rule) in RULES {
                let expected = detail == Original && !rule.has_original();
                assert_eq!(estimate(model, 512, detail), expected, "{model} {detail:?}");
            }
        }
        assert!(!estimate("gpt-5-mini", 1, Low));
        assert!(!estimate("gpt-5.5", 1, Original));
        assert!(estimate("o4-mini", 513, Low));
        assert!(!estimate("o4-mini", 513, High));
        assert!(!estimate("gpt-4o", 513, Low));
    }

    /// Follows the steps of the guide in floats, with a tolerance for their last bits.
    fn patches_by_guide(width: u32, height: u32, budget: f64) -> f64 {
        let near = 1e-9;
        let (w, h) = (f64::from(width) / 32.0, f64::from(height) / 32.0);
        if w.ceil() * h.ceil() <= budget {
            return w.ceil() * h.ceil();
        }
        let scale = (budget / (w * h)).sqrt();
        let part = |side: f64| (side * scale + near).floor() / (side * scale);
        let scale = scale * part(w).min(part(h));
        (w * scale - near).ceil() * (h * scale - near).ceil()
    }

    proptest! {
        #[test]
        fn patches_are_those_of_the_guide(
            width in 1..20_000_u32,
            height in 1..20_000_u32,
            budget in prop::sample::select(vec![1536_u32, 2500, 10_000]),
        ) {
            prop_assume!(width.max(height) / width.min(height) < 1000);
            let found = patches(Image::new(width, height, High), budget.into());
            let found = f64::from(u32::try_from(found).unwrap());
            let expected = patches_by_guide(width, height, budget.into());
            prop_assert!((found - expected).abs() < 0.5, "{} {}", found, expected);
        }

        #[test]
        fn any_size_has_a_bounded_price_that_turning_keeps(width: u32, height: u32) {
            for (model, _) in RULES {
                for detail in [Auto, Low, High, Original] {
                    let price = tokens(model, width, height, detail);
                    prop_assert_eq!(price, tokens(model, height, width, detail));
                    // from one patch of the cheapest model to eight tiles of gpt-4o-mini
                    prop_assert!((3..=48_167).contains(&price.unwrap()), "{model} {price:?}");
                }
            }
        }
    }
}
