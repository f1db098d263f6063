"""Random networks over the layers of the spec."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from kspec.schemas.layers import LAYERS, Shape, ShapeError
from kspec.schemas.network import Step
from tests.cases import CASES
from tests.conformance.expected import refusal
from tests.fuzz.arguments import RANKS, arguments
from tests.fuzz.network import TIME, Network, Node, Source

REFUSED_ALWAYS = frozenset(
    key for key in LAYERS if all(refusal(c.id, "onnx") for c in CASES if c.key == key)
)
"""Layers without a case that compiles."""
WHOLE = frozenset(case.key for case in CASES if case.below is not None)
"""Layers with whole numbers as input."""
GREATEST = 3000
"""The largest number of values in one row of a step's output."""

SHAPES: tuple[Shape, ...] = (
    (6,), (7, 4), (5, 3), ("time", 4), (6, 5, 3), (8, 8, 2), (5, 4, 1), (3, 4, 5, 2),
)  # fmt: skip


@st.composite
def networks(draw: st.DrawFn, largest: int = 12) -> Network:
    """Draw a network of at most ``largest`` steps. Each takes earlier values; an unused value is an
    output."""
    values = [draw(inputs(f"x{place}")) for place in range(draw(st.integers(1, 3)))]
    taken_in = list(values)
    nodes: list[Node] = []
    for place in range(draw(st.integers(1, largest))):
        step = draw(steps(f"n{place}", values))
        if step is not None:
            nodes.append(step[0])
            values.append(step[1])
    if not nodes:
        shape = values[0].shape
        nodes = [Node("n0", "identity", {}, (values[0].name,))]
        values.append(Source("n0", shape, values[0].below))
    read = {name for node in nodes for name in node.sources}
    outputs = [node.name for node in nodes if node.name not in read]
    inner = [node.name for node in nodes if node.name in read]
    if inner and draw(st.booleans()):
        outputs.append(draw(st.sampled_from(inner)))
    used = tuple(source for source in taken_in if source.name in read)
    return Network(used, tuple(nodes), tuple(outputs), draw(st.integers(0, 999)))


@st.composite
def inputs(draw: st.DrawFn, name: str) -> Source:
    if draw(st.integers(0, 5)) == 0:
        return Source(name, draw(st.sampled_from([(5,), (3, 4), ("time",)])), 7)
    return Source(name, draw(st.sampled_from(SHAPES)))


@st.composite
def steps(draw: st.DrawFn, name: str, values: Sequence[Source]) -> tuple[Node, Source] | None:
    """Draw a layer for the first of its values; None if its arguments do not fit."""
    first = draw(st.sampled_from(values[-4:]))
    rank = len(first.shape)
    keys = [
        key for key in LAYERS if rank in RANKS[key] and (key in WHOLE) == (first.below is not None)
    ]
    keys = [key for key in keys if key not in REFUSED_ALWAYS]
    if not keys:
        return None
    cls = LAYERS[draw(st.sampled_from(keys))]
    taken = [first, *draw(others(first, values))] if cls.arity == "many" else [first]
    written: Any = draw(arguments(cls, first.shape))
    if first.below is not None and isinstance(written, dict):
        limit = {"num_tokens", "input_dim"} & cls.model_fields.keys()
        written = {**written, **dict.fromkeys(limit, first.below)}
    elif first.below is not None and cls.key != "identity":
        written = first.below
    try:
        layer = Step.model_validate({cls.key: written}).layer
        shape = layer.output_shape(tuple(source.shape for source in taken))
    except (ValidationError, ShapeError):
        return None
    sizes = [TIME if isinstance(size, str) else size for size in shape]
    if None in sizes or not 1 <= math.prod(sizes) <= GREATEST or len(sizes) > 5:
        return None
    if any(not isinstance(size, int) for size in shape[1:]):
        return None
    whole = getattr(layer, "output_mode", None) == "int"
    below = len(getattr(layer, "bin_boundaries", ())) + 1 if whole else None
    below = first.below if cls.key == "identity" else below
    node = Node(name, cls.key, written, tuple(source.name for source in taken))
    return node, Source(name, shape, below)


@st.composite
def others(draw: st.DrawFn, first: Source, values: Sequence[Source]) -> list[Source]:
    """Draw one or two further inputs for a layer with several inputs, most often of the same
    shape."""
    alike = [each for each in values if each.shape == first.shape and each.below is None]
    real = [each for each in values if each.below is None]
    pool = real if draw(st.integers(0, 3)) == 0 else alike
    return draw(st.lists(st.sampled_from(pool), min_size=1, max_size=2))
