#!/bin/sh -e
# Makes today's record, the pictures, and the tables of the crate's COMPARE.md.
cd "$(dirname "$0")"
mkdir -p results
record=results/$(date +%F).md
[ -d target/python ] || python3 -m venv target/python
target/python/bin/pip install --quiet --requirement requirements.txt
cargo build --release
PATH=$PWD/target/python/bin:$PATH cargo run --release --quiet -- "$@" > "$record"
cargo run --release --quiet --bin report -- "$record"
