"""The kernels of MIL operations, by name; parameters have MIL's names."""

from __future__ import annotations

from collections.abc import Mapping

from kspec.targets.formats.coreml.evaluator.kernels import (
    elementwise,
    neural,
    recurrent,
    reduction,
    shape,
    sorting,
)
from kspec.targets.formats.coreml.evaluator.kernels.elementwise import Kernel

KERNELS: Mapping[str, Kernel] = (
    elementwise.KERNELS
    | neural.KERNELS
    | reduction.KERNELS
    | shape.KERNELS
    | sorting.KERNELS
    | recurrent.KERNELS
)
