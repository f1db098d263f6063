"""How each operation of the IR is written in builtin operators of TFLite, by family."""

from __future__ import annotations

from kspec.compiler.table import Table
from kspec.targets.formats.tflite.program import Rule
from kspec.targets.formats.tflite.rules import (
    convolution,
    einsum,
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
    | einsum.rules
    | convolution.rules
    | transposed.rules
    | pooling.rules
    | recurrent.rules
)
"""Op class → function(op, node, emitter). A test may join a table of its own to replace a rule."""
