"""Makes a folder of texts that are free to redistribute, from packages of free software and from this repository.

    python3 free_texts.py FOLDER

Needs pip. free_texts.txt has the packages with their versions, hashes and licences, so the texts are the same everywhere,
but for `rust`, which is this repository's own code.
"""

import gettext
import gzip
import hashlib
import io
import itertools
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).parent
LIMIT_BYTES = 4_000_000
GZIP = b"\x1f\x8b"  # how such a file begins

# A text: the start of a package's file name, and the patterns of paths in it.
FILES = {
    "english": ("django", "*/docs/*.txt"),
    "javascript": ("django", "*/static/*.js", "*/js_tests/*.js"),
    "json": ("botocore", "*/ec2/*/service-2.json.gz", "*/sagemaker/*/service-2.json.gz", "*/s3/*/service-2.json.gz"),
    "python": ("django", "*/django/*.py"),
}

# A language, and its codes in the translations.
LANGUAGES = {
    "arabic": ["ar"],
    "chinese": ["zh_CN", "zh_TW", "zh_Hans", "zh_Hant"],
    "japanese": ["ja"],
    "korean": ["ko"],
    "russian": ["ru"],
    "tamil": ["ta"],
    "thai": ["th"],
}
# The languages of the text in many of them.
MIXED_LANGUAGES = "cs de el es fi fr he hu it ja ko lt nl pl pt_BR ru sr sv ta th tr uk vi zh_CN".split()
TRANSLATIONS = ["gramps", "pretix"]


def download(folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "--requirement", HERE / "free_texts.txt", "--dest", folder], check=True)


def contents(packages, package, patterns):
    """Yields the bytes of the files of a package whose paths match a pattern, in the order of their paths."""
    (archive,) = packages.glob(f"{package}-*")

    def is_wanted(name):
        return any(fnmatch(name, pattern) for pattern in patterns)

    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as files:
            for name in sorted(filter(is_wanted, files.namelist())):
                yield files.read(name)
    else:
        with tarfile.open(archive) as files:
            wanted = (member for member in files if member.isfile() and is_wanted(member.name))
            for member in sorted(wanted, key=lambda member: member.name):
                yield files.extractfile(member).read()


def of_files(packages, package, *patterns):
    """Returns the files of a package, one after the other."""
    files = contents(packages, package, patterns)
    plain = (gzip.decompress(data) if data.startswith(GZIP) else data for data in files)
    return b"".join(plain).decode()


def translations(packages, codes):
    """Returns the different translations of the interfaces into a language.

    Their order is that of their hashes: in the order of the files, neighbours begin with the same words.
    """
    patterns = [f"*/locale/{code}/LC_MESSAGES/*.mo" for code in codes]
    texts = set()
    for package in TRANSLATIONS:
        for data in contents(packages, package, patterns):
            texts.update(gettext.GNUTranslations(io.BytesIO(data))._catalog.values())
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())


def in_turn(lists):
    """Returns the first of each list, then the second of each, and so on."""
    return [text for texts in itertools.zip_longest(*lists) for text in texts if text]


def own_code():
    root = HERE.parents[1]
    paths = sorted(path for folder in ("src", "tests") for path in (root / folder).rglob("*.rs"))
    return "".join(path.read_text("utf-8") for path in paths)


def texts(packages):
    for name, files in FILES.items():
        yield name, of_files(packages, *files)
    for name, codes in LANGUAGES.items():
        yield name, "\n".join(translations(packages, codes))
    yield "multilingual", "\n".join(in_turn([translations(packages, [code]) for code in MIXED_LANGUAGES]))
    yield "rust", own_code()


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as packages:
        download(packages)
        for name, text in texts(Path(packages)):
            data = text.encode()[:LIMIT_BYTES].decode(errors="ignore").encode()
            (folder / name).with_suffix(".txt").write_bytes(data)


main()
