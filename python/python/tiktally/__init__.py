"""Exact, fast token counting: tiktoken's encodings without a network.

>>> import tiktally
>>> enc = tiktally.encoding_for_model("gpt-4o")
>>> enc.count("hello world")
2
>>> enc.encode("hello world")
[24912, 2375]
>>> enc.decode([24912, 2375])
'hello world'
"""

from ._encoding import Encoding, encoding_for_model, get_encoding
from ._memory import release_thread_cache
from ._tiktally import (
    StreamDecoder,
    StreamEncoder,
    TokenCounter,
    context_window,
    encoding_name_for_model,
    list_encoding_names,
    set_cache_bytes,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._arrays import TokenArray, TokenLists

__all__ = [
    "Encoding",
    "StreamDecoder",
    "StreamEncoder",
    "TokenArray",
    "TokenCounter",
    "TokenLists",
    "context_window",
    "encoding_for_model",
    "encoding_name_for_model",
    "get_encoding",
    "list_encoding_names",
    "release_thread_cache",
    "set_cache_bytes",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # the module `array` takes longer to import than all of this package
    if name in ("TokenArray", "TokenLists"):
        from . import _arrays

        return getattr(_arrays, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
