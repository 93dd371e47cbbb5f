#!/usr/bin/env bash
# Builds the wheel, installs it in a fresh virtual environment, and runs the tests there: ours, tiktoken's own, and checks of
# the types. Fetches tiktoken and the test tools from PyPI, in fixed versions. It says how long each step took.
set -euo pipefail
cd "$(dirname "$0")"

step() {
    echo "-- $*"
    local begin=$SECONDS
    "$@"
    echo "-- $((SECONDS - begin)) s"
}

# modules of the caller would take the place of those that are installed
unset PYTHONPATH PYTHONHOME

install() { step pip install --quiet --disable-pip-version-check --constraint tests/constraints.txt "$@"; }

work=target/test
rm -rf "$work"
mkdir -p "$work/upstream"
step python3 -m venv "$work/venv"
# shellcheck source=/dev/null
. "$work/venv/bin/activate"
install maturin
step maturin build --quiet --release --locked --out "$work/wheels"
install "$(echo "$work"/wheels/*.whl)[test]"
ls -l "$work/wheels"
test "$(stat --format %s "$work"/wheels/*.whl)" -lt 6000000 # a wheel of 6 MB

step python -m pytest -q tests
step python -m doctest README.md
step mypy --strict tests/examples.py
step python -m mypy.stubtest tiktally

# tiktoken's own tests are in its source package. They import tiktoken, which is tiktally.compat here.
step pip download --quiet --disable-pip-version-check --no-deps --no-binary tiktoken --dest "$work" \
    --requirement tests/upstream.txt
tar --extract --gzip --file "$work/tiktoken-0.14.0.tar.gz" --directory "$work/upstream" --strip-components 1 tiktoken-0.14.0/tests
cp tests/as_tiktoken.py "$work/upstream/sitecustomize.py"
upstream() {
    (
        cd "$work/upstream"
        export PYTHONPATH=$PWD
        python -c 'import tiktoken; assert tiktoken.__name__ == "tiktally.compat"'
        python -m pytest -q tests --import-mode=append
    )
}
step upstream
