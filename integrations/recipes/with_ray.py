"""Counts the tokens of a Parquet file with Ray Data."""

import sys

import pyarrow as pa
import ray
from tiktally import arrow


def count_tokens(batch: pa.Table) -> pa.Table:
    return pa.table({"tokens": pa.chunked_array(arrow.count_tokens(batch["text"]))})


ray.init(num_cpus=2)
texts = ray.data.read_parquet(sys.argv[1], columns=["text"])
print(texts.map_batches(count_tokens, batch_format="pyarrow").sum("tokens"))
