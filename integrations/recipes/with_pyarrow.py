"""Counts the tokens of a Parquet file with pyarrow, one batch after another."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
from tiktally import arrow

total = 0
for batch in pq.ParquetFile(sys.argv[1]).iter_batches(columns=["text"]):
    counts = pa.array(arrow.count_tokens(batch["text"]))
    total += counts.sum().as_py() or 0
print(total)
