"""Counts the tokens of a Parquet file with Polars."""

import sys

import polars as pl
from tiktally import arrow


def count_tokens(texts: pl.Series) -> pl.Series:
    return pl.Series(arrow.count_tokens(texts))


tokens = pl.col("text").map_batches(count_tokens, return_dtype=pl.Int64, is_elementwise=True)
print(pl.scan_parquet(sys.argv[1]).select(tokens.sum()).collect(engine="streaming").item())
