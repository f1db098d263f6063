"""Rules for layers that look up integers in a vocabulary. Text layers are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import layers
from keras.src.utils.numerical_utils import encode_categorical_inputs

from kspec.compiler import ops
from kspec.compiler.ir import Array, DType, Value
from kspec.compiler.rules.arithmetic import cast
from kspec.compiler.substitutes import Operations
from kspec.compiler.table import Table

if TYPE_CHECKING:
    from kspec.compiler.tracer import Tracer

rules: Table[Callable[..., Any]] = Table("trace: lookups")

MOST_COMPARED = 1024
"""Greatest number of keys compared one by one; more keys need a table over their whole range."""
MOST_TABLED = 1 << 22

rules.refuse(
    "it works on text, which no artifact computes; call it on the data before the model, and give "
    "the model its results",
    layers.StringLookup,
    layers.TextVectorization,
)
rules.refuse(
    "it hashes the digits of a number as text, which no artifact computes; use IntegerLookup, or "
    "call it on the data before the model",
    layers.Hashing,
    layers.HashedCrossing,
)


@rules(layers.IntegerLookup)
def integer_lookup(tracer: Tracer, layer: Any, inputs: Any) -> Any:
    """The encoded index of a number in the vocabulary. If the layer has no index for unknown
    numbers, they get -1, where Keras raises an error. Indices are int64, as in Keras, for int64
    numbers, otherwise int32."""
    x = tracer.value(inputs)
    if x.dtype is not DType.int32:
        x = cast(tracer, x, DType.int64)
    keys, found = (np.asarray(each.numpy(), np.int64) for each in layer.lookup_table.export())
    default = int(layer._default_value)  # noqa: SLF001
    if layer.mask_token is not None:
        mask_key, mask_value = int(layer._mask_key), int(layer._mask_value)  # noqa: SLF001
        kept = keys != mask_key
        keys, found = np.append(keys[kept], mask_key), np.append(found[kept], mask_value)
    places, known = _looked_up(tracer, layer, x, keys, found)
    if layer.invert or layer.num_oov_indices <= 1:
        other = tracer.value(places.dtype.numpy.type(default))
    else:
        other = _others(tracer, layer, x, places.dtype)
    places = tracer.emit(ops.Where(), known, places, other)
    return _encoded(tracer, layer, places, x.dtype)


def _looked_up(
    tracer: Tracer, layer: Any, x: Value, keys: Array, found: Array
) -> tuple[Value, Value]:
    """Return the index of each number, and whether the number is a key."""
    if x.dtype is DType.int32:
        inside = (keys >= np.iinfo(np.int32).min) & (keys <= np.iinfo(np.int32).max)
        keys, found = keys[inside], found[inside]
    kind = x.dtype.numpy
    if (np.abs(found) <= np.iinfo(np.int32).max).all():
        found = found.astype(np.int32)
    if not keys.size:
        nothing = tracer.value(np.zeros((), np.int32))
        return nothing, tracer.emit(ops.NotEqual(), x, x)
    if keys.size <= MOST_COMPARED:
        wide = tracer.emit(ops.Reshape((*x.shape, 1)), x)
        same = tracer.emit(ops.Equal(), wide, tracer.value(keys.astype(kind), "keys"))
        shares = cast(tracer, same, DType(found.dtype.name))
        product = tracer.emit(ops.Multiply(), shares, tracer.value(found, "places"))
        axis = (x.type.rank,)
        return tracer.emit(ops.Sum(axis), product), tracer.emit(ops.Any(axis), same)
    low, high = int(keys.min()), int(keys.max())
    if high - low > MOST_TABLED:
        raise tracer.error(
            f"{layer.name}: a vocabulary of {keys.size:,} numbers from {low:,} to {high:,} is too "
            f"wide; at most {MOST_COMPARED:,} numbers, or a range of {MOST_TABLED:,}, are compiled"
        )
    table, there = np.zeros(high - low + 1, found.dtype), np.zeros(high - low + 1, bool)
    table[keys - low], there[keys - low] = found, True
    first, last = (tracer.value(np.asarray(each, kind)) for each in (low, high))
    within = tracer.emit(ops.Minimum(), tracer.emit(ops.Maximum(), x, first), last)
    at = cast(tracer, tracer.emit(ops.Subtract(), within, first), DType.int32)
    known = tracer.emit(
        ops.LogicalAnd(),
        tracer.emit(ops.Equal(), within, x),
        tracer.emit(ops.Gather(0), tracer.value(there, "there"), at),
    )
    return tracer.emit(ops.Gather(0), tracer.value(table, "table"), at), known


def _others(tracer: Tracer, layer: Any, x: Value, dtype: DType) -> Value:
    """Return the index of an unknown number among several: its remainder."""
    if layer.oov_method == "farmhash":
        raise tracer.error("its `oov_method` hashes the digits of a number as text; use floormod")
    count = tracer.value(np.asarray(layer.num_oov_indices, x.dtype.numpy))
    rest = cast(tracer, tracer.emit(ops.Remainder(), x, count), dtype)
    start = tracer.value(dtype.numpy.type(layer._oov_start_index()))  # noqa: SLF001
    return tracer.emit(ops.Add(), rest, start)


def _encoded(tracer: Tracer, layer: Any, places: Value, dtype: DType) -> Any:
    mode, weights = layer.output_mode, None
    if mode == "int":
        return cast(tracer, places, dtype)
    if mode == "tf_idf":
        mode, weights = "count", np.asarray(layer.idf_weights_const)
    depth = layer.max_tokens if layer.pad_to_max_tokens else layer.vocabulary_size()

    def formula(x: Any) -> Any:
        encoded = encode_categorical_inputs(
            x,
            output_mode=mode,
            depth=int(depth),
            dtype=layer._value_dtype,  # noqa: SLF001
            sparse=False,
            backend_module=Operations(),
        )
        return encoded if weights is None else encoded * weights

    return tracer.record(formula, places)
