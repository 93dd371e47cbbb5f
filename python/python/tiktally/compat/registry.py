"""tiktoken.registry: the built-in encodings, and those of plugins.

A plugin is a module in the namespace package `tiktoken_ext` with a dict ENCODING_CONSTRUCTORS: names, and functions that
return the arguments of `Encoding`. Plugins are looked for when a name is not that of a built-in encoding.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import threading
from collections.abc import Callable, Sequence
from typing import Any

import tiktally
from tiktally.errors import UnknownEncoding

from .core import Encoding

__all__ = ["ENCODINGS", "ENCODING_CONSTRUCTORS", "get_encoding", "list_encoding_names"]

ENCODINGS: dict[str, Encoding] = {}
"""The encodings that were asked for. One that is put here is found by `get_encoding`."""

ENCODING_CONSTRUCTORS: dict[str, Callable[[], dict[str, Any]]] | None = None
"""The functions that return the arguments of each encoding, after plugins were looked for."""

_lock = threading.RLock()


def get_encoding(encoding_name: str) -> Encoding:
    """Returns the encoding with this name, built-in or of a plugin; the same object each time.

    Raises ValueError for any other name.
    """
    if not isinstance(encoding_name, str):
        raise ValueError(f"Expected a string in get_encoding, got {type(encoding_name)}")
    if encoding_name in ENCODINGS:
        return ENCODINGS[encoding_name]
    with _lock:
        if encoding_name in ENCODINGS:
            return ENCODINGS[encoding_name]
        try:
            encoding = tiktally.get_encoding(encoding_name)
        except UnknownEncoding as error:
            constructor = _constructors().get(encoding_name)
            if constructor is None:
                raise ValueError(f"{error}; plugins: {', '.join(_plugins()) or 'none'}") from None
            encoding = Encoding(**constructor())
            # its pickle is its name
            encoding.__dict__["_is_registered"] = True
        ENCODINGS[encoding_name] = encoding
        return encoding


def list_encoding_names() -> list[str]:
    """Returns the names of the built-in encodings and of those of plugins."""
    return list(_constructors())


def _find_constructors() -> None:
    """Looks for plugins. Code that adds to ENCODING_CONSTRUCTORS calls it first, although tiktoken does not document it."""
    _constructors()


def _constructors() -> dict[str, Callable[[], dict[str, Any]]]:
    global ENCODING_CONSTRUCTORS
    with _lock:
        if ENCODING_CONSTRUCTORS is not None:
            return ENCODING_CONSTRUCTORS
        found = {name: functools.partial(_parts, name) for name in tiktally.list_encoding_names()}
        constructors: dict[str, Callable[[], dict[str, Any]]] = dict(found)
        for plugin in _plugins():
            module = importlib.import_module(plugin)
            try:
                more = module.ENCODING_CONSTRUCTORS
            except AttributeError as error:
                raise ValueError(f"the tiktoken plugin {plugin} does not define ENCODING_CONSTRUCTORS") from error
            for name, constructor in more.items():
                if name in constructors:
                    raise ValueError(f"the tiktoken plugin {plugin} defines {name}, which exists already")
                constructors[name] = constructor
        ENCODING_CONSTRUCTORS = constructors
        return constructors


def _plugins() -> Sequence[str]:
    try:
        package = importlib.import_module("tiktoken_ext")
    except ImportError:
        return []
    modules = pkgutil.iter_modules(package.__path__, "tiktoken_ext.")
    # tiktoken's own encodings are built in here
    return [module.name for module in modules if module.name != "tiktoken_ext.openai_public"]


def _parts(name: str) -> dict[str, Any]:
    encoding = tiktally.get_encoding(name)
    return {
        "name": name,
        "pat_str": encoding._pat_str,
        "mergeable_ranks": encoding._mergeable_ranks,
        "special_tokens": encoding._special_tokens,
    }
