#!/bin/sh -e
# Makes today's record, the pictures, and the tables of the crate's COMPARE.md. The first word `free` chooses texts that are
# free to redistribute, which free_texts.py fetches; they have a record, pictures and a table of their own. If steps or encodings
# are named, it only prints their figures: the pages need all of them.
cd "$(dirname "$0")"
record=results/$(date +%F)
[ -d target/python ] || python3 -m venv target/python
target/python/bin/pip install --quiet --requirement requirements.txt
if [ "${1-}" = free ]; then
    shift
    record=$record-free
    rm -rf target/free # an earlier version may have made other texts
    target/python/bin/python free_texts.py target/free
    export TIKTALLY_CORPORA="$PWD/target/free"
fi
compare() { PATH=$PWD/target/python/bin:$PATH cargo run --release --quiet -- "$@"; }
cargo build --release
if [ $# -gt 0 ]; then
    compare "$@"
    exit
fi
compare > target/record.md
mkdir -p results
mv target/record.md "$record.md"
cargo run --release --quiet --bin report -- "$record.md"
