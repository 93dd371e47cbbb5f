#!/usr/bin/env bash
# Runs the tests of the cluster in release mode: processes on loopback that lose executors. RUNS=10 repeats the faults.
# Words after the command choose tests by name: `RUNS=10 ./test-cluster.sh survives`.
set -euo pipefail
cd "$(dirname "$0")"

begin=$SECONDS
# one test at a time says what it saw; the limit of time is for a machine that is far too slow
timeout "${LIMIT:-7200}" cargo test --release -p tiktally-cluster -- --nocapture --test-threads 1 "$@"
echo "== $((SECONDS - begin)) s, RUNS=${RUNS:-1}"
