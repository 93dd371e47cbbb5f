"""Makes the same calls on tiktally and on tiktoken, and compares results and exceptions.

Each test makes CASES calls, 2,000 if the variable is not set. They take some 20 seconds together.
"""

import base64
import json
import os
import pickle
import random
import subprocess
import sys

import numpy as np
import pytest
import tiktally
import tiktally.compat.load
import tiktally.compat.model

CASES = int(os.environ.get("CASES", "2000"))

PARTS = [
    "a", "b", " ", "  ", "\n", "\r\n", "\t", "hello", " world", "Hello", "'s", "'LL", "123", "4567", "é", "e\u0301", "你好", "こんにちは",
    "안녕", "ไทย", "नमस्ते", "🙂", "👩‍👩‍👧", "\ufeff", "\u3000", "\u00a0", "\ud800", "\udc00", "\ud83d\ude42", "<|endoftext|>", "<|fim_prefix|>",
    "<|endofprompt|>", "<|start|>", "<|end|>", "<|", "|>", "!!!", "_", "://", "\x00", "\U0010ffff",
]
SPECIAL = ["<|endoftext|>", "<|fim_prefix|>", "<|endofprompt|>", "<|start|>", "<|none|>", "hello"]


def text_of(rng):
    return "".join(rng.choice(PARTS) for _ in range(rng.randrange(12)))


def ids_of(rng, ours):
    ids = [rng.randrange(ours.n_vocab) for _ in range(rng.randrange(8))]
    if rng.random() < 0.3:
        ids = ours.encode_ordinary(text_of(rng))
    if rng.random() < 0.1:
        ids.insert(rng.randrange(len(ids) + 1), rng.choice([-1, 2**31, 2**32, 2**64, ours.n_vocab, 100_256]))
    return ids


def choice_of(rng):
    names = [name for name in SPECIAL if rng.random() < 0.5]
    choice = {}
    if rng.random() < 0.7:
        choice["allowed_special"] = rng.choice(["all", set(), set(names), frozenset(names)])
    if rng.random() < 0.7:
        others = [name for name in SPECIAL if rng.random() < 0.4]
        choice["disallowed_special"] = rng.choice(["all", (), set(), set(others), others, tuple(others)])
    return choice


def outcomes(ours, theirs, name, args, named):
    """Returns the outcomes of a call of both."""
    return outcome(getattr(ours, name), args, named), outcome(getattr(theirs, name), args, named)


def outcome(call, args, named):
    """Returns the result of a call, or the kind and the message of its exception."""
    try:
        result = call(*args, **named)
    except Exception as error:
        # the words of a TypeError or OverflowError are those of the binding's library
        has_words = not isinstance(error, (TypeError, OverflowError))
        return type(error), str(error) if has_words else None
    if hasattr(result, "tolist"):
        return result.dtype, result.tolist()
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], list):
        first, second = result
        return first, sorted(map(tuple, second)) if second and isinstance(second[0], list) else second
    return result


def is_same(found, expected):
    """Returns whether two outcomes are equal. The class of our exception may be a subclass of theirs."""
    if isinstance(expected, tuple) and isinstance(expected[0], type):
        return isinstance(found[0], type) and issubclass(found[0], expected[0]) and found[1:] == expected[1:]
    return found == expected


def compare(oracles, make):
    """Compares the outcomes of CASES calls; `make` returns the name of a method and its arguments."""
    rng = random.Random(7)
    equal = 0
    for case in range(CASES):
        ours, theirs = oracles[case % len(oracles)]
        name, args, named = make(rng, ours)
        found, expected = outcomes(ours, theirs, name, args, named)
        assert is_same(found, expected), (ours, name, args, named, found, expected)
        equal += 1
    assert equal == CASES


TEXT_CALLS = ["encode_ordinary", "_encode_single_piece", "_encode_only_native_bpe", "encode_single_token"]
ID_CALLS = ["decode_bytes", "decode_tokens_bytes", "decode_with_offsets"]


@pytest.mark.parametrize("name", TEXT_CALLS)
def test_calls_with_a_text(oracles, name):
    def make(rng, ours):
        text = text_of(rng)
        if name == "_encode_single_piece":
            # tiktoken panics for an empty piece
            text = "x" + text
        elif name == "_encode_only_native_bpe":
            # the error for a surrogate has its position in the piece there, in the text here
            text = text.encode("utf-8", "ignore").decode("utf-8")
        return name, [text], {}

    compare(oracles, make)


@pytest.mark.parametrize("name", ["encode", "encode_to_numpy"])
def test_encode(oracles, name):
    def make(rng, ours):
        text = text_of(rng)
        if name == "encode_to_numpy":
            # tiktoken raises UnicodeEncodeError for surrogates here
            text = text.encode("utf-8", "ignore").decode("utf-8")
        return name, [text], choice_of(rng)

    compare(oracles, make)


def test_batches(oracles):
    def make(rng, ours):
        texts = [text_of(rng) for _ in range(rng.randrange(4))]
        if rng.random() < 0.5:
            return "encode_ordinary_batch", [texts], {"num_threads": rng.randrange(1, 4)}
        return "encode_batch", [texts], choice_of(rng) | {"num_threads": rng.randrange(1, 4)}

    compare(oracles, make)


@pytest.mark.parametrize("name", ID_CALLS)
def test_calls_with_ids(oracles, name):
    compare(oracles, lambda rng, ours: (name, [ids_of(rng, ours)], {}))


def test_decode(oracles):
    def make(rng, ours):
        errors = rng.choice(["strict", "replace", "ignore", "backslashreplace", "none"])
        return "decode", [ids_of(rng, ours)], {"errors": errors}

    compare(oracles, make)


@pytest.mark.parametrize("name", ["decode_batch", "decode_bytes_batch"])
def test_batches_of_ids(oracles, name):
    compare(oracles, lambda rng, ours: (name, [[ids_of(rng, ours) for _ in range(rng.randrange(4))]], {}))


def test_single_tokens(oracles):
    def make(rng, ours):
        kind = rng.randrange(3)
        if kind == 0:
            return "decode_single_token_bytes", [rng.choice([rng.randrange(ours.n_vocab + 9), -1, 2**32])], {}
        if kind == 1:
            return "is_special_token", [rng.randrange(ours.n_vocab + 9)], {}
        return "encode_single_token", [rng.choice([b"\xff\xfe", b" world", "é".encode()[:1], b""])], {}

    compare(oracles, make)


def test_encode_bytes(oracles):
    def make(rng, ours):
        data = text_of(rng).encode("utf-8", "surrogatepass")
        cut = rng.randrange(len(data) + 1)
        return "_encode_bytes", [data[cut // 2 : cut]], {}

    compare(oracles, make)


def test_large_sets_of_special_tokens(oracles):
    """These are prepared and kept, and the caller can change the set."""
    ours, theirs = oracles[-1]
    rng = random.Random(9)
    names = sorted(ours.special_tokens_set)
    for _ in range(50):
        allowed = set(rng.sample(names, rng.choice([9, 200, len(names)]))) | {"<|none|>"}
        for _ in range(3):
            text = "".join(rng.choice([*names[:20], *sorted(allowed)[:20], "a ", "hello"]) for _ in range(6))
            for choice in [{}, {"disallowed_special": ()}, {"disallowed_special": {names[3]}}]:
                found, expected = outcomes(ours, theirs, "encode", [text], choice | {"allowed_special": allowed})
                assert is_same(found, expected), (text, choice)
            allowed.discard(rng.choice(names))


def test_unstable(oracles):
    # one white space has up to 106,529 completions, which take seconds each
    ends = [part for part in PARTS if not part.isspace() and part.isprintable() and part != "\ufeff"]

    def make(rng, ours):
        parts = [rng.choice(PARTS) for _ in range(rng.randrange(6))] + [rng.choice(ends), rng.choice(ends)]
        # tiktoken raises UnicodeEncodeError for surrogates here
        text = "".join(parts).encode("utf-8", "ignore").decode("utf-8")
        return "encode_with_unstable", [text], choice_of(rng)

    compare(oracles, make)


@pytest.mark.parametrize("text", ["", "a ", "a\n", "  \n ", "<|endoftext|>", "hello <|endoftext|> "])
def test_unstable_white_space(oracles, text):
    for ours, theirs in oracles[:1]:
        found, expected = outcomes(ours, theirs, "encode_with_unstable", [text], {"disallowed_special": ()})
        assert is_same(found, expected), (ours, text)


def test_facts(oracles):
    for ours, theirs in oracles:
        facts = ["name", "n_vocab", "max_token_value", "eot_token", "special_tokens_set", "_special_tokens", "_mergeable_ranks", "_pat_str"]
        for fact in facts:
            assert getattr(ours, fact) == getattr(theirs, fact), (ours, fact)
        assert ours.token_byte_values() == theirs.token_byte_values()
        assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("pattern", [r"\w+|\W", r"\w+", r"(.)\1?"])
def test_custom_encodings(oracles, pattern):
    import tiktoken

    parts = {"pat_str": pattern, "mergeable_ranks": {bytes([byte]): byte for byte in range(256)}, "special_tokens": {"<|end|>": 300}}
    custom = tiktally.Encoding("custom", **parts), tiktoken.Encoding("custom", **parts)

    def make(rng, ours):
        text = text_of(rng)
        if rng.random() < 0.3:
            return "_encode_bytes", [text.encode("utf-8", "replace") + b"\xff"], {}
        return "encode", [text], {"disallowed_special": ()}

    compare([custom], make)


class Reversed(list):
    def __iter__(self):
        return reversed(self)


def test_arguments_that_are_not_as_documented(oracles):
    special = "<|endoftext|>"
    for ours, theirs in oracles:
        for name, make in [
            ("encode", lambda: ([special], {"disallowed_special": None})),
            ("encode", lambda: ([special], {"allowed_special": None})),
            ("encode", lambda: (["a"], {"allowed_special": None, "disallowed_special": ()})),
            ("encode", lambda: ([special], {"disallowed_special": iter([special])})),
            ("encode_batch", lambda: ([iter(["a", "b"])], {})),
            ("encode_batch", lambda: (["ab"], {})),
            ("encode_batch", lambda: ([("a",)], {})),
            ("encode_batch", lambda: ([None], {})),
            ("encode_batch", lambda: ([["a", 5]], {})),
            ("encode_ordinary_batch", lambda: ([iter(["a", "b"])], {})),
            ("encode", lambda: ([special], {"disallowed_special": False})),
            ("decode", lambda: ([np.array([97, 98], dtype=">u4")], {})),
            ("decode", lambda: ([np.array([97, 98], dtype="<u4")], {})),
            ("decode", lambda: ([np.array([97, 98, 99], dtype=np.uint32)[::2]], {})),
            ("decode", lambda: ([np.array([[97, 98]], dtype=np.uint32)], {})),
            ("decode", lambda: ([Reversed([97, 98])], {})),
            ("decode", lambda: ([range(97, 99)], {})),
            ("decode", lambda: ([b"ab"], {})),
            ("decode", lambda: ([{97}], {})),
            ("decode_with_offsets", lambda: ([iter([97, 98])], {})),
            ("decode_with_offsets", lambda: ([{97}], {})),
            ("decode", lambda: ([iter([97])], {})),
            ("decode_tokens_bytes", lambda: ([iter([97])], {})),
        ]:
            found, expected = outcome(getattr(ours, name), *make()), outcome(getattr(theirs, name), *make())
            assert is_same(found, expected), (name, make())


def test_wrong_types(oracles):
    calls = [
        ("encode", [None], {}), ("encode", [b"a"], {}), ("encode", [1], {}), ("encode_ordinary", [], {}), ("encode", ["a", 1], {}),
        ("decode", ["a"], {}), ("decode", [None], {}), ("decode", [[1.5]], {}), ("decode", [["1"]], {}), ("decode_bytes", [5], {}),
        ("encode_single_token", [5], {}), ("decode_single_token_bytes", ["a"], {}), ("is_special_token", ["a"], {}),
    ]
    for ours, theirs in oracles:
        for name, args, named in calls:
            found, expected = outcomes(ours, theirs, name, args, named)
            assert issubclass(found[0], expected[0]), (name, args)


@pytest.mark.parametrize("special", [{"<|end|>": 300}, {"<|end|>": 1}, {"<|end|>": 300, "<|same|>": 300}])
def test_lenient_custom_encodings(special):
    """Ranks without all bytes, and special tokens with the id of another token."""
    import tiktoken

    ranks = {token: rank for rank, token in enumerate([b" ", b"a", b"b", b"l", b"o", b"he", b"lo", b"ll", b"hello", b"ab"])}
    parts = {"pat_str": r"\w+|\W", "mergeable_ranks": ranks, "special_tokens": special}
    toy = tiktally.Encoding("toy", **parts), tiktoken.Encoding("toy", **parts)

    def make(rng, ours):
        kind = rng.randrange(4)
        text = "".join(rng.choice(["a", "b", " ", "he", "hello", "lo", "l", "o", *special]) for _ in range(rng.randrange(9)))
        if kind == 0:
            return "decode", [[rng.choice([*range(10), 300]) for _ in range(5)]], {}
        if kind == 1:
            return "is_special_token", [rng.choice([1, 2, 300])], {}
        if kind == 2:
            return "encode_ordinary", [text.replace("<|", "").replace("|>", "").replace("end", "").replace("same", "")], {}
        return "encode", [text], {"allowed_special": "all"}

    if len(set(special.values())) == len(special):
        compare([toy], make)
    # tiktoken panics
    with pytest.raises(ValueError, match="no token of toy covers the byte 0x63"):
        toy[0].encode("abc", disallowed_special=())


def test_custom_encodings_of_a_few_bytes():
    """They have no token of more bytes, so nothing else shows that bytes lack."""
    import tiktoken

    parts = {"pat_str": r"\w+|\W", "mergeable_ranks": {b"a": 0, b"b": 1}, "special_tokens": {}}
    ours, theirs = tiktally.Encoding("few", **parts), tiktoken.Encoding("few", **parts)
    for text in ["", "a", "abba", "bab" * 100]:
        assert ours.encode(text) == theirs.encode(text)
        assert ours.count(text) == len(text)
    for call in [ours.encode, ours.encode_ordinary, ours.count, ours.encode_to_numpy, ours.encode_with_unstable, ours.pieces]:
        with pytest.raises(ValueError, match="no token of few covers the byte 0x63"):
            call("acb")
    assert ours._encode_single_piece("acb") == [0, 1]


def test_tables_of_models(oracles):
    import tiktoken.model

    for name in ["MODEL_TO_ENCODING", "MODEL_PREFIX_TO_ENCODING"]:
        assert list(getattr(tiktally.compat.model, name).items()) == list(getattr(tiktoken.model, name).items())
    for model in [*tiktoken.model.MODEL_TO_ENCODING, "gpt-4o-x", "ft:gpt-4o:x", "gpt-5-mini", "gpt-oss-20b"]:
        assert tiktally.encoding_name_for_model(model) == tiktoken.encoding_name_for_model(model)


def test_load(oracles, tmp_path):
    import tiktoken.load

    path = str(tmp_path / "ranks.tiktoken")
    ranks = oracles[0][1]._mergeable_ranks
    tiktally.compat.load.dump_tiktoken_bpe(ranks, path)
    assert tiktally.compat.load.load_tiktoken_bpe(path) == ranks == tiktoken.load.load_tiktoken_bpe(path)
    for i, bad in enumerate([b"!\n", b"IQ== x\n", b"IQ== 1 2\n", b"IQ==\n"]):
        # tiktoken keeps the bytes of a path
        bad_path = tmp_path / f"bad{i}"
        bad_path.write_bytes(bad)
        found, expected = (outcome(load.load_tiktoken_bpe, [str(bad_path)], {}) for load in [tiktally.compat.load, tiktoken.load])
        assert found == expected
    with pytest.raises(ValueError, match="SHA-256"):
        tiktally.compat.load.load_tiktoken_bpe(path, "0" * 64)
    with pytest.raises(ValueError, match="network"):
        tiktally.compat.load.load_tiktoken_bpe("https://example.org/none.tiktoken")


@pytest.mark.parametrize("clobber", [False, True])
def test_data_gym(tmp_path, clobber):
    import tiktoken.load

    letters = tiktally.compat.load._letters()
    merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("\u0120", "hell")]
    (tmp_path / "vocab.bpe").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    texts = [*letters, *(a + b for a, b in merges), "<|endoftext|>"]
    ids = {text: id for id, text in enumerate(texts)}
    if clobber:
        ids["a"], ids["b"] = ids["b"], ids["a"]
    (tmp_path / "encoder.json").write_text(json.dumps(ids), encoding="utf-8")
    paths = [str(tmp_path / "vocab.bpe"), str(tmp_path / "encoder.json")]
    ours, theirs = (
        load.data_gym_to_mergeable_bpe_ranks(*paths, clobber_one_byte_tokens=clobber) for load in [tiktally.compat.load, tiktoken.load]
    )
    assert ours == theirs and len(ours) == 260


def test_pickles_of_tiktoken(oracles):
    """Under install(), what tiktoken pickled is unpickled as ours."""
    import tiktoken

    custom = tiktoken.Encoding("toy", pat_str=r"\w+", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={"<|x|>": 300})
    pickles = [pickle.dumps(encoding, protocol) for encoding in [oracles[3][1], custom] for protocol in range(2, 6)]
    # one of a plugin
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tiktoken.registry.ENCODINGS, "toy", custom)
        pickles.append(pickle.dumps(custom))
    assert len(pickles[-1]) < 100
    code = f"""
import pickle, tiktally.compat
tiktally.compat.install()
import tiktally, tiktoken
tiktoken.registry.ENCODINGS["toy"] = pickle.loads({pickles[4]!r})
for data in {pickles!r}:
    encoding = pickle.loads(data)
    assert type(encoding) is tiktally.Encoding is tiktoken.Encoding
    again = pickle.loads(pickle.dumps(encoding))
    expected = dict(cl100k_base=[15339], toy=list(b"hello"))[encoding.name]
    assert encoding.encode("hello") == again.encode("hello") == expected
"""
    subprocess.run([sys.executable, "-c", code], check=True)


PLUGIN = """
from tiktoken.load import load_tiktoken_bpe

def mine():
    ranks = load_tiktoken_bpe({path!r})
    return dict(name="mine", pat_str=r"\\w+|\\W", mergeable_ranks=ranks, special_tokens={{"<|end|>": 300}}, explicit_n_vocab=None)

ENCODING_CONSTRUCTORS = {{"mine": mine}}
"""
USE_OF_PLUGIN = """
import pickle, tiktoken
enc = tiktoken.get_encoding("mine")
assert enc is tiktoken.get_encoding("mine") is tiktoken.registry.ENCODINGS["mine"]
print(enc.encode("hi<|end|>", allowed_special="all"), sorted(tiktoken.list_encoding_names()), len(pickle.dumps(enc)) < 200)
from tiktoken_ext.openai_public import cl100k_base
class Mine(tiktoken.Encoding):
    def __init__(self, more):
        parts = dict(name="m", pat_str=enc._pat_str, mergeable_ranks=enc._mergeable_ranks, special_tokens={"<|x|>": 400})
        super().__init__(**parts)
        self.more = more
mine = Mine(5)
class Same(tiktoken.Encoding):
    def __init__(self, name, **parts):
        super().__init__(name, **parts)
        self.more = len(name)
    def encode(self, text, **choice):
        return [5] + super().encode(text, **choice)
    def encode_ordinary(self, text):
        return [6]
    def decode_bytes(self, tokens):
        return b"bytes"
same = Same("same", pat_str=enc._pat_str, mergeable_ranks=enc._mergeable_ranks, special_tokens={})
again = pickle.loads(pickle.dumps(same))
for one in [same, again]:
    print(type(one).__name__, one.more, one.encode_batch(["a"]), one.encode_ordinary_batch(["a"]))
    print(one.decode([97]), one.decode_batch([[97]]), one.decode_bytes_batch([[97]]), one.encode_to_numpy("a"))
try:
    pickle.loads(pickle.dumps(mine))
except TypeError:
    print("a subclass with other arguments")
tiktoken.registry._find_constructors()
try:
    tiktoken.core.raise_disallowed_special_token("<|x|>")
except ValueError as error:
    print(error)
print(mine, mine.more, mine.n_vocab, mine.encode("<|x|>a", allowed_special={"<|x|>"}), mine._core_bpe.encode_single_piece(b"ab"))
tiktoken.model.MODEL_TO_ENCODING["my-model"] = "mine"
print(tiktoken.encoding_for_model("my-model"))
"""


def test_plugins_and_subclasses(tmp_path):
    (tmp_path / "bytes.tiktoken").write_bytes(b"".join(b"%s %d\n" % (base64.b64encode(bytes([i])), i) for i in range(256)))
    (tmp_path / "tiktoken_ext").mkdir()
    (tmp_path / "tiktoken_ext" / "my_plugin.py").write_text(PLUGIN.format(path=str(tmp_path / "bytes.tiktoken")))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ours, theirs = (
        subprocess.run([sys.executable, "-c", first + USE_OF_PLUGIN], check=True, env=environment, capture_output=True, text=True).stdout
        for first in ["import tiktally.compat; tiktally.compat.install()\n", ""]
    )
    assert ours == theirs and "mine" in ours
