"""tiktoken.model"""

from tiktally import encoding_for_model, encoding_name_for_model

__all__ = ["encoding_for_model", "encoding_name_for_model"]
