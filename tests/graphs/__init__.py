"""Every operation in several forms, as small graphs with random constants.

``GRAPHS`` has channels last and no symbolic dimension but "batch": what each format is held to.
``CHANNELS_FIRST`` is what only a format with the pass of that name sees; ``SYMBOLIC`` has a second
symbolic dimension, "time". ``RECURRENT`` and ``RECURRENT_SYMBOLIC`` are layers and loops over time.
"""

from __future__ import annotations

from tests.graphs import elementwise, neural, recurrent, shape, sorting, window
from tests.graphs.builder import Builder, Domain, GraphCase, feeds

GRAPHS = (*elementwise.CASES, *window.CASES, *neural.CASES, *shape.CASES, *sorting.CASES)
CHANNELS_FIRST = window.CHANNELS_FIRST
SYMBOLIC = shape.SYMBOLIC
RECURRENT = recurrent.RECURRENT
RECURRENT_SYMBOLIC = recurrent.RECURRENT_SYMBOLIC
ALL_GRAPHS = (*GRAPHS, *CHANNELS_FIRST, *SYMBOLIC)

__all__ = [
    "ALL_GRAPHS",
    "CHANNELS_FIRST",
    "GRAPHS",
    "RECURRENT",
    "RECURRENT_SYMBOLIC",
    "SYMBOLIC",
    "Builder",
    "Domain",
    "GraphCase",
    "feeds",
]
