"""The sitecustomize.py of tiktoken's own tests: puts tiktally in its place, also in the programs that they start."""

import tiktally.compat

tiktally.compat.install()
