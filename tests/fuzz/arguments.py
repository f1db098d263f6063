"""Random arguments of a layer, from the fields of its model.

A field is drawn by its name (`BY_NAME`), or else by its type: a bool, one of several words, an
activation. What only training sees keeps its default. A layer with a field that must be written
and that neither knows (an equation, a layer inside) takes the arguments of one of its cases.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from kspec.schemas.layers import LAYERS, Layer, Shape
from tests.cases import CASES

Drawn = st.SearchStrategy[Any]

TRAINING = frozenset(
    {
        "rate", "stddev", "seed", "noise_shape", "momentum", "renorm", "renorm_clipping",
        "renorm_momentum", "l1", "l2", "dropout", "recurrent_dropout", "power_iterations",
        "unit_forget_bias", "stateful", "return_state",
    }
)  # fmt: skip
"""Fields without a meaning at inference; those that must be written are half."""


def small(largest: int) -> Callable[[Shape], Drawn]:
    return lambda _shape: st.integers(1, largest)


def each_axis(largest: int) -> Callable[[Shape], Drawn]:
    """One number for all spatial axes, or one for each."""

    def draw(shape: Shape) -> Drawn:
        one = st.integers(1, largest)
        rank = max(len(shape) - 1, 1)
        return one | st.lists(one, min_size=rank, max_size=rank)

    return draw


def margins(shape: Shape) -> Drawn:
    """Before and after each spatial axis."""
    one = st.integers(0, 2)
    pair = st.lists(one, min_size=2, max_size=2)
    if len(shape) == 2:
        return one | pair
    return one | st.lists(pair, min_size=len(shape) - 1, max_size=len(shape) - 1)


def divisors(shape: Shape) -> Drawn:
    last = shape[-1]
    return st.sampled_from([n for n in range(1, last + 1) if last % n == 0]) if last else st.just(1)


def axes(shape: Shape) -> Drawn:
    """Some axes, counted from one end."""
    rank = len(shape)
    chosen = st.lists(st.integers(1, rank), min_size=1, max_size=rank, unique=True)
    return chosen | chosen.map(lambda axes: [-axis for axis in axes])


def axis(shape: Shape) -> Drawn:
    rank = len(shape)
    return st.integers(1, rank) | st.integers(-rank, -1)


def factors(shape: Shape) -> Drawn:
    """Shapes with as many values; perhaps one is left to be worked out."""
    sizes = [size for size in shape if isinstance(size, int)]
    total = math.prod(sizes)
    divisible = [n for n in range(1, total + 1) if total % n == 0] or [1]

    @st.composite
    def draw(draw: st.DrawFn) -> list[int]:
        first = draw(st.sampled_from(divisible))
        rest = total // first
        second = draw(st.sampled_from([n for n in divisible if rest % n == 0]))
        parts = draw(st.sampled_from([[total], [first, rest], [first, second, rest // second]]))
        if draw(st.booleans()) or len(sizes) < len(shape):
            parts[draw(st.integers(0, len(parts) - 1))] = -1
        return parts

    return draw()


def orders(shape: Shape) -> Drawn:
    return st.permutations(range(1, len(shape) + 1)).map(list)


def numbers(*choices: float | None) -> Callable[[Shape], Drawn]:
    return lambda _shape: st.sampled_from(choices)


def each_channel(*choices: float) -> Callable[[Shape], Drawn]:
    """One number for all, or one for each place of the last axis."""

    def draw(shape: Shape) -> Drawn:
        one, last = st.sampled_from(choices), shape[-1] if shape else None
        if not isinstance(last, int):
            return one
        return one | st.lists(one, min_size=last, max_size=last)

    return draw


BY_NAME: Mapping[str, Callable[[Shape], Drawn]] = {
    **dict.fromkeys(("units", "output_dim", "key_dim", "value_dim", "n"), small(5)),
    **dict.fromkeys(("kernel_size", "strides", "pool_size", "output_size"), each_axis(3)),
    "alpha": numbers(1.0, 0.5, 2.0),
    "axes": lambda shape: axis(shape) | st.lists(axis(shape), min_size=2, max_size=2),
    "bin_boundaries": lambda _: st.just([-1.0, 0.25, 1.5]),
    "cropping": margins,
    "depth_multiplier": small(2),
    "dilation_rate": lambda shape: st.just(1) | st.just(1) | each_axis(2)(shape),
    "dims": orders,
    "epsilon": numbers(0.001, 0.01, 0.1),
    "filters": lambda _: st.sampled_from([1, 2, 3, 4, 6]),
    "groups": divisors,
    "head_dim": small(4),
    "height": small(7),
    "input_dim": small(9),
    "logit_soft_cap": numbers(None, 2.0),
    "mask_value": numbers(0.0),
    "max_value": numbers(None, None, 1.0, 6.0),
    "mean": lambda _: st.none(),
    "negative_slope": numbers(0.0, 0.1, 0.3),
    "num_heads": small(3),
    "num_key_value_heads": small(2),
    "num_query_heads": lambda _: st.sampled_from([2, 4]),
    "num_tokens": small(9),
    "offset": each_channel(0.0, 0.5, -1.0),
    "output_padding": lambda shape: st.none() | each_axis(2)(shape),
    "output_sizes": lambda _: st.none(),
    "scale": each_channel(0.5, 2.0, -1.5),
    "shared_axes": lambda shape: st.none() | axes(shape).filter(lambda found: found[0] > 0),
    "size": each_axis(3),
    "sliding_window": numbers(None, 1, 2),
    "target_shape": factors,
    "threshold": numbers(0.0, 0.5),
    "variance": lambda _: st.none(),
    "width": small(7),
}

BY_LAYER: Mapping[tuple[str, str], Callable[[Shape], Drawn]] = {
    **{(key, "axis"): axis for key in ("batch_normalization", "group_normalization")},
    ("concatenate", "axis"): axis,
    ("normalization", "axis"): lambda shape: st.none() | axes(shape),
    ("group_normalization", "groups"): lambda shape: st.just(-1) | divisors(shape),
    **{(key, "padding"): margins for key in ("zero_padding1d", "zero_padding2d", "zero_padding3d")},
    **{
        (key, "axis"): axes
        for key in ("layer_normalization", "rms_normalization", "unit_normalization", "softmax")
    },
    **{(key, "size"): small(3) for key in ("up_sampling1d",)},
    ("multi_head_attention", "attention_axes"): lambda shape: st.none(),
}


def by_field(key: str, name: str, field: FieldInfo, shape: Shape) -> Drawn | None:
    """How a field is drawn; None where nothing is known of it."""
    kinds = set(_words(field.annotation))
    if (key, name) in BY_LAYER:
        return BY_LAYER[key, name](shape)
    if kinds == {bool}:
        return st.booleans()
    if name in BY_NAME:
        return BY_NAME[name](shape)
    if kinds and all(isinstance(kind, str | None) for kind in kinds):
        return st.sampled_from(sorted(kinds, key=str))
    return None


def arguments(layer: type[Layer], shape: Shape) -> Drawn:
    """Arguments as in YAML, which the model or the shapes may still refuse."""
    known: dict[str, Drawn] = {}
    for name, field in layer.model_fields.items():
        if name in TRAINING:
            drawn = st.just(0.5) if field.is_required() else None
        else:
            drawn = by_field(layer.key, name, field, shape)
        if drawn is None and field.is_required():
            return of_cases(layer.key)
        if drawn is not None:
            known[field.alias or name] = drawn
    needed = {
        name: drawn
        for name, drawn in known.items()
        if any((f.alias or n) == name and f.is_required() for n, f in layer.model_fields.items())
    }
    chosen = {name: drawn for name, drawn in known.items() if name not in needed}
    free = st.fixed_dictionaries(needed, optional=chosen)
    return free | of_cases(layer.key) if layer.key in CASE_KEYS else free


def of_cases(key: str) -> Drawn:
    return st.sampled_from([case.arguments for case in CASES if case.key == key])


CASE_KEYS = frozenset(case.key for case in CASES)
RANKS: Mapping[str, frozenset[int]] = {
    key: frozenset(len(case.shapes[0]) for case in CASES if case.key == key) for key in LAYERS
}
"""Numbers of axes that a layer takes, as its cases show."""


def _words(annotation: Any) -> list[Any]:
    """The words of a Literal, None of an optional; a type by itself."""
    if annotation is None or annotation is type(None):
        return [None]
    origin = get_origin(annotation)
    if origin is Annotated:
        return _words(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [word for part in get_args(annotation) for word in _words(part)]
    return list(get_args(annotation)) if origin is Literal else [annotation]
