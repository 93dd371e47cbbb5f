"""Measures the step `stream` for Python packages and prints a table like those of the program.

    python3 python.py data/cl100k_base.tiktoken

TIKTALLY_CORPORA names the folder of texts, requirements.txt has the packages. tiktoken comes first: its ids are the reference.
"""

import hashlib
import importlib.metadata
import math
import os
import sys
import tempfile
import time
from pathlib import Path

SLICES = 9
PATIENCE = 60


def tiktoken(ranks):
    """Puts the rank file into tiktoken's cache of downloads, so that it needs no network."""
    import tiktoken

    url = f"https://openaipublic.blob.core.windows.net/encodings/{ranks.name}"
    with tempfile.TemporaryDirectory() as cache:
        Path(cache, hashlib.sha1(url.encode()).hexdigest()).symlink_to(ranks)
        os.environ["TIKTOKEN_CACHE_DIR"] = cache
        return tiktoken.get_encoding(ranks.stem).encode_ordinary


def gigatoken(ranks):
    """Returns a call whose ids are a numpy array."""
    import gigatoken

    return gigatoken.Tokenizer.from_tiktoken(ranks).encode


def gigatoken_as_tiktoken(ranks):
    import gigatoken

    return gigatoken.Tokenizer.from_tiktoken(ranks).as_tiktoken().encode_ordinary


def quicktok(ranks):
    import quicktok

    return quicktok.get_encoding(ranks.stem).encode_ordinary


def rs_bpe(ranks):
    from rs_bpe import openai

    return getattr(openai, ranks.stem)().encode


def runtoken(ranks):
    import runtoken

    return runtoken.get_encoding(ranks.stem).encode


PEERS = [
    ("tiktoken", "", tiktoken),
    ("gigatoken", ", to an array", gigatoken),
    ("gigatoken", ", to a list", gigatoken_as_tiktoken),
    ("quicktok-v1", "", quicktok),
    ("rs_bpe", "", rs_bpe),
    ("runtoken", "", runtoken),
]


def load(ranks):
    """Returns names and calls of the packages that have the encoding."""
    calls = {}
    for package, how, make in PEERS:
        name = package
        try:
            name = f"{package} {importlib.metadata.version(package)} (Python{how})"
            calls[name] = make(ranks)
            calls[name]("Hello world")
        except BaseException as error:  # a panic in Rust is not an Exception
            calls.pop(name, None)
            print(f"\n{name} cannot load {ranks.stem}: {error}")
    return calls


def slices(data):
    """Splits into parts of about the same size, between characters."""
    ends = [len(data) * i // SLICES for i in range(SLICES + 1)]
    for i, end in enumerate(ends):
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        ends[i] = end
    return [data[start:end].decode() for start, end in zip(ends, ends[1:])]


def run(call, text):
    """Returns the number of ids, or a word, and the CPU time, which includes dropping the ids."""
    start = time.process_time()
    try:
        count = len(call(text))
    except BaseException:
        count = "raises"
    return count, time.process_time() - start


def race(calls, texts):
    """Returns the seconds of each for all texts, or a word. All get a text before the next one."""
    names = list(calls)
    seconds = dict.fromkeys(names, 0.0)
    for i, text in enumerate(texts):
        first = i % len(names)  # the first place rotates
        left = [name for name in names[first:] + names[:first] if not isinstance(seconds[name], str)]
        results = {name: run(calls[name], text) for name in left}
        expected, _ = results[names[0]]
        for name, (count, time_here) in results.items():
            seconds[name] = verdict(count, expected, seconds[name] + time_here)
    return seconds


def verdict(count, expected, seconds):
    if count == expected:
        return seconds if seconds < PATIENCE else "slow"
    return count if isinstance(count, str) else "wrong"


def is_right(call, text, ids):
    """Checks the first slice, which also warms everything up."""
    try:
        return list(call(text)) == ids
    except BaseException:
        return False


def speeds(calls, path):
    """Returns MB/s on a text, or a word, of each."""
    check, *texts = slices(path.read_bytes())
    ids = next(iter(calls.values()))(check)
    wrong = [name for name, call in calls.items() if not is_right(call, check, ids)]
    size = sum(len(text.encode()) for text in texts) / 1e6
    seconds = race(calls, texts)
    seconds.update(dict.fromkeys(wrong, "wrong"))
    return {name: time if isinstance(time, str) else size / time for name, time in seconds.items()}


def is_text(path):
    """Returns whether the program in Rust takes this file, too."""
    try:
        return path.is_file() and len(path.read_text("utf-8").encode()) > 100_000
    except UnicodeDecodeError:
        return False


def mean(speeds):
    """Returns the geometric mean, if there is a figure for each text."""
    if any(isinstance(speed, str) for speed in speeds):
        return ""
    return math.exp(sum(map(math.log, speeds)) / len(speeds))


def row(cells):
    shown = [f"{cell:.1f}" if isinstance(cell, float) else cell for cell in cells]
    print("|", " | ".join(shown), "|")


def main():
    ranks = Path(sys.argv[1]).resolve()
    folder = Path(os.environ["TIKTALLY_CORPORA"])
    paths = [path for path in sorted(folder.iterdir()) if is_text(path)]
    calls = load(ranks)
    columns = [speeds(calls, path) for path in paths]
    print()
    row(["MB/s, one call a slice", *(path.stem for path in paths), "geometric mean"])
    print("|---|" + "---:|" * (len(paths) + 1))
    for name in calls:
        figures = [column[name] for column in columns]
        row([name, *figures, mean(figures)])


if __name__ == "__main__":
    main()
