"""The command line: every command parses, calls one function, prints, and ends with a code.

0 done · 1 a gate, parity or training failed · 2 wrong spec or usage · 3 the environment · 70 a
bug of kspec's · 130 or 143 interrupted.
"""

import os
import sys


def main() -> None:
    """The console script."""
    # Read by TensorFlow when it is first imported, here or in a child process.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from kspec.commands.app import app
    from kspec.commands.quiet import QuietFinder

    sys.meta_path.insert(0, QuietFinder())

    app(prog_name="kspec")
