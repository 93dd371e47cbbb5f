"""tiktoken.load: reads and writes rank files. Nothing is loaded from a network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile

__all__ = [
    "check_hash",
    "data_gym_to_mergeable_bpe_ranks",
    "dump_tiktoken_bpe",
    "load_tiktoken_bpe",
    "read_file",
    "read_file_cached",
]


def read_file(blobpath: str) -> bytes:
    """Returns the bytes of a local file."""
    if "://" in blobpath:
        raise ValueError(
            f"tiktally loads nothing from a network: download {blobpath} yourself and pass the path of the file, or put "
            f"it where tiktoken's cache has it: {_cache_path(blobpath) or 'set TIKTOKEN_CACHE_DIR first'}"
        )
    with open(blobpath, "rb") as file:
        return file.read()


def check_hash(data: bytes, expected_hash: str) -> bool:
    """Returns whether this is the SHA-256 of the data, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest() == expected_hash


def read_file_cached(blobpath: str, expected_hash: str | None = None) -> bytes:
    """Returns the bytes of a local file, or those that tiktoken's cache folder has for a URL.

    Raises ValueError if they do not have the hash, or if the URL is not in the folder.
    """
    path = _cache_path(blobpath) if "://" in blobpath else None
    data = read_file(path if path and os.path.exists(path) else blobpath)
    if expected_hash is not None and not check_hash(data, expected_hash):
        raise ValueError(f"{blobpath} does not have the SHA-256 {expected_hash}; get the file again")
    return data


def _cache_path(url: str) -> str | None:
    default = os.path.join(tempfile.gettempdir(), "data-gym-cache")
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR", default))
    return os.path.join(folder, hashlib.sha1(url.encode()).hexdigest()) if folder else None


def load_tiktoken_bpe(tiktoken_bpe_file: str, expected_hash: str | None = None) -> dict[bytes, int]:
    """Returns the tokens of a rank file and their ranks.

    Raises OSError if it cannot be read, and ValueError with the line for a line that is not a token and a rank.
    """
    ranks = {}
    for line in read_file_cached(tiktoken_bpe_file, expected_hash).splitlines():
        if not line:
            continue
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
        except Exception as error:
            raise ValueError(f"Error parsing line {line!r} in {tiktoken_bpe_file}") from error
    return ranks


def dump_tiktoken_bpe(bpe_ranks: dict[bytes, int], tiktoken_bpe_file: str) -> None:
    """Writes tokens and their ranks as a local rank file, in the order of the ranks."""
    by_rank = sorted(bpe_ranks.items(), key=lambda item: item[1])
    with open(tiktoken_bpe_file, "wb") as file:
        file.writelines(b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in by_rank)


def data_gym_to_mergeable_bpe_ranks(
    vocab_bpe_file: str,
    encoder_json_file: str,
    vocab_bpe_hash: str | None = None,
    encoder_json_hash: str | None = None,
    clobber_one_byte_tokens: bool = False,
) -> dict[bytes, int]:
    """Returns the tokens and the ranks of GPT-2's two files, `vocab.bpe` and `encoder.json`.

    With `clobber_one_byte_tokens`, the ids of single bytes are those of the second file. Raises AssertionError if the files
    do not have the same tokens.
    """
    merges = read_file_cached(vocab_bpe_file, vocab_bpe_hash).decode().split("\n")[1:-1]
    ids = json.loads(read_file_cached(encoder_json_file, encoder_json_hash))
    letters = _letters()

    def token_of(text: str) -> bytes:
        return bytes(letters[letter] for letter in text)

    expected = {token_of(text): id for text, id in ids.items()}
    expected.pop(b"<|endoftext|>", None)
    expected.pop(b"<|startoftext|>", None)
    tokens = [bytes([byte]) for byte in letters.values()]
    for merge in merges:
        first, second = merge.split()
        tokens.append(token_of(first) + token_of(second))
    ranks = {token: rank for rank, token in enumerate(tokens)}
    if clobber_one_byte_tokens:
        ranks.update((token, id) for token, id in expected.items() if len(token) == 1)
    assert ranks == expected, "the two files do not have the same tokens"
    return ranks


def _letters() -> dict[str, int]:
    """Returns the byte for which each letter stands in GPT-2's files: printable ones first."""
    printable = [byte for byte in range(256) if chr(byte).isprintable() and byte != 32]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}
