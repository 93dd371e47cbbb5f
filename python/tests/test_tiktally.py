"""Tests of what tiktoken does not have, and of the package itself."""

import copy
import doctest
import functools
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading

import pytest
import tiktally
import tiktally.chat
import tiktally.compat

TEXT = "One line is much like another, 你好 🙂.\n" * 50


@pytest.fixture(params=tiktally.list_encoding_names())
def enc(request):
    return tiktally.get_encoding(request.param)


def test_counts_are_lengths(enc):
    ids = enc.encode_ordinary(TEXT)
    assert enc.count(TEXT) == len(ids)
    assert enc.count_up_to(TEXT, len(ids)) == len(ids)
    assert enc.count_up_to(TEXT, len(ids) - 1) is None
    assert enc.count_batch([TEXT, "", "a"], num_threads=2) == [len(ids), 0, 1]
    assert enc.decode(ids) == TEXT


def test_limits(enc):
    for limit in [0, 1, 7, 100]:
        assert TEXT.startswith(enc.truncate(TEXT, limit))
        assert TEXT.endswith(enc.truncate_start(TEXT, limit))
        assert enc.count(enc.truncate(TEXT, limit)) <= limit
        assert enc.count(enc.truncate_start(TEXT, limit)) <= limit
        # at most one character is cut, of up to four tokens
        assert enc.count(enc.truncate(TEXT, limit)) > limit - 4
        assert enc.count(enc.truncate_start(TEXT, limit)) > limit - 4
    assert enc.truncate(TEXT, 10**6) == enc.truncate_start(TEXT, 10**6) == TEXT
    for prefer in [None, "word", "line", "sentence"]:
        chunks = enc.chunks(TEXT, 30, prefer=prefer)
        assert "".join(chunks) == TEXT
        assert all(enc.count(chunk) <= 30 for chunk in chunks)
    with pytest.raises(ValueError, match="prefer"):
        enc.chunks(TEXT, 30, prefer="page")
    with pytest.raises(ValueError):
        enc.chunks(TEXT, 0)


def test_batches_name_the_first_wrong_text(enc):
    long = "a " * 100_000
    for num_threads in [1, 3]:
        with pytest.raises(ValueError, match="token 'first'"):
            enc.encode_batch([long, "first", long, "second"], num_threads=num_threads, disallowed_special={"first", "second"})


def test_pickles_are_names(enc):
    assert len(pickle.dumps(enc)) < 100
    for same in [pickle.loads(pickle.dumps(enc)), copy.copy(enc), copy.deepcopy(enc)]:
        assert same is enc


def test_custom_encodings():
    base = tiktally.get_encoding("cl100k_base")
    parts = {"pat_str": base._pat_str, "mergeable_ranks": base._mergeable_ranks}
    enc = tiktally.Encoding("custom", **parts, special_tokens={"<a>": 200_000})
    assert enc.encode("hello<a>", allowed_special="all") == [15339, 200_000]
    again = pickle.loads(pickle.dumps(enc))
    assert (again.name, again.encode(TEXT)) == ("custom", base.encode(TEXT))
    with pytest.raises(AssertionError):
        tiktally.Encoding("custom", **parts, special_tokens={}, explicit_n_vocab=5)
    with pytest.raises(ValueError):
        tiktally.Encoding("custom", pat_str="(", mergeable_ranks=base._mergeable_ranks, special_tokens={})
    few = {bytes([byte]): byte for byte in range(256)}
    slow = tiktally.Encoding("slow", pat_str=r"(.)\1?", mergeable_ranks=few, special_tokens={})
    assert slow.pieces("aab") == ["aa", "b"]


def test_a_built_in_name_takes_no_other_arguments():
    for more in [{"special_tokens": {"<a>": 200_000}}, {"pat_str": "."}, {"mergeable_ranks": {}}, {"explicit_n_vocab": 5}]:
        with pytest.raises(TypeError, match="mergeable_ranks"):
            tiktally.Encoding("cl100k_base", **more)


def test_a_pattern_that_gives_up_is_a_value_error():
    few = {bytes([byte]): byte for byte in range(256)}
    hard = tiktally.Encoding("hard", pat_str=r"((a|aa)+)+\1(?<=c)", mergeable_ranks=few)
    text = "a" * 40
    calls = [hard.encode_ordinary, hard.encode, hard.encode_to_numpy, hard.encode_with_unstable, hard.count, hard.pieces]
    limited = [hard.count_up_to, hard.truncate, hard.truncate_start, hard.chunks]
    for call in calls + [functools.partial(call, max_tokens=5) for call in limited[1:]] + [lambda text: hard.count_up_to(text, 5)]:
        with pytest.raises(ValueError, match="gave up"):
            call(text)
    for data in [text.encode(), text.encode() + b"\xff"]:
        with pytest.raises(ValueError, match="gave up"):
            hard._encode_bytes(data)
    for batch in [hard.encode_batch, hard.count_batch]:
        with pytest.raises(ValueError, match="item 1 of the batch"):
            batch(["", text])
    # the whole text is easy to split, a chunk of it is not
    part = tiktally.Encoding("part", pat_str=r".*?z|((a|aa)+)+\1(?<=c)|.", mergeable_ranks=few)
    text = "x" + "a" * 60 + "z"
    assert part.count(text) == len(text)
    with pytest.raises(ValueError, match="gave up"):
        part.chunks(text, 50)


def test_names():
    assert tiktally.encoding_for_model("gpt-4o").name == "o200k_base"
    with pytest.raises(KeyError, match="did you mean"):
        tiktally.encoding_for_model("gpt4o")
    with pytest.raises(ValueError, match="no encoding"):
        tiktally.get_encoding("none")
    assert tiktally.context_window("gpt-4o")[0] == 128_000
    assert tiktally.context_window("none") is None


def test_chat():
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
    assert tiktally.chat.count(body).exact
    with pytest.raises(ValueError, match="at least one message"):
        tiktally.chat.count('{"model": "gpt-4o", "messages": []}')
    with pytest.raises(ValueError):
        tiktally.chat.count(b"{")
    assert tiktally.chat.estimate(body).total == tiktally.chat.count(body).total


def test_threads(enc):
    expected, found = enc.encode_ordinary(TEXT * 20), []
    threads = [threading.Thread(target=lambda: found.append(enc.encode_ordinary(TEXT * 20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes(method):
    enc = tiktally.get_encoding("cl100k_base")
    texts = [TEXT * 100] * 20
    counts = enc.count_batch(texts, num_threads=4)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(enc.count_batch, [texts, texts]) == [counts, counts]


def test_memory_is_flat():
    code = """
import resource, tiktally
enc = tiktally.get_encoding("cl100k_base")
def work(n):
    for i in range(n):
        text = f"call {i} " * 50
        assert enc.decode(enc.encode(text)) == text
        enc.encode_batch([text] * 3, num_threads=2)
        if i % 100 == 0:
            # enough for two threads
            enc.count_batch([text * 300] * 2, num_threads=2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = work(2_000)
print(work(8_000) - before)
"""
    grown = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    assert grown < 4_000, f"{grown} KB"


def test_threads_that_cannot_begin_are_not_missed():
    code = """
import resource, tiktally
enc = tiktally.get_encoding("cl100k_base")
texts = [f"text {i} " * 30_000 for i in range(4)]
expected = enc.count_batch(texts, num_threads=1)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
# no room for the stack of a thread
resource.setrlimit(resource.RLIMIT_AS, (used + (400 << 20),) * 2)
assert enc.count_batch(texts, num_threads=4) == expected
"""
    environment = os.environ | {"RUST_MIN_STACK": str(1 << 30)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_install_takes_the_place_of_tiktoken():
    code = """
import tiktally.compat
tiktally.compat.install()
tiktally.compat.install()
import tiktoken, tiktoken.core, tiktoken.model, tiktoken.registry
assert tiktoken.Encoding is tiktoken.core.Encoding
assert tiktoken.get_encoding("cl100k_base").encode("hello") == [15339]
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    late = "import sys, types; sys.modules['tiktoken'] = types.ModuleType('tiktoken'); import tiktally.compat; tiktally.compat.install()"
    done = subprocess.run([sys.executable, "-c", late], capture_output=True, text=True)
    assert "imported already" in done.stderr


@pytest.mark.parametrize("module", [tiktally, tiktally.chat, sys.modules["tiktally._encoding"]])
def test_examples(module):
    results = doctest.testmod(module)
    assert results.attempted > 0 and results.failed == 0
