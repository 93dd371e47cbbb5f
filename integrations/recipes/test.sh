#!/usr/bin/env bash
# Runs each recipe on the same Parquet file, and checks that it prints the same number of tokens as a direct count. Checks also
# that README.md shows the recipes as they are. Usage: test.sh [WHEEL]; without a wheel it builds one.
#
# Fetches the engines from PyPI, 1 GB in fixed versions. The recipes themselves run in a network namespace that has only the
# loopback device, and in a process namespace: what they leave running ends with them.
set -euo pipefail
wheel=${1:+$(realpath "$1")}
cd "$(dirname "$0")"

fail() {
    echo "$0: $*" >&2
    exit 1
}

recipes=(pyarrow polars duckdb datafusion daft ray spark)

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "needs Python 3.11 or later as python3"
# what needs no network comes first
for recipe in "${recipes[@]}"; do
    python3 - "with_$recipe.py" <<'END' || fail "README.md does not show with_$recipe.py as it is: copy the file into its block"
import sys

code = open(sys.argv[1], encoding="utf-8").read()
page = open("README.md", encoding="utf-8").read()
sys.exit(f"```python\n{code}```\n" not in page)
END
done

java=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p;1q') || true
[ "${java:-0}" -ge 17 ] || fail "Spark needs Java 17 or later, and \`java\` is ${java:+version }${java:-missing}"
for tool in unshare ip; do
    command -v "$tool" >/dev/null || fail "needs the command $tool, which is on Linux alone (packages util-linux and iproute2)"
done
namespaces=(unshare --map-root-user --net --pid --fork --mount-proc --kill-child)
"${namespaces[@]}" ip link set lo up || fail "this machine permits no user namespaces: sysctl user.max_user_namespaces, or a container's policy"

unset PYTHONPATH PYTHONHOME
work=$(cd ../../python && pwd)/target/recipes
rm -rf "$work/venv" "$work/home"
mkdir -p "$work/home"
# sockets need a short path
temporary=$(mktemp -d)
# the environment takes 2 GB
trap 'rm -rf "$work/venv" "$temporary"' EXIT
constraints=$PWD/constraints.txt
python3 -m venv "$work/venv"
# shellcheck source=/dev/null
. "$work/venv/bin/activate"
install() { pip install --quiet --disable-pip-version-check --constraint "$constraints" "$@"; }
if [ -z "$wheel" ]; then
    rm -rf "$work/wheels"
    install maturin
    (cd ../../python && maturin build --quiet --release --locked --out "$work/wheels")
    wheel=$(echo "$work"/wheels/*.whl)
fi
begin=$SECONDS
install "$wheel" daft datafusion duckdb pandas polars pyarrow pyspark 'ray[data]'
echo "packages: $((SECONDS - begin)) s"

python make_file.py "$work/docs.parquet" >"$work/expected"
read -r expected <"$work/expected"
echo "expected: $expected tokens"

# Spark takes the address of the host's name, which is not that of the loopback device
export SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_HOSTNAME=localhost SPARK_LOCAL_DIRS=$temporary
export HOME=$work/home RAY_TMPDIR=$temporary RAY_USAGE_STATS_ENABLED=0
PYSPARK_PYTHON=$(command -v python)
export PYSPARK_PYTHON
for recipe in "${recipes[@]}"; do
    begin=$SECONDS
    # shellcheck disable=SC2016
    timeout 300 "${namespaces[@]}" sh -c 'ip link set lo up && exec python "$@"' sh "with_$recipe.py" "$work/docs.parquet" \
        >"$work/$recipe.out" 2>"$work/$recipe.err" || {
        tail -n 30 "$work/$recipe.err" >&2
        fail "with_$recipe.py failed; all it said is in $work/$recipe.err"
    }
    total=$(tail -n 1 "$work/$recipe.out")
    [ "$total" = "$expected" ] || fail "with_$recipe.py printed $total"
    echo "$recipe: $total tokens, $((SECONDS - begin)) s"
done
