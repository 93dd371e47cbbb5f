"""Counts the tokens of a Parquet file with Daft."""

import sys

import daft
import pyarrow as pa
from tiktally import arrow


@daft.func.batch(return_dtype=daft.DataType.int64())
def count_tokens(texts: daft.Series):
    return pa.array(arrow.count_tokens(texts.to_arrow()))


tokens = daft.read_parquet(sys.argv[1]).select(count_tokens(daft.col("text")).alias("tokens"))
print(tokens.sum("tokens").to_pydict()["tokens"][0])
