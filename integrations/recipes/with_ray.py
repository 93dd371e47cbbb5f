"""Counts the tokens of a Parquet file with Ray Data."""

import sys

import pyarrow as pa
import ray
from tiktally import arrow


def count_tokens(batch: pa.Table) -> pa.Table:
    return pa.table({"tokens": pa.chunked_array(arrow.count_tokens(batch["text"]))})


ray.init()
texts = ray.data.read_parquet(sys.argv[1]).select_columns("text")
print(texts.map_batches(count_tokens, batch_format="pyarrow").sum("tokens"))
