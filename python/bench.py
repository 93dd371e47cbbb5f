#!/usr/bin/env python3
"""Compares tiktally with other tokenizers from Python, in one run. Prints tables in Markdown.

    python -m venv env && . env/bin/activate
    pip install ./python tiktoken==0.14.0 numpy fastokens==0.3.5 gigatoken==0.10.0 quicktok-v1==0.4.0 rs_bpe==0.1.0
    python python/bench.py ../shared/data/corpora

Give it a folder of text files of at least 200 kB. Tokenizers that are not installed are left out. Nothing is loaded from a
network, except sizes of wheels with --wheels.

- Text is fresh: a tokenizer sees each slice once. All see the same slices, by turns, in an order that rotates.
- Ids are compared with tiktoken's on other slices before the clock runs. A tokenizer with a wrong id gets no figure. The
  number of ids is compared after each timed call.
- The clock is the CPU time of the process, threads included, until a result is made and dropped. Calls run on one thread where that
  can be chosen: on two, fastokens needs 1.5 times as much CPU time.
"""

import argparse
import base64
import gc
import hashlib
import math
import os
import pathlib
import platform
import random
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version

PACKAGES = {"tiktally": "tiktally", "fastokens": "fastokens", "gigatoken": "gigatoken", "quicktok": "quicktok-v1", "rs_bpe": "rs_bpe", "tiktoken": "tiktoken"}
ONE_THREAD = {"RAYON_NUM_THREADS": "1", "FASTOKENS_BPE_THREADS": "1"}
URL = "https://openaipublic.blob.core.windows.net/encodings/"

# How a tokenizer is made: {name} is the encoding, {path} its rank file.
MAKE = {
    "tiktally": "import tiktally; enc = tiktally.get_encoding('{name}')",
    "tiktoken": "import tiktoken; enc = tiktoken.get_encoding('{name}')",
    "fastokens": "import fastokens; enc = fastokens.Tokenizer.from_tiktoken('{path}', encoding='{name}')",
    "gigatoken": "import gigatoken; enc = gigatoken.Tokenizer.from_tiktoken('{path}'); like = enc.as_tiktoken()",
    "quicktok": "import quicktok; enc = quicktok.get_encoding('{name}')",
    "rs_bpe": "import rs_bpe; enc = rs_bpe.openai.{name}()",
}
# The call for each row: an expression over `text` (or `texts`), and one that gives the number of ids of its `result`.
LIST = {
    "tiktally": "enc.encode_ordinary(text)",
    "tiktoken": "enc.encode_ordinary(text)",
    "fastokens": "enc.encode_ordinary(text).ids",
    "gigatoken": "like.encode_ordinary(text)",
    "quicktok": "enc.encode_ordinary(text)",
    "rs_bpe": "enc.encode(text)",
}
NUMPY = {
    "tiktally": "enc.encode_to_numpy(text, disallowed_special=())",
    "tiktoken": "enc.encode_to_numpy(text, disallowed_special=())",
    "fastokens": "np.frombuffer(enc.encode_batch_flat([text])[0], np.uint32)",
    "gigatoken": "enc.encode(text)",
    "quicktok": "enc.encode_batch([text], 1)[0]",
    "rs_bpe": "np.array(enc.encode(text), np.uint32)",
}
COUNT = {
    "tiktally": "enc.count(text)",
    "tiktoken": "len(enc.encode_ordinary(text))",
    "fastokens": "len(enc.encode_batch_flat([text])[0]) // 4",
    "gigatoken": "len(enc.encode(text))",
    "quicktok": "enc.count(text)",
    "rs_bpe": "enc.count(text)",
}
FLAT = {
    "tiktally": ("enc.encode_batch_flat(texts, num_threads=1, disallowed_special=())", "len(result.ids)"),
    "tiktoken": ("enc.encode_ordinary_batch(texts, num_threads=1)", "sum(map(len, result))"),
    "fastokens": ("enc.encode_batch_flat(texts)", "len(result[0]) // 4"),
    "gigatoken": ("enc.encode_batch(texts, parallel=False)", "sum(map(len, result))"),
    "quicktok": ("enc.encode_batch(texts, 1)", "len(result[0])"),
    "rs_bpe": ("enc.encode_batch(texts)", "sum(map(len, result[0]))"),
}
SENTENCE = "How many tokens does this sentence have?"


def installed():
    found = {}
    for name, package in PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            print(f"{package} is not installed", file=sys.stderr)
    return found


def write_ranks(folder, names):
    """Writes rank files under the names of tiktoken's cache."""
    import tiktally

    paths = {}
    for name in names:
        lines = [b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in tiktally.get_encoding(name)._mergeable_ranks.items()]
        cached = folder / hashlib.sha1(f"{URL}{name}.tiktoken".encode()).hexdigest()
        cached.write_bytes(b"".join(lines))
        paths[name] = folder / f"{name}.tiktoken"
        paths[name].write_bytes(b"".join(lines))
    return paths


def slices(path, size, seed):
    """Returns parts of a file, of about `size` bytes, in random order."""
    text = path.read_text(encoding="utf-8", errors="replace").replace("<|", "< |")
    step = max(1, round(size * len(text) / len(text.encode())))
    parts = [text[at : at + step] for at in range(0, len(text) - step + 1, step)]
    random.Random(seed).shuffle(parts)
    return parts


class Contender:
    def __init__(self, name, encoding, path):
        self.name = name
        self.names = {}
        exec("import numpy as np\n" + MAKE[name].format(name=encoding, path=path), self.names)
        self.seconds, self.bytes = {}, {}
        self.right = True

    def call(self, expression, **values):
        return eval(expression, self.names | values)

    def compiled(self, expression, argument):
        return eval(f"lambda {argument}: {expression}", self.names)


def check(contenders, oracle, texts):
    """Compares ids before the clock runs."""
    for text in texts:
        expected = oracle.call(LIST[oracle.name], text=text)
        for contender in contenders:
            for row in [LIST, NUMPY]:
                if list(contender.call(row[contender.name], text=text)) != expected:
                    contender.right = False
            if contender.call(COUNT[contender.name], text=text) != len(expected):
                contender.right = False


def timed(call, argument, size):
    """Returns the seconds of a call, until its result is made and dropped, and the number of its ids."""
    begin = time.process_time()
    result = call(argument)
    end = time.process_time()
    count = size(result)
    drop = time.process_time()
    del result
    return end - begin + time.process_time() - drop, count


def size_of(result):
    return result if isinstance(result, int) else len(result)


def measure(contenders, oracle, row, files, size, rounds):
    """Returns the geometric mean over the files of MB/s, by contender."""
    calls = {c.name: c.compiled(row[c.name], "text") for c in contenders}
    rates = {c.name: [] for c in contenders}
    for i, parts in enumerate(files):
        spent = dict.fromkeys(calls, 0.0)
        done = 0
        for j in range(rounds):
            if not parts:
                break
            text = parts.pop()
            done += len(text.encode())
            order = [*contenders[(i + j) % len(contenders) :], *contenders[: (i + j) % len(contenders)]]
            counts = {}
            for contender in order:
                gc.collect()
                seconds, counts[contender.name] = timed(calls[contender.name], text, size_of)
                spent[contender.name] += seconds
            expected = counts[oracle.name]
            for contender in contenders:
                contender.right &= counts[contender.name] == expected
        for name, seconds in spent.items():
            rates[name].append(done / 1e6 / max(seconds, 1e-9))
    return {name: math.exp(sum(map(math.log, found)) / len(found)) for name, found in rates.items()}


def measure_flat(contenders, oracle, files, batches):
    rates = {c.name: [] for c in contenders}
    for i, parts in enumerate(files):
        spent, done = dict.fromkeys(rates, 0.0), 0
        for j in range(batches):
            texts = [parts.pop() for _ in range(min(500, len(parts)))]
            done += sum(len(text.encode()) for text in texts)
            counts = {}
            order = [*contenders[(i + j) % len(contenders) :], *contenders[: (i + j) % len(contenders)]]
            for contender in order:
                expression, size = FLAT[contender.name]
                gc.collect()
                size = contender.compiled(size, "result")
                seconds, counts[contender.name] = timed(contender.compiled(expression, "texts"), texts, size)
                spent[contender.name] += seconds
            for contender in contenders:
                contender.right &= counts[contender.name] == counts[oracle.name]
        for name, seconds in spent.items():
            rates[name].append(done / 1e6 / max(seconds, 1e-9))
    return {name: math.exp(sum(map(math.log, found)) / len(found)) for name, found in rates.items()}


def measure_short(contenders, row, files, count):
    """Returns microseconds a call, by contender. Each string is fresh."""
    strings = [part for parts in files for part in parts[:count]]
    random.Random(5).shuffle(strings)
    blocks = [strings[at : at + 200] for at in range(0, len(strings), 200)]
    spent = dict.fromkeys((c.name for c in contenders), 0.0)
    for i, block in enumerate(blocks):
        for contender in [*contenders[i % len(contenders) :], *contenders[: i % len(contenders)]]:
            call = contender.compiled(row[contender.name], "text")
            begin = time.process_time()
            for text in block:
                call(text)
            spent[contender.name] += time.process_time() - begin
    return {name: 1e6 * seconds / len(strings) for name, seconds in spent.items()}


def start(code, runs=5):
    """Returns the CPU time in ms and the peak memory in MB of a new process, the least of some runs."""
    # a child's ru_maxrss begins with that of this process, VmHWM does not
    report = "\nimport resource; r = resource.getrusage(resource.RUSAGE_SELF); print(r.ru_utime + r.ru_stime)"
    report += "\nprint(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    found = []
    for _ in range(runs):
        out = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True).stdout
        found.append([float(number) for number in out.split()])
    return min(seconds for seconds, _ in found) * 1e3, min(kilobytes for _, kilobytes in found) / 1024


def table(title, unit, rows, versions, is_less_better=False):
    print(f"\n{title} ({unit})\n")
    print("| | " + " | ".join(f"{name} {number}" for name, number in versions.items()) + " |")
    print("|---|" + "---:|" * len(versions))
    for label, found in rows:
        known = [value for value in found.values() if value is not None]
        best = (min if is_less_better else max)(known)
        cells = []
        for name in versions:
            value = found.get(name)
            shown = "–" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"
            cells.append(f"**{shown}**" if value == best else shown)
        print(f"| {label} | " + " | ".join(cells) + " |")


def chart(path, encoding, rows, versions):
    """Writes a picture of the rates, with a bar for each tokenizer and row."""
    names = list(versions)
    height, most = 26 * len(names) + 44, max(value for _, found in rows for value in found.values() if value)
    lines = []
    for i, (label, found) in enumerate(rows):
        top = i * height + 30
        lines.append(f'<text x="8" y="{top}" font-weight="bold">{label}</text>')
        for j, name in enumerate(names):
            value, y = found.get(name), top + 10 + 26 * j
            lines.append(f'<text x="92" y="{y + 15}" text-anchor="end">{name}</text>')
            if value:
                colour, width = "#d9480f" if name == "tiktally" else "#8a8f98", 420 * value / most
                lines.append(f'<rect x="100" y="{y}" width="{width:.0f}" height="20" fill="{colour}"/>')
                lines.append(f'<text x="{108 + width:.0f}" y="{y + 15}">{value:.0f}</text>')
    title = f"MB of new text for each second of CPU time, {encoding}, from Python"
    style = "text { font: 13px sans-serif; fill: #1f2328 } @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="{height * len(rows) + 10}" role="img"><title>{title}</title>'
    path.write_text("\n".join([head, f"<style>{style}</style>", *lines, "</svg>", ""]), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("--encodings", nargs="*", default=["cl100k_base", "o200k_base"])
    parser.add_argument("--rounds", type=int, default=4, help="timed slices of 200 kB of each file and row")
    parser.add_argument("--strings", type=int, default=1000, help="short strings of each file and size")
    parser.add_argument("--chart", type=pathlib.Path, help="write a picture for each encoding in this folder")
    parser.add_argument("--wheels", action="store_true", help="download the wheels for their sizes")
    options = parser.parse_args()

    os.environ.update(ONE_THREAD)
    versions = installed()
    files = sorted(path for path in options.texts.iterdir() if path.suffix in (".txt", ".jsonl") and path.stat().st_size > 200_000)
    print(f"CPU time on {platform.processor() or platform.machine()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}; {len(files)} texts")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TIKTOKEN_CACHE_DIR"] = folder
        paths = write_ranks(pathlib.Path(folder), options.encodings)
        for encoding in options.encodings:
            contenders = [Contender(name, encoding, paths[encoding]) for name in versions]
            oracle = next(c for c in contenders if c.name == "tiktoken")
            check(contenders, oracle, [slices(path, 20_000, 1)[0] for path in files])
            for c in contenders:
                if not c.right:
                    print(f"{c.name} has wrong ids in {encoding}")
            contenders = [c for c in contenders if c.right]

            def right(found):
                return {name: found[name] if next(c for c in contenders if c.name == name).right else None for name in found}

            rows = []
            for at, (label, row) in enumerate([("to a list", LIST), ("to NumPy", NUMPY), ("count", COUNT)]):
                # each row has slices of its own, so that its text is fresh too
                parts = [slices(path, 200_000, 2)[at::3] for path in files]
                if any(len(part) < options.rounds for part in parts):
                    parts = [slices(path, path.stat().st_size // (3 * options.rounds + 1), 2)[at::3] for path in files]
                rows.append((label, right(measure(contenders, oracle, row, parts, 200_000, options.rounds))))
            batches = [slices(path, 500, 3) for path in files]
            rows.append(("flat batch of 500 texts of 500 bytes", right(measure_flat(contenders, oracle, batches, 2))))
            if options.chart:
                options.chart.mkdir(parents=True, exist_ok=True)
                chart(options.chart / f"{encoding}.svg", encoding, rows[:3], versions)
            table(f"`{encoding}`, text seen once", "MB per CPU second", rows, versions)
            rows = []
            for size in [13, 100, 1000]:
                parts = [slices(path, size, 4) for path in files]
                for label, row in [("to a list", LIST), ("count", COUNT)]:
                    half = [part[: len(part) // 2] if row is LIST else part[len(part) // 2 :] for part in parts]
                    rows.append((f"{size:,} bytes, {label}", right(measure_short(contenders, row, half, options.strings))))
            table(f"`{encoding}`, short strings", "µs a call", rows, versions, is_less_better=True)
            ms, mb, bare = {}, {}, start("")
            for name in versions:
                code = MAKE[name].format(name=encoding, path=paths[encoding]) + f"\ntext = {SENTENCE!r}\n{LIST[name]}"
                found = start(code)
                ms[name], mb[name] = found[0] - bare[0], found[1] - bare[1]
            imports = {name: start(MAKE[name].split(";")[0])[0] - bare[0] for name in versions}
            rows = [("import, ms", imports), ("first ids, ms", ms), ("peak memory, MB", mb)]
            table(f"`{encoding}`, start of a process, over bare Python's {bare[0]:.1f} ms and {bare[1]:.1f} MB", "CPU", rows, versions, is_less_better=True)
        if options.wheels:
            sizes = {}
            for name, package in PACKAGES.items():
                if name not in versions:
                    continue
                wheels = pathlib.Path(folder) / name
                command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels), f"{package}=={versions[name]}"]
                if name == "tiktally":
                    wheels = pathlib.Path(__file__).parent / "target/test/wheels"
                else:
                    subprocess.run(command, check=True)
                found = [path.stat().st_size / 1e6 for path in wheels.glob("*.whl")]
                sizes[name] = found[0] if found else None
            table("Wheel", "MB", [("size", sizes)], versions, is_less_better=True)


if __name__ == "__main__":
    main()
