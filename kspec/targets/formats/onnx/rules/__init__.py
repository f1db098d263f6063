"""The rules that write ops as ONNX nodes."""

from __future__ import annotations

from kspec.compiler.table import Table
from kspec.targets.formats.onnx.emission import Rule
from kspec.targets.formats.onnx.rules import (
    elementwise,
    neural,
    recurrent,
    reduction,
    resize,
    shape,
    sorting,
)

RULES: Table[Rule] = (
    elementwise.rules
    | neural.rules
    | resize.rules
    | reduction.rules
    | shape.rules
    | sorting.rules
    | recurrent.rules
)
