"""The memory that threads keep."""

from . import _tiktally


def release_thread_cache() -> None:
    """Frees the memory that this thread, and the threads of batches, keep for encoding and counting.

    With glibc, it also returns the freed memory of the process to the system, which takes milliseconds.
    """
    _tiktally.release_thread_cache()
    import ctypes

    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return
    trim(0)
