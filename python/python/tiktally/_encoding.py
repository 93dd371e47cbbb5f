"""The class Encoding: the native class and the methods that are easier to write in Python."""

from __future__ import annotations

import os

from . import _tiktally

# `typing`, `functools` and `array` would take most of the time of the import
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from functools import cached_property
    from typing import Any

    from ._arrays import TokenArray, TokenLists

    import numpy as np
    import numpy.typing as npt
else:

    class cached_property(property):
        """A property that is computed once for each object."""

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            name = self.fget.__name__
            if name not in instance.__dict__:
                instance.__dict__[name] = self.fget(instance)
            return instance.__dict__[name]


_decode_bytes = _tiktally.Encoding.decode_bytes
"""The native method, also for a subclass that overrides it."""


class Encoding(_tiktally.Encoding):
    """Turns text into ids and back.

    `Encoding("cl100k_base")` is a built-in encoding, as `get_encoding` returns it. With `pat_str`, `mergeable_ranks` and
    `special_tokens`, it is a custom one, as in tiktoken. `from_tokenizer_json`, `from_tekken_json` and
    `from_tiktoken_file` read the files of other models, and `extend` adds special tokens.

    >>> import tiktally
    >>> enc = tiktally.get_encoding("cl100k_base")
    >>> enc.encode_ordinary("hello world")
    [15339, 1917]
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # as in tiktoken, batches call the method of a subclass
        if cls.encode is not Encoding.encode and cls.encode_batch is Encoding.encode_batch:
            setattr(cls, "encode_batch", _encode_each)
        if (
            cls.encode_ordinary is not Encoding.encode_ordinary
            and cls.encode_ordinary_batch is Encoding.encode_ordinary_batch
        ):
            setattr(cls, "encode_ordinary_batch", _encode_ordinary_each)

    def __init__(
        self,
        name: str,
        *,
        pat_str: str | None = None,
        mergeable_ranks: dict[bytes, int] | None = None,
        special_tokens: dict[str, int] | None = None,
        explicit_n_vocab: int | None = None,
    ) -> None:
        if pat_str is None and mergeable_ranks is None and special_tokens is None and explicit_n_vocab is None:
            return self._set_built_in(name)
        if pat_str is None or mergeable_ranks is None:
            raise TypeError("a custom encoding needs pat_str and mergeable_ranks; a built-in one takes only its name")
        special_tokens = special_tokens or {}
        self._set_custom(name, pat_str, mergeable_ranks, special_tokens)
        tokens = len(mergeable_ranks) + len(special_tokens)
        if explicit_n_vocab and not explicit_n_vocab == tokens == self.n_vocab:
            raise AssertionError(
                f"explicit_n_vocab is {explicit_n_vocab}, but there are {tokens} tokens, "
                f"and the largest id is {self.max_token_value}"
            )

    @classmethod
    def from_tokenizer_json(
        cls, path: str | os.PathLike[str], *, name: str | None = None, special_tokens: Mapping[str, int] = {}
    ) -> Encoding:
        """Loads a Hugging Face `tokenizer.json` with byte-level BPE, such as that of Llama 3, Qwen or DeepSeek.

        The ids are those of the `tokenizers` library without its post-processor: `ids_before_text` and `ids_after_text` are
        what that adds. The name is that of the file, unless it is given. Raises OSError if the file cannot be read, and
        InvalidVocabulary if a part of it cannot be followed exactly.
        """
        return cls._from_file("tokenizer.json", path, name, special_tokens)

    @classmethod
    def from_tekken_json(
        cls, path: str | os.PathLike[str], *, name: str | None = None, special_tokens: Mapping[str, int] = {}
    ) -> Encoding:
        """Loads Mistral's `tekken.json`. Errors and the name are those of `from_tokenizer_json`."""
        return cls._from_file("tekken.json", path, name, special_tokens)

    @classmethod
    def from_tiktoken_file(
        cls,
        path: str | os.PathLike[str],
        *,
        pattern: str,
        name: str | None = None,
        special_tokens: Mapping[str, int] = {},
        config: str | os.PathLike[str] | None = None,
        sha256: str | None = None,
    ) -> Encoding:
        """Loads a rank file: each line has a token in base64 and its rank.

        `pattern` splits a text into pieces, as tiktoken's `pat_str`. `config` is a `tokenizer_config.json`, whose special
        tokens are added. `sha256` is the hash that the file must have. Errors and the name are those of
        `from_tokenizer_json`.
        """
        options = {"pattern": pattern, "sha256": sha256, "config": None if config is None else _bytes_of(config)}
        return cls._from_file("tiktoken", path, name, special_tokens, **options)

    @classmethod
    def _from_file(
        cls, kind: str, path: str | os.PathLike[str], name: str | None, special_tokens: Mapping[str, int], **options: Any
    ) -> Encoding:
        import hashlib

        path = os.path.abspath(path)
        name = os.path.basename(path) if name is None else name
        tokens = dict(special_tokens)
        data = _bytes_of(path)
        encoding = Encoding.__new__(cls)
        encoding._set_file(kind, name, data, tokens, **options)
        digest = hashlib.sha256(data).digest()

        def reduced() -> Any:
            # read again, because keeping it would take more memory than the encoding
            import pickle
            import zlib

            data = _bytes_of(path)
            if hashlib.sha256(data).digest() != digest:
                raise pickle.PicklingError(f"{path} has changed since {name} was made of it; load it again")
            return _of_file, (cls, kind, name, zlib.compress(data, 1), tokens, options)

        encoding.__dict__["_reduced"] = reduced
        return encoding

    def extend(self, name: str, special_tokens: Mapping[str, int]) -> Encoding:
        """Returns an encoding with more special tokens, which shares the vocabulary of this one.

        >>> import tiktally
        >>> chat = tiktally.get_encoding("cl100k_base").extend("cl100k_im", {"<|im_start|>": 100264})
        >>> chat.encode("<|im_start|>hello", allowed_special="all")
        [100264, 15339]
        """
        tokens = dict(special_tokens)
        encoding = Encoding.__new__(Encoding)
        encoding._set_extension(self, name, tokens)
        encoding.__dict__["_reduced"] = lambda: (_extended, (self, name, tokens))
        return encoding

    def __repr__(self) -> str:
        return f"<Encoding {self.name!r}>"

    @cached_property
    def _special_tokens(self) -> dict[str, int]:
        return dict(self._special_items())

    @cached_property
    def _mergeable_ranks(self) -> dict[bytes, int]:
        return dict(self._ranked_tokens())

    @cached_property
    def special_tokens_set(self) -> set[str]:
        """The texts of all special tokens."""
        return set(self._special_tokens)

    @cached_property
    def _special_token_values(self) -> set[int]:
        return set(self._special_tokens.values())

    @property
    def _core_bpe(self) -> Any:
        from .compat._tiktoken import CoreBPE

        return CoreBPE._of(self)

    def is_special_token(self, token: int) -> bool:
        """Returns whether the id is that of a special token."""
        assert isinstance(token, int)
        return token in self._special_token_values

    def encode_to_numpy(
        self, text: str, *, allowed_special: Any = frozenset(), disallowed_special: Any = "all"
    ) -> npt.NDArray[np.uint32]:
        """Returns the ids of a text as an array of NumPy, which cannot be written to. It needs NumPy."""
        import numpy as np

        ids = self._encode_to_bytes(
            text, allowed_special=allowed_special, disallowed_special=disallowed_special
        )
        return np.frombuffer(ids, dtype=np.uint32)

    def encode_array(
        self, text: str, *, allowed_special: Any = frozenset(), disallowed_special: Any = "all"
    ) -> TokenArray:
        """Returns the ids of a text as a TokenArray: as `encode`, but 4 bytes for each id and no Python objects.

        >>> import tiktally
        >>> tiktally.get_encoding("cl100k_base").encode_array("hello world")
        TokenArray([15339, 1917])
        """
        from ._arrays import TokenArray

        return TokenArray(
            self._encode_to_bytes(text, allowed_special=allowed_special, disallowed_special=disallowed_special)
        )

    def encode_batch_flat(
        self,
        texts: Iterable[str],
        *,
        num_threads: int = 0,
        allowed_special: Any = frozenset(),
        disallowed_special: Any = "all",
    ) -> TokenLists:
        """Returns the ids of many texts in one array, with the offsets of the texts.

        Zero threads are as many as the machine runs at once. For Arrow, `pyarrow.array` and `polars.Series` take the result,
        and copy no ids.
        """
        ids, offsets = self._encode_batch_to_bytes(
            texts,
            num_threads=num_threads,
            allowed_special=allowed_special,
            disallowed_special=disallowed_special,
        )
        from ._arrays import TokenLists

        return TokenLists(ids, offsets)

    def encode_ordinary_batch(self, text: Iterable[str], *, num_threads: int = 8) -> list[list[int]]:
        """Returns the ids of each text; special tokens are plain text."""
        return self.encode_batch(text, num_threads=num_threads, disallowed_special=())

    def encode_single_token(self, text_or_bytes: str | bytes) -> int:
        """Returns the id of the token with exactly this text. Special tokens count too."""
        if isinstance(text_or_bytes, str):
            text_or_bytes = text_or_bytes.encode("utf-8")
        return self._encode_single_token(text_or_bytes)

    def _encode_single_piece(self, text_or_bytes: str | bytes) -> list[int]:
        if isinstance(text_or_bytes, str):
            text_or_bytes = text_or_bytes.encode("utf-8")
        return self._encode_piece(text_or_bytes)

    def _encode_only_native_bpe(self, text: str) -> list[int]:
        # fails for surrogates, which `pieces` replaces
        str.encode(text, "utf-8")
        return [id for piece in self.pieces(text) for id in self._encode_single_piece(piece)]

    def decode(self, tokens: Sequence[int], errors: str = "replace") -> str:
        """Returns the text of a list of ids. `errors` says what becomes of invalid UTF-8, as in `bytes.decode`."""
        return _decode_bytes(self, tokens).decode("utf-8", errors=errors)

    def decode_tokens_bytes(self, tokens: Sequence[int]) -> list[bytes]:
        """Returns the bytes of each token."""
        return [self.decode_single_token_bytes(token) for token in tokens]

    def decode_batch(
        self, batch: Sequence[Sequence[int]], *, errors: str = "replace", num_threads: int = 8
    ) -> list[str]:
        """Returns the text of each list of ids. It uses one thread, whatever `num_threads` is."""
        return [self.decode(tokens, errors) for tokens in batch]

    def decode_bytes_batch(
        self, batch: Sequence[Sequence[int]], *, num_threads: int = 8
    ) -> list[bytes]:
        """Returns the bytes of each list of ids. It uses one thread, whatever `num_threads` is."""
        return [self.decode_bytes(tokens) for tokens in batch]

    def __copy__(self) -> Encoding:
        return self

    def __deepcopy__(self, memo: object) -> Encoding:
        return self

    def __reduce__(self) -> Any:
        if self._is_built_in:
            if type(self) is Encoding:
                return get_encoding, (self.name,)
            kept = {
                name: value
                for name, value in self.__dict__.items()
                if not isinstance(getattr(type(self), name, None), cached_property)
            }
            return _built_in_subclass, (type(self), self.name, kept)
        if self.__dict__.get("_is_registered"):
            return _registered, (self.name,)
        if "_reduced" in self.__dict__:
            # a file or a base can have more than the arguments of a custom encoding
            return self.__dict__["_reduced"]()
        return _new, (type(self),), self.__getstate__()

    def __getstate__(self) -> Any:
        return {
            "name": self.name,
            "pat_str": self._pat_str,
            "mergeable_ranks": self._mergeable_ranks,
            "special_tokens": self._special_tokens,
        }

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, str):
            # a pickle of tiktoken has the name of a registered encoding here
            other = _registered(state)
            self._set_same(other)
            self.__dict__.update(other.__dict__)
        else:
            # the method of a subclass, as in tiktoken
            self.__init__(**state)  # type: ignore[misc]


def _encode_each(self: Encoding, text: Iterable[str], *, num_threads: int = 0, **choice: Any) -> list[list[int]]:
    return [self.encode(one, **choice) for one in text]


def _encode_ordinary_each(self: Encoding, text: Iterable[str], *, num_threads: int = 8) -> list[list[int]]:
    return [self.encode_ordinary(one) for one in text]


def _new(kind: type[Encoding]) -> Encoding:
    return Encoding.__new__(kind)


def _extended(base: Encoding, name: str, special_tokens: dict[str, int]) -> Encoding:
    return base.extend(name, special_tokens)


def _of_file(
    cls: type[Encoding], kind: str, name: str, packed: bytes, tokens: dict[str, int], options: dict[str, Any]
) -> Encoding:
    import zlib

    encoding = _new(cls)
    encoding._set_file(kind, name, zlib.decompress(packed), tokens, **options)
    encoding.__dict__["_reduced"] = lambda: (_of_file, (cls, kind, name, packed, tokens, options))
    return encoding


def _built_in_subclass(kind: type[Encoding], name: str, attributes: dict[str, Any]) -> Encoding:
    encoding = _new(kind)
    encoding._set_same(get_encoding(name))
    encoding.__dict__.update(attributes)
    return encoding


def _registered(name: str) -> Encoding:
    from .compat import registry

    return registry.get_encoding(name)


def _bytes_of(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        return file.read()


_built_in: dict[str, Encoding] = {}


def get_encoding(encoding_name: str) -> Encoding:
    """Returns the built-in encoding with this name; the same object each time.

    Raises UnknownEncoding, which is a ValueError, for any other name.
    """
    if not isinstance(encoding_name, str):
        raise ValueError(f"Expected a string in get_encoding, got {type(encoding_name)}")
    if encoding_name not in _built_in:
        # of two threads at a time, the first one's object stays
        _built_in.setdefault(encoding_name, Encoding(encoding_name))
    return _built_in[encoding_name]


def encoding_for_model(model_name: str) -> Encoding:
    """Returns the encoding that a model uses.

    Raises UnknownModel, which is a KeyError, if no name and no prefix of a name matches.
    """
    return get_encoding(_tiktally.encoding_name_for_model(model_name))
