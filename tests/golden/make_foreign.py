#!/usr/bin/env python3
"""Rebuilds qwen.tiktoken.gz and foreign_qwen.jsonl.gz from the package qwen-agent 0.0.34 and tiktoken 0.14.0.

    pip download --no-deps qwen-agent==0.0.34 && unzip qwen_agent-0.0.34-*.whl -d FOLDER
    python make_foreign.py FOLDER

The package's own tokenizer answers; of the package no more is loaded than that module. The texts are every fifth one of
the vectors of cl100k_base.
"""

import gzip
import importlib.util
import json
import logging
import sys
import types
from pathlib import Path

HERE = Path(__file__).resolve().parent


def tokenizer(folder):
    log = types.ModuleType("qwen_agent.log")
    log.logger = logging.getLogger("qwen_agent")
    sys.modules["qwen_agent"] = types.ModuleType("qwen_agent")
    sys.modules["qwen_agent.log"] = log
    path = folder / "qwen_agent" / "utils" / "tokenization_qwen.py"
    spec = importlib.util.spec_from_file_location("tokenization_qwen", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.tokenizer


def compressed(path, data):
    path.write_bytes(gzip.compress(data, 9, mtime=0))


def main():
    folder = Path(sys.argv[1])
    qwen = tokenizer(folder).tokenizer
    with gzip.open(HERE / "ordinary_cl100k_base.jsonl.gz", "rt") as lines:
        texts = [json.loads(line)["text"] for line in lines][::5]
    lines = [{"encoding": "qwen", "text": text, "tokens": qwen.encode_ordinary(text)} for text in texts]
    data = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    compressed(HERE / "foreign_qwen.jsonl.gz", data.encode())
    compressed(HERE / "qwen.tiktoken.gz", (folder / "qwen_agent" / "utils" / "qwen.tiktoken").read_bytes())


if __name__ == "__main__":
    main()
