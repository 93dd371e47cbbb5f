"""The conftest.py of tiktoken's own tests: puts tiktally in its place."""

import tiktally.compat

tiktally.compat.install()
