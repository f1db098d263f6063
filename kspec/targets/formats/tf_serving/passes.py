"""The passes of the format."""

from __future__ import annotations

from kspec.compiler.passes import Pass
from kspec.compiler.passes.loops import loops

PASSES: tuple[Pass, ...] = (loops(lambda _node, _graph: False),)
