"""Masks, carried from layer to layer as ``Layer.__call__`` of Keras carries them.

A mask belongs to a value. A layer receives its inputs' masks if its ``call`` accepts a mask. Its
output carries the mask that ``compute_mask`` returns; without one, the mask is dropped. Operations
that are not layers drop it as well.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
from keras import tree
from keras.src.utils.python_utils import is_default

from kspec.compiler.ir import Value

Compute = Callable[..., Any]
"""``Layer.compute_mask``"""
Record = Callable[..., Any]
"""``Tracer.record``"""


class Masks:
    """The masks of values, by the value's name."""

    def __init__(self) -> None:
        self._by_name: dict[str, Value] = {}

    def __call__(self, given: Any) -> Any:
        """Return the masks of values, in the structure of the argument; None without a mask."""
        return tree.map_structure(
            lambda each: self._by_name.get(each.name) if isinstance(each, Value) else None, given
        )

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Value) and value.name in self._by_name

    def arguments(self, layer: keras.Layer, args: Any, kwargs: Any) -> dict[str, Any]:
        """Return the mask arguments to add to a call of the layer with ``args`` and ``kwargs``."""
        if not self._by_name or isinstance(layer, keras.Function | keras.Sequential):
            return {}
        bound = inspect.signature(layer.call).bind(*args, **kwargs)
        bound.apply_defaults()
        tensors = {name: each for name, each in bound.arguments.items() if _is_tensor(each)}
        wanted = dict.fromkeys(tensors, "mask")
        if len(tensors) > 1:
            wanted = {name: f"{name}_mask" for name in tensors}
        missing = {
            mask: self(tensors[name])
            for name, mask in wanted.items()
            if mask in bound.arguments and bound.arguments[mask] is None
        }
        return {name: mask for name, mask in missing.items() if _any(mask)}

    def previous(self, layer: keras.Layer, args: Any, kwargs: Any) -> Any:
        """Return the masks of a layer's inputs before its call, or its ``mask`` argument."""
        if not self._by_name:
            return None
        given = kwargs.get("mask")
        bound = inspect.signature(layer.call).bind(*args, **kwargs)
        return self(next(iter(bound.arguments.values()))) if given is None else given

    def drop(self, *given: Any) -> None:
        """Remove the masks of values."""
        for each in given:
            if isinstance(each, Value):
                self._by_name.pop(each.name, None)

    def settle(
        self,
        layer: keras.Layer,
        args: Any,
        kwargs: Any,
        results: Any,
        before: Any,
        record: Record,
    ) -> None:
        """Set the masks of a layer's results; ``before`` is the result of ``previous``."""
        outputs = tree.flatten(results)
        if not layer.supports_masking or all(each in self for each in outputs):
            return
        bound = inspect.signature(layer.call).bind(*args, **kwargs)
        first = next(iter(bound.arguments.values()))
        compute = _rule(layer, bound.arguments)
        masks = _after(layer, compute, first, before, record)
        for value, mask in zip(outputs, masks, strict=False):
            if isinstance(value, Value) and isinstance(mask, Value):
                self._by_name.setdefault(value.name, mask)


def _rule(layer: keras.Layer, arguments: Mapping[str, Any]) -> Compute:
    """Return ``compute_mask``; for a ReversibleEmbedding in forward direction, Embedding's."""
    if isinstance(layer, keras.layers.ReversibleEmbedding) and not arguments.get("reverse"):
        return partial(keras.layers.Embedding.compute_mask, layer)
    return layer.compute_mask


def _after(
    layer: keras.Layer, compute: Compute, first: Any, before: Any, record: Record
) -> list[Value | None]:
    """Return the masks of the layer's outputs, in order."""
    if is_default(layer.compute_mask):
        return tree.flatten(before) if _any(before) else []
    if not _any(before) and not _makes_masks(layer):
        return []
    there: list[bool] = []

    def masks(first: Any, before: Any) -> list[Any]:
        found = tree.flatten(compute(first, before))
        there.extend(each is not None for each in found)
        return [tree.flatten(first)[0], *(each for each in found if each is not None)]

    _, *found = record(masks, first, before)
    rest = iter(found)
    return [next(rest) if each else None for each in there]


def _makes_masks(layer: keras.Layer) -> bool:
    if isinstance(layer, keras.layers.Embedding):
        return bool(layer.mask_zero)
    of_keras = type(layer).__module__.startswith("keras.src.layers.")
    return isinstance(layer, keras.layers.Masking) or not of_keras


def _is_tensor(given: Any) -> bool:
    flat = tree.flatten(given)
    return any(isinstance(each, Value) for each in flat) and all(
        each is None or isinstance(each, Value) for each in flat
    )


def _any(masks: Any) -> bool:
    return any(isinstance(each, Value) for each in tree.flatten(masks))
