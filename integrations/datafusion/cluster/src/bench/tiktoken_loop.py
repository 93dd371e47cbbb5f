"""Counts the column `text` of Parquet files with pyarrow and tiktoken, on one thread. Prints the tokens of each file.

The first argument is the rank file of o200k_base: it is put where tiktoken looks for its download, so no network is used.
"""

import hashlib
import os
import shutil
import sys
import tempfile

import pyarrow.parquet

URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"

ranks, *files = sys.argv[1:]
with tempfile.TemporaryDirectory() as cache:
    os.environ["TIKTOKEN_CACHE_DIR"] = cache
    shutil.copy(ranks, os.path.join(cache, hashlib.sha1(URL.encode()).hexdigest()))
    import tiktoken

    encoding = tiktoken.get_encoding("o200k_base")
pyarrow.set_cpu_count(1)
for name in files:
    tokens = 0
    for batch in pyarrow.parquet.ParquetFile(name).iter_batches(8192, columns=["text"], use_threads=False):
        for text in batch.column(0).to_pylist():
            if text is not None:
                tokens += len(encoding.encode_ordinary(text))
    print(tokens)
