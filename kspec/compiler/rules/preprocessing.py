"""Rules for preprocessing layers that cannot be traced as written, although their backend can."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers
from keras.src.utils.numerical_utils import encode_categorical_inputs

from kspec.compiler import ops
from kspec.compiler.ir import Value
from kspec.compiler.rules.image import axes_of_pictures, known
from kspec.compiler.substitutes import Operations, traceable
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: preprocessing")


@rules(layers.Discretization)
def discretization(tracer: Tracer, layer: Any, inputs: Value) -> Any:
    """The encoded number of boundaries ≤ x"""
    if layer.bin_boundaries is None:
        raise tracer.error("it has no bin_boundaries: give them, or adapt it to data")
    boundaries = np.asarray(layer.bin_boundaries, np.float32)

    def formula(x: Any) -> Any:
        return encode_categorical_inputs(
            keras.ops.digitize(x, boundaries),
            output_mode=layer.output_mode,
            depth=len(boundaries) + 1,
            dtype=layer.output_dtype,
            sparse=layer.sparse,
            backend_module=Operations(),
        )

    return tracer.record(formula, inputs)


@rules(layers.Resizing)
def resizing(tracer: Tracer, layer: Any, inputs: Value, **_: Any) -> Any:
    """Resize; integers are rounded and limited to the range of their type, which Keras' symbols
    assume."""
    value = tracer.value(inputs)

    def formula(x: Any) -> Any:
        return keras.ops.image.resize(
            x,
            (layer.height, layer.width),
            interpolation=layer.interpolation,
            antialias=layer.antialias,
            crop_to_aspect_ratio=layer.crop_to_aspect_ratio,
            pad_to_aspect_ratio=layer.pad_to_aspect_ratio,
            fill_mode=layer.fill_mode,
            fill_value=layer.fill_value,
            data_format=layer.data_format,
        )

    result = tracer.record(formula, value)
    if result.dtype is value.dtype:
        return result
    if not value.dtype.is_float:
        result = tracer.emit(ops.Round(), result)
    return tracer.record(lambda x: keras.ops.saturate_cast(x, value.dtype.value), result)


@rules(layers.CenterCrop)
def center_crop(tracer: Tracer, layer: Any, inputs: Value, **_: Any) -> Any:
    """Crop the centre, or resize if the input is smaller; the sizes must be known."""
    value = tracer.value(inputs)
    for axis in axes_of_pictures(layer, value):
        known(tracer, value.shape[axis])
    with traceable(layer):
        return tracer.record(layer.call, value)
