"""The converters that people use today, each from a built Keras model to a file on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def onnx(model: Any, path: Path) -> None:
    """tf2onnx, from a function."""
    import tensorflow as tf
    import tf2onnx

    function = tf.function(lambda *inputs: _call(model, inputs))
    tf2onnx.convert.from_function(
        function, input_signature=_signature(model, None), opset=18, output_path=str(path)
    )


def coreml(model: Any, path: Path) -> None:
    """coremltools' TensorFlow front end, to an ML Program in float32."""
    import coremltools
    import tensorflow as tf

    signature = _signature(model, 1)
    function = tf.function(lambda *inputs: _call(model, inputs), input_signature=signature)
    converted = coremltools.convert(
        [function.get_concrete_function()],
        source="tensorflow",
        convert_to="mlprogram",
        minimum_deployment_target=coremltools.target.iOS16,
        compute_precision=coremltools.precision.FLOAT32,
    )
    converted.save(str(path))


def tflite(model: Any, path: Path) -> None:
    """TensorFlow's converter, builtin operators alone."""
    import tensorflow as tf

    signature = _signature(model, 1)
    function = tf.function(lambda *inputs: _call(model, inputs), input_signature=signature)
    concrete = function.get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())


def tf_serving(model: Any, path: Path) -> None:
    """Keras' ExportArchive, with the function that ``model.export`` gives it."""
    import keras

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default",
        lambda *inputs: _call(model, inputs),
        input_signature=_signature(model, None),
    )
    archive.write_out(str(path / "1"), verbose=False)


PEERS: Mapping[str, Callable[[Any, Path], None]] = {
    "onnx": onnx,
    "coreml": coreml,
    "tflite": tflite,
    "tf_serving": tf_serving,
}

NAMES: Mapping[str, str] = {
    "onnx": "tf2onnx",
    "coreml": "coremltools",
    "tflite": "TFLiteConverter",
    "tf_serving": "ExportArchive",
}


def _call(model: Any, inputs: tuple[Any, ...]) -> Any:
    return model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)


def _signature(model: Any, batch: int | None) -> list[Any]:
    import tensorflow as tf

    return [
        tf.TensorSpec((batch, *tensor.shape[1:]), tensor.dtype, name=tensor.name)
        for tensor in model.inputs
    ]
