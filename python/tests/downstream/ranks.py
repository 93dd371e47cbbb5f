"""Writes the rank files that tiktoken would download, in the folder that is named."""

import base64
import hashlib
import pathlib
import sys

import tiktally

folder = pathlib.Path(sys.argv[1])
folder.mkdir()
for name in ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"]:
    url = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
    ranks = tiktally.get_encoding(name)._mergeable_ranks
    lines = [b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks.items()]
    (folder / hashlib.sha1(url.encode()).hexdigest()).write_bytes(b"".join(lines))
