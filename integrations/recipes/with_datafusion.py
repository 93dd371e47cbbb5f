"""Counts the tokens of a Parquet file with DataFusion's package for Python."""

import sys

import pyarrow as pa
from datafusion import SessionContext, udf
from tiktally import arrow


def count_tokens(texts: pa.Array) -> pa.Array:
    return pa.array(arrow.count_tokens(texts))


context = SessionContext()
context.register_udf(udf(count_tokens, [pa.string_view()], pa.int64(), "immutable", "count_tokens"))
context.register_parquet("docs", sys.argv[1])
print(context.sql("SELECT sum(count_tokens(text)) AS n FROM docs").to_pydict()["n"][0])
