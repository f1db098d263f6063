"""The table of lowering rules, by class of Keras operation or layer."""

from __future__ import annotations

from kspec.compiler.rules import (
    activation,
    arithmetic,
    attention,
    control,
    creation,
    decided,
    einsum,
    elementary,
    filters,
    image,
    indexing,
    layers,
    lookups,
    neural,
    normalization,
    patches,
    preprocessing,
    products,
    recurrent,
    reduction,
    scattering,
    shape,
    signal,
    slicing,
    sorting,
    statistics,
)

RULES = (
    arithmetic.rules
    | activation.rules
    | neural.rules
    | normalization.rules
    | reduction.rules
    | shape.rules
    | layers.rules
    | lookups.rules
    | recurrent.rules
    | elementary.rules
    | einsum.rules
    | attention.rules
    | control.rules
    | creation.rules
    | decided.rules
    | image.rules
    | filters.rules
    | indexing.rules
    | slicing.rules
    | patches.rules
    | preprocessing.rules
    | products.rules
    | scattering.rules
    | signal.rules
    | sorting.rules
    | statistics.rules
)
"""Class of a ``keras.ops`` operation or of a layer → function(tracer, operation, *arguments)."""

CALLS = attention.calls
"""Class of a layer that is traced → function(tracer, layer, *arguments) that records its call."""
