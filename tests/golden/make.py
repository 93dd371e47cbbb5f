#!/usr/bin/env python3
"""Rebuilds the golden files of this folder with the Python package tiktoken, version 0.14.0.

    python make.py                         # recompute everything, report the differences, exit 1 if there are any
    python make.py special.jsonl.gz        # only this file
    python make.py --write                 # write what tiktoken says now over the files
    python make.py --corpora FOLDER        # corpora.json too; the corpora are not in the repository

The inputs (texts, ids, lists of special tokens) are taken from the files themselves and every other field is made
again. No network: the encodings come from tiktoken's own constructors, which read the rank files of `data/` and check
their hashes. gpt2 is the exception, its two source files are not kept here: it takes the ranks of r50k_base, which
were compared with the genuine ones when the vectors were made.
"""

import argparse
import base64
import gzip
import hashlib
import json
import os
import struct
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

os.environ["TIKTOKEN_CACHE_DIR"] = ""  # plain reads, nothing left behind in a temporary folder

import tiktoken
import tiktoken.load
import tiktoken.model
import tiktoken_ext.openai_public as public

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "data"
TIKTOKEN = "0.14.0"


def local_ranks(url, expected_hash=None):
    return tiktoken.load.load_tiktoken_bpe(str(DATA / url.rsplit("/", 1)[-1]), expected_hash)


def gpt2_ranks(**_):
    return local_ranks("r50k_base.tiktoken", "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930")


public.load_tiktoken_bpe = local_ranks
public.data_gym_to_mergeable_bpe_ranks = gpt2_ranks


@cache
def encoding(name):
    return tiktoken.Encoding(**public.ENCODING_CONSTRUCTORS[name]())


# Small helpers


def b64(data):
    return base64.b64encode(data).decode("ascii")


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def packed(ids):
    return struct.pack(f"<{len(ids)}I", *ids)


def outcome(record, field, call, message=True, **more):
    """Puts the result of the call in the record, or the exception it raised."""
    try:
        record[field] = call()
        record.update({key: make() for key, make in more.items()})
    except (KeyError, ValueError) as error:
        record["error"] = {"type": type(error).__name__}
        if message:
            record["error"]["message"] = str(error.args[0])
    return record


# One function for each kind of file with a record a line: the inputs of an old record -> the whole new record


def ordinary(old):
    enc, text = encoding(old["encoding"]), old["text"]
    tokens = enc.encode_ordinary(text)
    assert enc.decode_bytes(tokens) == text.encode()
    return {"encoding": enc.name, "mode": "ordinary", "text": text, "tokens": tokens}


def special(old):
    new = {key: old[key] for key in ("encoding", "mode", "allowed", "disallowed", "text") if key in old}
    some = {"allowed_special": set(old.get("allowed", ()))}
    options = {
        "default": {},
        "none_special": {"disallowed_special": ()},
        "all_special": {"allowed_special": "all"},
        "some_special": {**some, "disallowed_special": ()},
        "some_special_strict": some,
        "disallow_list": {"disallowed_special": set(old.get("disallowed", ()))},
    }[old["mode"]]
    return outcome(new, "tokens", lambda: encoding(old["encoding"]).encode(old["text"], **options))


def decode(old):
    enc, op = encoding(old["encoding"]), old["op"]
    # `token` is the input of one operation and the result of another.
    inputs = {"decode_single_token_bytes": "token", "decode_bytes": "tokens", "decode": "tokens",
              "decode_tokens_bytes": "tokens"}.get(op, "bytes_b64")
    new = {"encoding": enc.name, "op": op, inputs: old[inputs]}
    value = base64.b64decode(old[inputs]) if inputs == "bytes_b64" else old[inputs]
    match op:
        case "decode_single_token_bytes" | "decode_bytes":
            return outcome(new, "bytes_b64", lambda: b64(getattr(enc, op)(value)))
        case "encode_single_token":
            return outcome(new, "token", lambda: enc.encode_single_token(value), message=False)
        case "decode":
            return outcome(new, "text", lambda: enc.decode(value))
        case "decode_tokens_bytes":
            return outcome(new, "bytes_b64", lambda: [b64(token) for token in enc.decode_tokens_bytes(value)])
        case "_encode_bytes" | "_encode_single_piece":
            return outcome(new, "tokens", lambda: getattr(enc, op)(value))
    raise ValueError(f"unknown op {op}")


def offsets(old):
    enc, tokens = encoding(old["encoding"]), old["tokens"]
    new = {"encoding": enc.name, "tokens": tokens}
    return outcome(new, "text", lambda: enc.decode_with_offsets(tokens)[0], message=False,
                   offsets=lambda: enc.decode_with_offsets(tokens)[1])


def unstable(old):
    enc, text = encoding(old["encoding"]), old["text"]
    tokens, completions = enc.encode_with_unstable(text, allowed_special="all")
    completions = sorted(completions)
    digest = sha256(*(packed([len(ids), *ids]) for ids in completions))
    new = {"encoding": enc.name, "text": text, "tokens": tokens, "n_completions": len(completions),
           "completions_sha256": digest}
    return {**new, "completions": completions} if len(completions) <= 120 else new


def long(old):
    recipe = {key: old[key] for key in ("encoding", "prefix", "unit", "count", "suffix")}
    tokens = encoding(old["encoding"]).encode_ordinary(old["prefix"] + old["unit"] * old["count"] + old["suffix"])
    return {**recipe, "n_tokens": len(tokens), "tokens_sha256": sha256(packed(tokens))}


def models(old):
    call = tiktoken.model.encoding_name_for_model
    return outcome({"model": old["model"]}, "encoding", lambda: call(old["model"]))


# The files that are one JSON object


def encodings(old):
    return {name: facts(encoding(name)) for name in old}


def facts(enc):
    mergeable, specials = enc._mergeable_ranks, enc._special_tokens
    vocabulary, missing = [], []
    for token in range(enc.n_vocab):
        try:
            token_bytes = enc.decode_single_token_bytes(token)
            vocabulary += [packed([len(token_bytes)]), token_bytes]
        except KeyError:
            missing.append(token)
            vocabulary.append(b"\xff\xff\xff\xff")
    values = [part for token in enc.token_byte_values() for part in (packed([len(token)]), token)]
    return {
        "name": enc.name,
        "n_vocab": enc.n_vocab,
        "max_token_value": enc.max_token_value,
        "eot_token": enc.eot_token,
        "n_mergeable": len(mergeable),
        "n_special_strings": len(specials),
        "n_special_ids": len(set(specials.values())),
        "pat_str": enc._pat_str,
        "special_tokens": specials,
        "invalid_ids_below_n_vocab": missing,
        "vocab_sha256": sha256(*vocabulary),
        "max_token_len": max(map(len, mergeable)),
        "token_byte_values_sha256": sha256(*values),
    }


def is_surrogate(point):
    return 0xD800 <= point < 0xE000


def one_template(name, template, size):
    enc, blocks = encoding(name), []
    for start in range(0, 0x110000, size):
        count, digest = 0, hashlib.sha256()
        for point in range(start, start + size):
            if not is_surrogate(point):
                tokens = enc.encode_ordinary(template.replace("{c}", chr(point)))
                count += len(tokens)
                digest.update(packed(tokens))
        blocks.append([count, digest.hexdigest()])
    return blocks


def codepoints(old):
    jobs = [(name, template) for name, templates in old["encodings"].items() for template in templates]
    with ProcessPoolExecutor() as pool:
        results = pool.map(one_template, *zip(*jobs), [old["block_size"]] * len(jobs))
        new = {name: {} for name in old["encodings"]}
        for (name, template), blocks in zip(jobs, results):
            new[name][template] = blocks
    return {"block_size": old["block_size"], "same_as": old["same_as"], "encodings": new}


def unicode_classes(old):
    text = "".join(chr(point) for point in range(0x110000) if not is_surrogate(point))
    return {**old, "classes": {pattern: class_ranges(pattern, text) for pattern in old["classes"]}}


def class_ranges(pattern, text):
    """An encoding whose pattern is the class alone drops all other characters."""
    single_bytes = {bytes([byte]): byte for byte in range(256)}
    enc = tiktoken.Encoding("class", pat_str=pattern, mergeable_ranks=single_bytes, special_tokens={})
    ranges = []
    for point in map(ord, bytes(enc.encode_ordinary(text)).decode()):
        if ranges and ranges[-1][1] + 1 == point:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return ranges


def corpora(old, folder):
    return {file: one_corpus(folder / file, entry) for file, entry in old.items()}


def one_corpus(path, old):
    data = path.read_bytes()
    new = {}
    for name in old["encodings"]:
        tokens = encoding(name).encode_ordinary(data.decode())
        new[name] = {"n_tokens": len(tokens), "tokens_sha256": sha256(packed(tokens)), "first": tokens[:8],
                     "last": tokens[-8:]}
    return {"bytes": len(data), "sha256": sha256(data), "encodings": new}


# Reading, comparing, writing

LINES = {"ordinary": ordinary, "special": special, "decode": decode, "offsets": offsets, "unstable": unstable,
         "long": long, "models": models}
WHOLE = {"encodings": encodings, "codepoints": codepoints, "unicode_classes": unicode_classes}


def read(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return file.read()


def write(path, text):
    data = text.encode("ascii")
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


def check(path, args):
    """Makes the file again; returns the number of records and of those that differ."""
    text, kind = read(path), path.name.split(".")[0].split("_" if path.name.startswith("ordinary") else ".")[0]
    if kind in LINES:
        old = [json.loads(line) for line in text.splitlines()]
        new = [LINES[kind](record) for record in old]
        pairs = list(zip(old, new))
        made = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in new)
    else:
        old = json.loads(text)
        new = corpora(old, args.corpora) if kind == "corpora" else WHOLE[kind](old)
        pairs = [({key: old[key]}, {key: new[key]}) for key in old]
        made = json.dumps(new, **({"separators": (",", ":")} if kind in ("codepoints", "unicode_classes") else {"indent": 1}))
    different = [(a, b) for a, b in pairs if a != b]
    for a, b in different[:3]:
        print(f"{path.name}\n  file:     {ascii(a)[:1000]}\n  tiktoken: {ascii(b)[:1000]}")
    if args.write and different:
        write(path, made)
    return len(pairs), len(different)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="names of files in this folder; all of them without one")
    parser.add_argument("--write", action="store_true", help="write the files that differ")
    parser.add_argument("--corpora", type=Path, help="the folder that holds the corpora")
    args = parser.parse_args()
    if tiktoken.__version__ != TIKTOKEN:
        sys.exit(f"the vectors are tiktoken {TIKTOKEN}'s, this is {tiktoken.__version__}")
    names = args.files or sorted(path.name for path in HERE.iterdir() if ".json" in path.name)
    total = 0
    for name in names:
        if name == "corpora.json" and args.corpora is None:
            print(f"{name:32} left out, no --corpora")
            continue
        records, different = check(HERE / name, args)
        total += different
        print(f"{name:32} {records:6} records, {different} differ", flush=True)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
