"""The rules that write operations of the IR in MIL."""

from __future__ import annotations

from kspec.compiler.table import Table
from kspec.targets.formats.coreml.emission import Rule
from kspec.targets.formats.coreml.rules import (
    elementwise,
    loop,
    neural,
    recurrent,
    reduction,
    shape,
    sorting,
)

RULES: Table[Rule] = (
    elementwise.RULES
    | neural.RULES
    | reduction.RULES
    | shape.RULES
    | sorting.RULES
    | recurrent.RULES
    | loop.RULES
)
