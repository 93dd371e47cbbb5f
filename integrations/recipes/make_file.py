"""Writes a Parquet file of random texts, the same ones each time, and prints the number of their tokens."""

import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import tiktally

WORDS = "the of and token count Größe 東京 привет नमस्ते 🙂 😀 don't 2026 3.14 <|endoftext|> \n if (x) {return} https://a.b/c".split(" ")

random.seed(23)
texts: list[str | None] = []
for row in range(20_000):
    words = random.choices(WORDS, k=random.randrange(300))
    words += ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randrange(1, 12))) for _ in range(100)]
    random.shuffle(words)
    texts.append(None if row % 97 == 5 else "" if row % 97 == 6 else " ".join(words))
table = pa.table({"id": range(len(texts)), "text": texts})
# row groups are what engines share out
pq.write_table(table, sys.argv[1], row_group_size=2_500)
encoding = tiktally.get_encoding("o200k_base")
print(sum(encoding.count_batch([text for text in texts if text is not None])))
