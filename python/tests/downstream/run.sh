#!/usr/bin/env bash
# Checks that libraries which import tiktoken themselves give the same numbers with tiktally.compat.install(). Run it by hand
# from anywhere; it installs some hundred packages. The argument is a wheel of tiktally.
set -euo pipefail
wheel=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
# shellcheck source=/dev/null
. "$work/venv/bin/activate"
# the versions of November 2026 that were seen to give the same numbers are in the file
pip install --quiet --disable-pip-version-check "$wheel" --requirement "$here/requirements.txt"
python "$here/ranks.py" "$work/ranks"
export TIKTOKEN_CACHE_DIR=$work/ranks
python "$here/results.py" tiktoken > "$work/theirs.json"
# install() works without the network and without the rank files
TIKTOKEN_CACHE_DIR=$work/none python "$here/results.py" tiktally > "$work/ours.json"
cmp "$work/theirs.json" "$work/ours.json"
echo "the same numbers: $(wc -c < "$work/ours.json") bytes of results"
