"""The import of TensorFlow without its log lines.

TensorFlow 2.21 writes about oneDNN and CUDA to stderr while it is imported, whatever
TF_CPP_MIN_LOG_LEVEL says (tensorflow/tensorflow#100442). They bypass Python's
streams; therefore the file descriptor itself is redirected during the import.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

CHATTER = re.compile(rb"(I\d{4} |[\d-]+ [\d:.]+: I |WARNING: All log messages before absl).*\n?")
"""Log lines of C++ at level INFO, and the line that announces them."""
STDERR = 2


class QuietFinder(MetaPathFinder):
    """Finds `tensorflow` as Python does, and removes its log lines while it is imported."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the spec of `tensorflow`, and None for any other module."""
        if fullname != "tensorflow":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader)
        return spec


class _QuietLoader(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with without_chatter():
            self._loader.exec_module(module)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Redirect stderr inside the block; afterwards write all other lines than `CHATTER`."""
    import tempfile

    sys.stderr.flush()
    kept = os.dup(STDERR)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, STDERR)
            os.close(kept)
            held.seek(0)
            rest = b"".join(line for line in held if not CHATTER.fullmatch(line))
            os.write(STDERR, rest)
