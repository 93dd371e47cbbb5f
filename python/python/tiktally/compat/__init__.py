"""tiktoken's API: `import tiktally.compat as tiktoken`.

`install()` puts this module in the place of tiktoken for libraries that import it themselves.
"""

import importlib
import sys
import types

from . import _tiktoken, core, load, model, openai_public, registry
from .core import Encoding
from .model import encoding_for_model, encoding_name_for_model
from .registry import get_encoding, list_encoding_names

__all__ = [
    "Encoding",
    "encoding_for_model",
    "encoding_name_for_model",
    "get_encoding",
    "install",
    "list_encoding_names",
]
__version__ = "0.14.0"


def install() -> None:
    """Makes `import tiktoken` import this module.

    Call it before anything imports tiktoken; it raises RuntimeError otherwise, because there would be two classes `Encoding`.

    >>> import tiktally.compat
    >>> tiktally.compat.install()
    >>> import tiktoken
    >>> tiktoken.get_encoding("cl100k_base").encode("hello world")
    [15339, 1917]
    """
    this = importlib.import_module(__name__)
    if sys.modules.get("tiktoken", this) is not this:
        raise RuntimeError(
            "tiktoken is imported already; call tiktally.compat.install() before any import of a library that uses it"
        )
    sys.modules["tiktoken"] = this
    for part in (_tiktoken, core, load, model, registry):
        sys.modules[f"tiktoken.{part.__name__.rpartition('.')[2]}"] = part
    try:
        plugins = importlib.import_module("tiktoken_ext")
    except ImportError:
        plugins = types.ModuleType("tiktoken_ext")
        plugins.__path__ = []
        sys.modules["tiktoken_ext"] = plugins
    sys.modules["tiktoken_ext.openai_public"] = openai_public
    setattr(plugins, "openai_public", openai_public)
