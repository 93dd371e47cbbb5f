"""Counts the tokens of a Parquet file with DuckDB."""

import sys

import duckdb
import pyarrow as pa
from tiktally import arrow


def count_tokens(texts):
    return pa.chunked_array(arrow.count_tokens(texts))


db = duckdb.connect()
db.create_function("count_tokens", count_tokens, ["VARCHAR"], "BIGINT", type="arrow")
print(db.sql("SELECT sum(count_tokens(text)) FROM read_parquet($1)", params=[sys.argv[1]]).fetchall()[0][0])
