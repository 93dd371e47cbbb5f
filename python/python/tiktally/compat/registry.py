"""tiktoken.registry"""

from tiktally import get_encoding, list_encoding_names

__all__ = ["get_encoding", "list_encoding_names"]
