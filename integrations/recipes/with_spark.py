"""Counts the tokens of a Parquet file with Spark: a cluster of two workers on this machine."""

import sys

import pyarrow as pa
from pyspark.sql import SparkSession
from tiktally import arrow


def count_tokens(batches):
    for batch in batches:
        yield pa.record_batch({"tokens": pa.array(arrow.count_tokens(batch["text"]))})


spark = SparkSession.builder.master("local-cluster[2,1,1024]").getOrCreate()
texts = spark.read.parquet(sys.argv[1]).select("text")
print(texts.mapInArrow(count_tokens, "tokens long").groupBy().sum("tokens").first()[0])
