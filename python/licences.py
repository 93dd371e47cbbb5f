"""Writes LICENSE-THIRD-PARTY: the licences of the packages inside the wheel. With `--check`, compares it."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
OUTPUT = HERE / "LICENSE-THIRD-PARTY"
DATA = HERE.parent / "data"
APACHE = "Apache-2.0"
INTRODUCTION = f"""\
The native module of tiktally contains the data and the packages below, and Rust's standard library, which is under
MIT OR {APACHE} (copyright: the Rust Project contributors). `python/licences.py` writes this file.
"""


def linked_packages() -> list[dict]:
    """Returns the packages that the wheel contains on any platform: no macros, nothing that only builds or tests."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", HERE / "Cargo.toml"]
    graph = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in graph["packages"]}
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    found, open_ids = set(), [graph["resolve"]["root"]]
    while open_ids:
        current = open_ids.pop()
        if current in found or any("proc-macro" in target["kind"] for target in packages[current]["targets"]):
            continue
        found.add(current)
        for dependency in nodes[current]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                open_ids.append(dependency["pkg"])
    # our own have no source: they are under the licences beside this file
    foreign = (packages[id] for id in found if packages[id]["source"])
    return sorted(foreign, key=lambda package: (package["name"], package["version"]))


def name(package: dict) -> str:
    """Returns the name and version of a package with the licence it declares."""
    return f"{package['name']} {package['version']} ({package['license']})"


def offers_apache(package: dict) -> bool:
    """Says whether Apache-2.0 alone is enough, whose text is here once for all."""
    licence = package["license"] or ""
    return " AND " not in licence and APACHE in re.split(r" OR |/", licence)


def texts(package: dict) -> Iterator[str]:
    """Yields the texts of a package that must come along."""
    pattern = r"notice" if offers_apache(package) else r"licen[cs]e|copying|notice|unlicense"
    files = sorted(Path(package["manifest_path"]).parent.iterdir())
    named = [file for file in files if file.is_file() and re.match(pattern, file.name, re.IGNORECASE)]
    found = [file.read_text("utf-8") for file in named]
    if not found and not offers_apache(package):
        authors = ", ".join(package["authors"])
        found = [f"The package has no file with its licence, {package['license']}. Authors: {authors}"]
    yield from found


def section(title: str, text: str) -> str:
    """Returns a part of the output."""
    lines = "\n".join(line.rstrip() for line in text.strip("\r\n").splitlines())
    return f"\n{'=' * 80}\n{title}\n{'=' * 80}\n\n{lines}\n"


def listing() -> str:
    """Returns the contents of the file."""
    packages = linked_packages()
    owners: dict[str, list[str]] = {}
    bodies: dict[str, str] = {}
    for package in packages:
        for text in texts(package):
            key = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
            bodies.setdefault(key, text)
            owners.setdefault(key, []).append(name(package))
    parts = [INTRODUCTION]
    parts.append(section("OpenAI's rank files and Unicode's character classes", (DATA / "README.md").read_text("utf-8")))
    parts.append(section("The licence of the character classes", (DATA / "LICENSE-UNICODE").read_text("utf-8")))
    apache = "\n".join(name(package) for package in packages if offers_apache(package))
    parts.append(section(f"Used under {APACHE}, whose text is in LICENSE-APACHE", apache))
    parts.extend(section("\n".join(dict.fromkeys(owners[key])), text) for key, text in bodies.items())
    return "".join(parts)


def main() -> None:
    """Writes the file, or compares it."""
    new = listing()
    if sys.argv[1:] != ["--check"]:
        OUTPUT.write_text(new, "utf-8")
    elif OUTPUT.read_text("utf-8") != new:
        sys.exit(f"{OUTPUT.name} is not what python/licences.py writes: run it again")


if __name__ == "__main__":
    main()
