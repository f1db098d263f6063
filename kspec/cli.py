"""The command line: every command parses, calls one function, prints, and ends with a code.

0 done · 1 a gate, parity or training failed · 2 wrong spec or usage · 3 the environment · 70 a
bug of kspec's · 130 or 143 interrupted.
"""

import gc
import os
import sys

OBJECTS = 200_000
"""New objects between two searches for garbage. Loading modules creates many objects and hardly any
garbage; at Python's default of 700, the searches take a tenth of the start-up."""


def main() -> None:
    """The console script."""
    gc.set_threshold(OBJECTS, 30, 30)
    # Read by TensorFlow when it is first imported, here or in a child process.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Pydantic would search all installed packages for plug-ins, which may change its validators.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from kspec.commands.app import app
    from kspec.commands.quiet import QuietFinder

    sys.meta_path.insert(0, QuietFinder())

    try:
        app(prog_name="kspec")
    finally:
        gc.freeze()  # or the last search, when the interpreter ends, visits all that was loaded
