//! Generates texts from a seed, for tests and benches. One generator never gives a text twice.

#![allow(dead_code)] // each program that includes this file uses only some of it

/// A seeded generator of random numbers.
pub(crate) struct Random(u64);

impl Random {
    /// Creates a generator. The same seed gives the same numbers.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    /// Returns one of the items.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// Returns one of the words, the first ones more often, since words are not equally common.
    fn pick_common<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let bound = 1 + self.below(from.len());
        from[self.below(bound)]
    }
}

/// A kind of text, and the material it is generated from.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Templates of lines: `~` stands for a word, `^` for a word with a capital letter and `#` for a number.
    lines: &'static [&'static str],
    /// Words separated by white space, the most common ones first.
    words: &'static str,
    /// Syllables for words that are not in the list.
    syllables: &'static [&'static str],
}

const LATIN: &[&str] = &[
    "an", "ber", "cor", "di", "el", "for", "gra", "hin", "is", "ka", "lo", "mer", "nox", "op",
    "pre", "qui", "ros", "st", "tum", "ul", "ver", "wen", "xi", "zo",
];
const CYRILLIC: &[&str] = &[
    "ка", "но", "ста", "пре", "ви", "до", "ров", "ско", "ль", "ми", "те", "ны", "ще", "юс", "ря",
];
const NO_SYLLABLES: &[&str] = &[""];

const ENGLISH: &str = "the of and to a in that it was is he for as with his on be at by had not this but from \
    they which or her were all she there would their we him been has when who will more no if out so said what up its \
    about into than them can only other new some could time these two may then do first any my now such like our over \
    man me even most made after also did many before must through back years where much your way well down should \
    because each just those people too little state good very make world still own see men work long get here between \
    both life being under never day same another know while last might us great old year off come since against go \
    came right used take three don't it's they're we've I'm window because thought country question government";
const RUSSIAN: &str = "и в не на я что он с как это все она так его но они мы из у к за от по же вы бы меня было о мне \
    только для еще когда если уже или ни быть был до вас нет под где есть надо даже время можно человек теперь жизнь \
    сказал очень потом себя ничего может другой после дело город большой слово работа вопрос сторона страна";
const CHINESE: &str = "的 一 是 不 了 在 人 有 我 他 这 个 们 中 来 上 大 为 和 国 地 到 以 说 时 要 就 出 会 可 也 你 对 生 能 而 子 那 \
    得 于 着 下 自 之 年 过 发 后 作 里 用 道 行 所 然 家 种 事 成 方 多 经 么 去 法 学 如 都 同 现 当 没 动 面 起 看 定 天 分 还 进 \
    好 小 部 其 些 主 样 理 心 她 本 前 开 但 因 只 从 想 实 日 军 者 意 无 力 它 与 长 把 机 十 民 第 公 此 已 工 使 情 明 性 知 全 \
    三 又 关 点 正 业 外 将 两 高 间 由 问 很 最 重 并 物 手 应 战 向 头 文 体 政 美 相 见 被 利 什 二 等 产 或 新 己 制 身 果 加 西";
const CODE: &str = "self value index result text len bytes start end name data node count error key map item line path \
    config buffer state next token size offset input output list user request response client parser encoder";
const MIXED: &str = "the and これは です 日本語 の を に 한국어 입니다 그리고 العربية في من على हिन्दी में और के ไทย ภาษา ελληνικά και \
    español también größe straße çok değil được không русский язык 中文 你好 עברית של ქართული 𝐛𝐨𝐥𝐝 naïve café";
const EMOJI: &str =
    "😀 😂 ❤️ 👍 🙏 🎉 🔥 ✨ 😊 👍🏽 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 🇯🇵 1️⃣ 🤷🏿‍♀️ 🚀 💯 😭 ok lol thanks great wow";

/// The kinds of text that tests and benches use.
pub(crate) const KINDS: [Kind; 8] = [
    Kind {
        name: "english",
        lines: &[
            "^ ~ ~ ~ ~, ~ ~ ~ ~ ~ ~. ",
            "^ ~ ~ ~ ~ ~ ~.\n\n",
            "\"^ ~ ~ ~?\" ~ ~. ",
            "^ ~ # ~ (~ ~ ~); ~ ~ ~ ~. ",
        ],
        words: ENGLISH,
        syllables: LATIN,
    },
    Kind {
        name: "code",
        lines: &[
            "    let ~ = self.~.~(#)?;\n",
            "        if ~ > # && !~.is_empty() {\n            return Some(~[#]);\n        }\n",
            "fn ~_~(&mut self, ~: &str) -> Option<usize> {\n",
            "}\n\n/// ^ ~ ~ ~ ~.\n",
            "\t\t~ += ~[~ + #] * 0x#;\t// ~ ~\n",
            "use crate::~::{^^, ^};\n",
        ],
        words: CODE,
        syllables: LATIN,
    },
    Kind {
        name: "json",
        lines: &[
            "{\"id\":#,\"~\":\"~ ~ ~\",\"~\":[#,#,#],\"ok\":true},\n",
            "  {\n    \"~\": \"^ ~\",\n    \"~_~\": #.#,\n    \"tags\": [\"~\", \"~\"]\n  },\n",
        ],
        words: ENGLISH,
        syllables: LATIN,
    },
    Kind {
        name: "chinese",
        lines: &[
            "~~~~~~~~，~~~~~~~。",
            "~~~~“~~~~~”，~~~~~~！\n",
            "~~~#~~~~~、~~~~，~~~~~~~~~~~~。",
        ],
        words: CHINESE,
        syllables: NO_SYLLABLES,
    },
    Kind {
        name: "russian",
        lines: &[
            "^ ~ ~ ~ ~, ~ ~ ~ ~ ~. ",
            "— ^ ~ ~ ~? — ~ ~.\n",
            "^ ~ # ~ ~ ~ ~.\n\n",
        ],
        words: RUSSIAN,
        syllables: CYRILLIC,
    },
    Kind {
        name: "mixed",
        lines: &["~ ~ ~~ ~, ~ ~. ", "~ # ~ ~！\n", "^ ~ (~) ~ ~"],
        words: MIXED,
        syllables: LATIN,
    },
    Kind {
        name: "emoji",
        lines: &["~ ~~ ~! ", "~~~~ ", "~ ~ ~\n"],
        words: EMOJI,
        syllables: NO_SYLLABLES,
    },
    Kind {
        name: "whitespace",
        lines: &[
            "  ",
            "        ",
            "\n",
            "\n\n",
            "\t",
            "~",
            " ~\r\n",
            "\u{a0}",
            "   \n  \t",
        ],
        words: CODE,
        syllables: LATIN,
    },
];

impl Kind {
    /// Generates a text of `size` bytes, or a few less where a character would be cut.
    pub(crate) fn text(&self, random: &mut Random, size: usize) -> String {
        let words: Vec<&str> = self.words.split_whitespace().collect();
        let mut text = String::with_capacity(size + 256);
        while text.len() < size {
            for c in random.pick(self.lines).chars() {
                match c {
                    '~' => text.push_str(&self.word(random, &words)),
                    '^' => text.push_str(&capital(&self.word(random, &words))),
                    '#' => text.push_str(&(random.below(3000) * random.below(400)).to_string()),
                    c => text.push(c),
                }
            }
        }
        cut(&mut text, size);
        text
    }

    /// Returns a word; one in twelve is made of syllables, so that it is in no list.
    fn word(&self, random: &mut Random, words: &[&str]) -> String {
        if random.below(12) > 0 || self.syllables == NO_SYLLABLES {
            return random.pick_common(words).to_owned();
        }
        let count = 2 + random.below(4);
        (0..count).map(|_| random.pick(self.syllables)).collect()
    }
}

/// Returns a word with a capital first letter.
fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// Cuts a text to `size` bytes, or a few less where a character would be cut.
pub(crate) fn cut(text: &mut String, size: usize) {
    let fits = (0..=size.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at));
    text.truncate(fits.unwrap_or(0));
}

/// Text that slows tokenizers down: its name, and a function that generates `size` bytes of it, or a few less.
pub(crate) type Hostile = (&'static str, fn(&mut Random, usize) -> String);

/// All kinds of hostile text.
pub(crate) const HOSTILE: [Hostile; 16] = [
    ("one letter", |_, size| repeat("a", size)),
    ("spaces", |_, size| repeat(" ", size)),
    ("spaces and a letter", |_, size| {
        repeat(" ", size.saturating_sub(1)) + "x"
    }),
    ("tabs", |_, size| repeat("\t", size)),
    ("newlines", |_, size| repeat("\n", size)),
    ("newline, space", |_, size| repeat("\n ", size)),
    ("random letters", |random, size| {
        chars(random, size, |n| char::from(b'a' + (n % 26) as u8))
    }),
    ("equals signs", |_, size| repeat("=", size)),
    ("digits", |random, size| {
        chars(random, size, |n| char::from(b'0' + (n % 10) as u8))
    }),
    ("one Han character", |_, size| repeat("最", size)),
    ("Han characters", |random, size| {
        let han = |n: usize| char::from_u32(0x4E00 + (n % 20_000) as u32).unwrap_or('一');
        chars(random, size, han)
    }),
    ("emoji", |_, size| repeat("👨‍👩‍👧‍👦", size)),
    ("combining marks", |_, size| repeat("\u{301}", size)),
    ("combining marks after letters", |_, size| {
        repeat("e\u{301}\u{323}", size)
    }),
    ("apostrophe, s", |_, size| repeat("'s", size)),
    ("a and b", |_, size| repeat("ab", size)),
];

fn repeat(unit: &str, size: usize) -> String {
    let mut text = unit.repeat(size / unit.len() + 1);
    cut(&mut text, size);
    text
}

fn chars(random: &mut Random, size: usize, char: impl Fn(usize) -> char) -> String {
    let mut text = String::with_capacity(size + 4);
    while text.len() < size {
        text.push(char(random.below(1 << 20)));
    }
    cut(&mut text, size);
    text
}
