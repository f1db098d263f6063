"""The rules that write operations of the IR as builtin operators of TFLite."""

from __future__ import annotations

from kspec.compiler.table import Table
from kspec.targets.formats.tflite.program import Rule
from kspec.targets.formats.tflite.rules import (
    convolution,
    elementwise,
    pooling,
    product,
    recurrent,
    reduction,
    shape,
    sorting,
    transposed,
)

RULES: Table[Rule] = (
    elementwise.rules
    | shape.rules
    | sorting.rules
    | reduction.rules
    | product.rules
    | convolution.rules
    | transposed.rules
    | pooling.rules
    | recurrent.rules
)
"""The rules by class of operation."""
