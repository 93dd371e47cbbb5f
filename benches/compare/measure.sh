#!/bin/sh -e
# Makes today's record, the pictures, and the tables of the crate's COMPARE.md. The first word `free` chooses texts that are
# free to redistribute, which free_texts.py fetches; they have a record, pictures and a table of their own.
cd "$(dirname "$0")"
record=results/$(date +%F)
[ -d target/python ] || python3 -m venv target/python
target/python/bin/pip install --quiet --requirement requirements.txt
if [ "${1-}" = free ]; then
    shift
    record=$record-free
    target/python/bin/python free_texts.py target/free
    export TIKTALLY_CORPORA="$PWD/target/free"
fi
mkdir -p results
cargo build --release
PATH=$PWD/target/python/bin:$PATH cargo run --release --quiet -- "$@" > "$record.md"
cargo run --release --quiet --bin report -- "$record.md"
