"""Gives tiktoken its rank files without a network: they are written from our vocabularies, and tiktoken checks their hashes."""

import base64
import hashlib

import pytest
import tiktally

URL = "https://openaipublic.blob.core.windows.net/encodings/"
NAMES = ["r50k_base", "p50k_base", "p50k_edit", "cl100k_base", "o200k_base", "o200k_harmony"]


@pytest.fixture(scope="session")
def oracles(tmp_path_factory):
    """Returns pairs of our encoding and tiktoken's, for all but gpt2, whose files tiktoken reads in another format."""
    folder = tmp_path_factory.mktemp("ranks")
    for name in ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"]:
        ranks = tiktally.get_encoding(name)._mergeable_ranks
        lines = [b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks.items()]
        place = folder / hashlib.sha1(f"{URL}{name}.tiktoken".encode()).hexdigest()
        place.write_bytes(b"".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
        patch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        import tiktoken

        return [(tiktally.get_encoding(name), tiktoken.get_encoding(name)) for name in NAMES]
