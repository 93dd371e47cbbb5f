#!/usr/bin/env bash
# Builds the wheel, installs it in a fresh virtual environment, and runs the tests there: ours, tiktoken's own, and checks of
# the types. Fetches tiktoken and the test tools from PyPI.
set -euo pipefail
cd "$(dirname "$0")"

work=target/test
rm -rf "$work"
python3 -m venv "$work/venv"
# shellcheck source=/dev/null
. "$work/venv/bin/activate"
pip install --quiet "maturin>=1.16,<2"
maturin build --quiet --release --out "$work/wheels"
pip install --quiet "$(echo "$work"/wheels/*.whl)[test]"
ls -l "$work/wheels"

python -m pytest -q tests
python -m doctest README.md
mypy --strict tests/examples.py
python -m mypy.stubtest tiktally

# tiktoken's own tests are in its source package. They import tiktoken, which is tiktally.compat here.
pip download --quiet --no-deps --no-binary :all: --dest "$work" tiktoken==0.14.0
tar --extract --gzip --file "$work/tiktoken-0.14.0.tar.gz" --directory "$work"
cp tests/as_tiktoken.py "$work/tiktoken-0.14.0/conftest.py"
(cd "$work/tiktoken-0.14.0" && python -m pytest -q tests --import-mode=append)
