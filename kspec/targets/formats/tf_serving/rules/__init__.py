"""The rules that convert ops to TensorFlow: ``rule(op, *tensors) → tensor``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kspec.compiler.table import Table
from kspec.targets.formats.tf_serving.rules import (
    elementwise,
    loop,
    neural,
    reduction,
    shape,
    sorting,
    window,
)

Rule = Callable[..., Any]

RULES: Table[Rule] = (
    elementwise.rules
    | window.rules
    | neural.rules
    | reduction.rules
    | shape.rules
    | sorting.rules
    | loop.rules
)
