"""Tests of what tiktoken does not have, and of the package itself."""

import base64
import collections.abc
import copy
import doctest
import functools
import json
import multiprocessing
import os
import pathlib
import pickle
import re
import subprocess
import sys
import threading
import types

import numpy as np
import pytest
import tiktally
import tiktally._arrays
import tiktally.arrow
import tiktally.chat
import tiktally.compat
import tiktally.errors

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
    with pytest.raises(AttributeError, match="super"):
        tiktally.Encoding.__new__(tiktally.Encoding).encode("a")
    with pytest.raises(RuntimeError, match="already"):
        enc.__init__("cl100k_base")
    with pytest.raises(ValueError):
        tiktally.Encoding("custom", pat_str="(", mergeable_ranks=base._mergeable_ranks, special_tokens={})
    few = {bytes([byte]): byte for byte in range(256)}
    slow = tiktally.Encoding("slow", pat_str=r"(.)\1?", mergeable_ranks=few, special_tokens={})
    assert slow.pieces("aab") == ["aa", "b"]


class BuiltIn(tiktally.Encoding):
    """A subclass that is a built-in encoding."""

    def __init__(self, more):
        super().__init__("r50k_base")
        self.more = more


def test_pickles_of_subclasses():
    enc = BuiltIn(5)
    assert enc._special_tokens and "_special_tokens" in enc.__dict__
    again = pickle.loads(pickle.dumps(enc))
    assert (type(again), again.more, again.__dict__) == (BuiltIn, 5, {"more": 5})
    assert again.encode(TEXT) == enc.encode(TEXT)


def test_a_length_that_is_not_true():
    class Lie(collections.abc.Sequence):
        def __len__(self):
            return 10**12

        def __getitem__(self, index):
            return [15339, 1917][index]

    assert tiktally.get_encoding("cl100k_base").decode(Lie()) == "hello world"


def test_a_set_that_says_it_is_any_other():
    class Any(set):
        def __eq__(self, other):
            return True

    enc = tiktally.get_encoding("o200k_harmony")
    names = sorted(enc.special_tokens_set)
    for allowed in [set(names[:20]), Any(names[20:40])]:
        ids = enc.encode(names[30], allowed_special=allowed, disallowed_special=())
        assert (len(ids) == 1) == (names[30] in allowed)


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


def test_arrays(enc):
    ids = enc.encode(TEXT)
    found = enc.encode_array(TEXT)
    assert found.tolist() == ids and found == tiktally.TokenArray(ids) == pickle.loads(pickle.dumps(found)) == copy.copy(found)
    assert np.shares_memory(np.asarray(found), np.frombuffer(found, np.uint32)) and np.asarray(found).dtype == np.uint32
    assert enc.decode(found) == enc.decode(enc.encode_to_numpy(TEXT)) == enc.decode(tuple(ids)) == TEXT
    lists = enc.encode_batch_flat([TEXT, "", "a"], num_threads=2)
    assert lists.tolist() == [ids, [], enc.encode("a")] and len(lists) == 3 and lists[-1] == lists[2]
    assert lists == pickle.loads(pickle.dumps(lists)) and [*lists] == [lists[0], lists[1], lists[2]]
    assert lists.offsets.tolist() == [0, len(ids), len(ids), len(ids) + 1]
    with pytest.raises(IndexError):
        lists[3]
    with pytest.raises(ValueError, match="disallowed"):
        enc.encode_batch_flat(["<|endoftext|>"])


def test_spans(enc):
    text = "naïve 🙂 你好, café" * 20
    ids = enc.encode(text)
    spans = enc.token_spans(ids)
    assert [start for start, _ in spans] == enc.decode_with_offsets(ids)[1]
    assert spans[-1][1] == len(text) and all(start < end for start, end in spans)
    assert {i for start, end in spans for i in range(start, end)} == set(range(len(text)))
    for overlap in [0, 5]:
        chunks, spans = enc.chunks(text, 20, overlap=overlap), enc.chunk_spans(text, 20, overlap=overlap)
        assert [text[start:end] for start, end, _ in spans] == chunks
        assert [tokens for _, _, tokens in spans] == [enc.count(chunk) for chunk in chunks]


def test_streams(enc):
    counter, encoder, ids = enc.counter(), enc.stream_encoder(), []
    for at in range(0, len(TEXT), 7):
        part = TEXT[at : at + 7]
        counter.push(part)
        ids += encoder.push(part)
        assert counter.total == enc.count(TEXT[: at + 7])
    ids += encoder.finish()
    assert ids == enc.encode_ordinary(TEXT)
    counter.clear()
    assert counter.total == 0
    for errors in ["strict", "replace"]:
        decoder = enc.stream_decoder(errors)
        assert "".join(decoder.push(id) for id in ids) + decoder.finish() == TEXT
        with pytest.raises(ValueError, match="finished"):
            decoder.push(5)
    with pytest.raises(ValueError, match="finished"):
        encoder.push("a")
    begin = enc.encode_single_token(b"\xf0")
    strict, lossy = enc.stream_decoder("strict"), enc.stream_decoder()
    assert strict.push(begin) == lossy.push(begin) == ""
    assert lossy.finish() == "\ufffd"
    with pytest.raises(ValueError):
        strict.finish()
    with pytest.raises(KeyError):
        enc.stream_decoder().push(10**6)
    with pytest.raises(ValueError, match="strict"):
        enc.stream_decoder("ignore")


def test_extensions(enc):
    more = enc.extend("more", {"<|turn|>": 300_000})
    assert (more.name, more.encode("<|turn|>", allowed_special="all")) == ("more", [300_000])
    assert more.encode_ordinary(TEXT) == enc.encode_ordinary(TEXT)
    with pytest.raises(tiktally.errors.InvalidVocabulary, match="ordinary token"):
        enc.extend("more", {"<|turn|>": 5})


def test_files(tmp_path):
    base = tiktally.get_encoding("r50k_base")
    path = tmp_path / "my.tiktoken"
    tiktally.compat.load.dump_tiktoken_bpe(base._mergeable_ranks, path)
    enc = tiktally.Encoding.from_tiktoken_file(path, pattern=base._pat_str, special_tokens={"<|end|>": 50_256})
    assert (enc.name, enc.n_vocab, enc.encode(TEXT)) == ("my.tiktoken", 50_257, base.encode(TEXT))
    assert pickle.loads(pickle.dumps(enc)).encode("<|end|>", allowed_special="all") == [50_256]
    config = tmp_path / "tokenizer_config.json"
    config.write_text('{"added_tokens_decoder": {"50300": {"content": "<|mine|>", "special": true}}}')
    enc = tiktally.Encoding.from_tiktoken_file(path, pattern=base._pat_str, name="mine", config=config)
    assert (enc.name, enc.special_tokens_set) == ("mine", {"<|mine|>"})
    with pytest.raises(tiktally.errors.InvalidVocabulary, match="SHA-256"):
        tiktally.Encoding.from_tiktoken_file(path, pattern=base._pat_str, sha256="0" * 64)
    with pytest.raises(FileNotFoundError):
        tiktally.Encoding.from_tokenizer_json(tmp_path / "none.json")
    for load in [tiktally.Encoding.from_tokenizer_json, tiktally.Encoding.from_tekken_json]:
        with pytest.raises(tiktally.errors.InvalidVocabulary):
            load(config)


def test_pickles_of_files(tmp_path):
    """Patterns in turn, gaps and the facts of a file are not arguments of a custom encoding."""
    (tmp_path / "bytes.tiktoken").write_bytes(b"".join(b"%s %d\n" % (base64.b64encode(bytes([i])), i) for i in range(256)))
    words = tiktally.Encoding.from_tiktoken_file(tmp_path / "bytes.tiktoken", pattern=r"\w+")
    letters = tiktally.compat.load._letters()
    split = [{"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False} for regex in [r"\p{N}{1,3}", "[一-龥]+"]]
    (tmp_path / "tokenizer.json").write_text(json.dumps({
        "version": "1.0",
        "added_tokens": [{"id": 257, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [*split, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [257], "tokens": ["<s>"]}},
        },
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {letter: id for id, letter in enumerate(letters)} | {"he": 256}, "merges": ["h e"]},
    }))
    in_turn = tiktally.Encoding.from_tokenizer_json(tmp_path / "tokenizer.json", special_tokens={"<t>": 258})
    assert (in_turn.needs_nfc, in_turn.ids_before_text) == (True, [257])

    def same(again, enc):
        text = "12345 一丁he, 5a<s><t><u>"
        assert (again.name, again.needs_nfc, again.ids_before_text) == (enc.name, enc.needs_nfc, enc.ids_before_text)
        assert again.pieces(text) == enc.pieces(text) and again.special_tokens_set == enc.special_tokens_set
        assert again.encode(text, allowed_special="all") == enc.encode(text, allowed_special="all")

    for enc in [words, in_turn, in_turn.extend("more", {"<u>": 400}), words.extend("more", {"<u>": 400})]:
        data = pickle.dumps(enc)
        again = pickle.loads(data)
        same(again, enc)
        same(pickle.loads(pickle.dumps(again)), enc)
    assert len(pickle.dumps(tiktally.get_encoding("cl100k_base").extend("more", {"<u>": 200_000}))) < 200
    (tmp_path / "bytes.tiktoken").write_bytes(b"IQ== 0\n")
    with pytest.raises(pickle.PicklingError, match="changed"):
        pickle.dumps(words)
    # what is pickled needs no file
    (tmp_path / "bytes.tiktoken").unlink()
    same(pickle.loads(data), enc)


def test_files_of_other_tokenizers(tmp_path):
    """Toy files in the formats of Hugging Face and of Mistral."""
    letters = tiktally.compat.load._letters()
    vocab = {letter: id for id, letter in enumerate(letters)} | {"he": 256}
    (tmp_path / "tokenizer.json").write_text(json.dumps({
        "version": "1.0",
        "added_tokens": [{"id": 257, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocab, "merges": ["h e"]},
    }))
    enc = tiktally.Encoding.from_tokenizer_json(tmp_path / "tokenizer.json", name="toy", special_tokens={"<t>": 258})
    assert enc.encode("<s>he<t>", allowed_special="all") == [257, 256, 258]
    assert (enc.needs_nfc, enc.ids_before_text, enc.ids_after_text) == (False, [], [])
    assert enc.decode(enc.encode(TEXT)) == TEXT


def test_exceptions():
    enc = tiktally.get_encoding("cl100k_base")
    with pytest.raises(tiktally.errors.DisallowedSpecialToken) as caught:
        enc.encode("é <|endoftext|>")
    assert (caught.value.token, caught.value.position) == ("<|endoftext|>", 2)
    with pytest.raises(tiktally.errors.DisallowedSpecialToken) as caught:
        enc.encode_batch(["", "aé<|endoftext|>"])
    assert caught.value.position == 2
    with pytest.raises(tiktally.errors.UnknownToken) as caught:
        enc.decode([5, 10**6])
    assert (caught.value.token, caught.value.index) == (10**6, 1)
    with pytest.raises(tiktally.errors.UnknownToken) as caught:
        enc.decode_with_offsets([5, 10**6])
    assert (caught.value.token, caught.value.index) == (10**6, 1)
    with pytest.raises(tiktally.errors.UnknownModel) as caught:
        tiktally.encoding_for_model("gpt4o")
    assert caught.value.suggestion == "gpt-4o"
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.suggestion) == (tiktally.errors.UnknownModel, "gpt-4o")
    with pytest.raises(tiktally.errors.LimitTooSmall):
        enc.chunks("a", 0)
    with pytest.raises(tiktally.errors.UnknownEncoding):
        tiktally.get_encoding("none")


def test_names():
    assert tiktally.encoding_for_model("gpt-4o").name == "o200k_base"
    with pytest.raises(KeyError, match="did you mean"):
        tiktally.encoding_for_model("gpt4o")
    with pytest.raises(ValueError, match="no encoding"):
        tiktally.get_encoding("none")
    assert tiktally.context_window("gpt-4o")[0] == 128_000
    assert tiktally.context_window("none") is None


def test_chat():
    chat = tiktally.chat
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
    assert chat.count(body).exact
    assert chat.count(body) == chat.count(json.dumps(body)) == chat.count(json.dumps(body).encode())
    with pytest.raises(tiktally.errors.InvalidChat, match="at least one message"):
        chat.count('{"model": "gpt-4o", "messages": []}')
    with pytest.raises(ValueError):
        chat.count(b"{")
    assert chat.estimate(body).total == chat.count(body).total
    assert chat.remaining(body) == 128_000 - chat.count(body).total
    for text in ["[]", "{", "5", "null", "", b"\xff", '{"model": 5}', '{"a":' * 100_000]:
        for call in [chat.count, chat.estimate, chat.at_least, chat.remaining, lambda body: chat.fit(body, 100)]:
            with pytest.raises(tiktally.errors.InvalidChat):
                call(text)
    assert chat.fit("\ufeff" + json.dumps(body), 100).dropped == []
    # dict() would take the first two
    for content in [{"ab"}, b"", 5j]:
        with pytest.raises(TypeError, match="cannot contain"):
            chat.count({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]})
    mapping = types.MappingProxyType(body["messages"][0])
    assert chat.count({"model": "gpt-4o", "messages": [mapping]}) == chat.count(body)
    # bytes(10**9) is a gigabyte
    for wrong in [10**9, None, [body], 1.5]:
        for call in [chat.count, chat.estimate, chat.at_least, chat.remaining, lambda body: chat.fit(body, 100)]:
            with pytest.raises(TypeError, match="mapping"):
                call(wrong)


def test_parts_of_chats_that_cannot_be_counted():
    chat = tiktally.chat
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]}
    with pytest.raises(tiktally.errors.UnsupportedContent) as caught:
        chat.count(body)
    least = chat.at_least(body)
    assert [part.path for part in least.missing] == [caught.value.path] and not least.tokens.exact
    with pytest.raises(tiktally.errors.UnsupportedContent) as caught:
        chat.count({"model": "gpt-4o-2031-01-01", "messages": [{"role": "user", "content": "hello"}]})
    assert caught.value.path is None
    with pytest.raises(tiktally.errors.InvalidChat) as caught:
        chat.fit("[", 100)
    assert caught.value.path == ""
    assert 0 < least.tokens.total < 50


def test_chats_that_fit():
    chat = tiktally.chat
    messages = [{"role": "system", "content": "Be brief."}]
    for i in range(10):
        messages += [{"role": "user", "content": f"question {i}"}, {"role": "assistant", "content": f"answer {i}"}]
    body = {"model": "gpt-4o", "messages": messages + [{"role": "user", "content": "the last"}]}
    for drop in ["messages", "turns"]:
        fitted = chat.fit(body, 40, drop=drop)
        assert chat.count(fitted.body) == fitted.tokens and fitted.tokens.total <= 40
        assert fitted.body["messages"] == [m for i, m in enumerate(body["messages"]) if i not in fitted.dropped]
        assert chat.fit(json.dumps(body), 40, drop=drop).dropped == fitted.dropped
    with pytest.raises(tiktally.errors.LimitTooSmall):
        chat.fit(body, 5)
    with pytest.raises(ValueError, match="turns"):
        chat.fit(body, 5, drop="none")
    with pytest.raises(tiktally.errors.InvalidChat, match="model"):
        chat.fit({"messages": []}, 5)


def test_threads(enc):
    expected, found = enc.encode_ordinary(TEXT * 20), []
    threads = [threading.Thread(target=lambda: found.append(enc.encode_ordinary(TEXT * 20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
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


def test_start(tmp_path):
    """The least CPU time of some runs, over that of bare Python: import in 5 ms, the first ids in 40 ms."""

    def run(code):
        code += "\nimport time; print(time.process_time())"
        # compiled files are kept, as they are after an installation
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        command = [sys.executable, "-X", f"pycache_prefix={tmp_path}", "-c", code]
        done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
        return 1e3 * float(done.stdout)

    codes = ["", "import tiktally"]
    codes += [f"import tiktally; tiktally.get_encoding({name!r}).encode('How many tokens?')" for name in ["cl100k_base", "o200k_base"]]
    bare, imported, *firsts = (min(times) for times in zip(*([run(code) for code in codes] for _ in range(15))))
    assert imported - bare < 5, f"import: {imported - bare:.1f} ms"
    assert max(firsts) - bare < 40, f"first ids: {max(firsts) - bare:.1f} ms"


def test_memory_comes_back():
    code = """
import tiktally
def memory():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
enc = tiktally.get_encoding("cl100k_base")
enc.count("hello world " * 1000)
tiktally.release_thread_cache()
before = memory()
text = " ".join(f"{i:x}q{i * 7919:o}" for i in range(100_000))
for _ in range(3):
    enc.count(text)
    enc.count_batch([text[at : at + 1000] for at in range(0, len(text), 1000)], num_threads=3)
del text
used = memory() - before
tiktally.release_thread_cache()
print(used, memory() - before)
"""
    used, left = map(int, subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split())
    assert used > 4_000 and left < used // 2, (used, left)


def test_the_command():
    def run(*arguments, text=""):
        command = [sys.executable, "-m", "tiktally", *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True)

    assert run("count", "--total-only", text="hello world").stdout.strip() == "2"
    # the end of the output has no line break
    assert run("truncate", "--tokens", "1", text="hello world").stdout == "hello"
    assert run("--version").stdout == f"tiktally {tiktally.__version__}\n"
    limited, wrong = run("count", "--limit", "1", text="hello world"), run("none")
    assert (limited.returncode, wrong.returncode) == (3, 2) and "limit" in limited.stderr


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


def test_the_main_readme():
    text = (pathlib.Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    examples = re.findall("```python\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        exec(example, {})


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


@pytest.mark.parametrize("module", [tiktally, tiktally.chat, tiktally.errors, tiktally._encoding, tiktally._arrays, tiktally.arrow])
def test_examples(module):
    results = doctest.testmod(module)
    assert results.attempted > 0 and results.failed == 0
