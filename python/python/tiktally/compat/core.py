"""tiktoken.core"""

from tiktally import Encoding

__all__ = ["Encoding"]
