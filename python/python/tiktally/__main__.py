"""The command `tiktally`."""

import signal
import sys

from ._tiktally import run_command


def main() -> int:
    """Runs the command with the arguments of this program, and returns the exit code."""
    # the native code does not look for signals
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_command(["tiktally", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
