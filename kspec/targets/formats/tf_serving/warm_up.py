"""Warm-up requests, which TensorFlow Serving sends itself after it has loaded a version.

The file is a TFRecord of `tensorflow.serving.PredictionLog`. The package with that message depends
on another TensorFlow, so its four nested messages are written here by their field numbers, from
apis/prediction_log.proto, apis/predict.proto and apis/model.proto of TensorFlow Serving.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from kspec.compiler.ir import Value
from kspec.features.pictures import golden_picture

FILE = "assets.extra/tf_serving_warmup_requests"
PREDICT_LOG, REQUEST, MODEL_SPEC, INPUTS, KEY, VALUE, SIGNATURE = 6, 1, 1, 2, 1, 2, 3
"""Field numbers, including key and value of a map's entry."""
_DELIMITED = 2

Inputs = Mapping[str, tensor_pb2.TensorProto]


def write_requests(path: Path, requests: Mapping[str, Inputs]) -> None:
    """Write one request per signature."""
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path)) as records:
        for signature, inputs in requests.items():
            records.write(prediction_log(signature, inputs))


def prediction_log(signature: str, inputs: Inputs) -> bytes:
    """Return a `PredictionLog` with a `PredictRequest` for the loaded model."""
    request = _field(MODEL_SPEC, _field(SIGNATURE, signature.encode()))
    for name, tensor in sorted(inputs.items()):
        entry = _field(KEY, name.encode()) + _field(VALUE, tensor.SerializeToString())
        request += _field(INPUTS, entry)
    return _field(PREDICT_LOG, _field(REQUEST, request))


def zeros(value: Value) -> tensor_pb2.TensorProto:
    """Return a row of zeros; one written value represents all elements. Raises ValueError for an
    input with symbolic dimensions other than the batch."""
    _, *sizes = value.shape
    if not all(isinstance(size, int) for size in sizes):
        raise ValueError(f"warm-up requests need every size of {value.name}, which has {sizes}")
    dtype = tf.as_dtype(value.dtype.value)
    tensor = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    for size in (1, *sizes):
        tensor.tensor_shape.dim.add(size=int(size))
    fields: Mapping[Any, Any] = {tf.int32: tensor.int_val, tf.int64: tensor.int64_val}
    fields.get(dtype, tensor.float_val).append(0)
    return tensor


def file_of(value: Value) -> tensor_pb2.TensorProto:
    """Return one picture of the input's size as a PNG."""
    height, width, _ = (int(size) for size in value.shape[1:])
    tensor = tensor_pb2.TensorProto(dtype=tf.string.as_datatype_enum)
    tensor.tensor_shape.dim.add(size=1)
    tensor.string_val.append(golden_picture(height, width))
    return tensor


def _field(number: int, content: bytes) -> bytes:
    """Return a length-delimited field: a message or text."""
    return _varint(number << 3 | _DELIMITED) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
