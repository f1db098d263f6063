"""Decoding of one raw cell of bytes to the values of an input, by the host steps of its kind."""

from __future__ import annotations

from typing import BinaryIO

from kspec.features.kinds import host_steps
from kspec.features.steps import Array
from kspec.schemas.base import Choice

Cell = bytes | BinaryIO
"""The content of a cell, or a stream over it."""


def read_cell(cell: Cell, kind: Choice) -> Array:
    """Return the values of one row, in the shape of the kind. Raises ValueError with the reason if
    the cell cannot be used."""
    first, *others = host_steps(kind)
    value: Array = first.apply(cell)
    for step in others:
        value = step.apply(value)
    return value


def look_at_cell(cell: Cell, kind: Choice) -> None:
    """Raise the ValueError of `read_cell` that the head of the cell already shows."""
    host_steps(kind)[0].look(cell)
