"""How Keras' operations and layers become IR: one table, by class."""

from __future__ import annotations

from kspec.compiler.rules import activation, arithmetic, layers, neural, reduction, shape

RULES = (
    arithmetic.rules
    | activation.rules
    | neural.rules
    | reduction.rules
    | shape.rules
    | layers.rules
)
"""Class of a ``keras.ops`` operation or of a layer → function(tracer, operation, *arguments)."""
