"""tiktoken_ext.openai_public: a function for each built-in encoding, which returns the arguments of `Encoding`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .registry import _parts

gpt2 = partial(_parts, "gpt2")
r50k_base = partial(_parts, "r50k_base")
p50k_base = partial(_parts, "p50k_base")
p50k_edit = partial(_parts, "p50k_edit")
cl100k_base = partial(_parts, "cl100k_base")
o200k_base = partial(_parts, "o200k_base")
o200k_harmony = partial(_parts, "o200k_harmony")

ENCODING_CONSTRUCTORS: dict[str, Callable[[], dict[str, Any]]] = {
    "gpt2": gpt2,
    "r50k_base": r50k_base,
    "p50k_base": p50k_base,
    "p50k_edit": p50k_edit,
    "cl100k_base": cl100k_base,
    "o200k_base": o200k_base,
    "o200k_harmony": o200k_harmony,
}
_NAMES = ("endoftext", "fim_prefix", "fim_middle", "fim_suffix", "endofprompt")
ENDOFTEXT, FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX, ENDOFPROMPT = (f"<|{name}|>" for name in _NAMES)
