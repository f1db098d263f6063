"""Sets the statistics of Normalization layers from the training split before the first epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from kspec.data.dataset import Split
from kspec.data.moments import moments


def adapt(model: Any, split: Split) -> None:
    """Set mean and variance of each adaptive Normalization from its inputs over the split, in
    float64, in the order of the model: a later layer sees the adapted earlier ones.

    The variance is the population variance, as in ``keras.layers.Normalization.adapt``.
    """
    import keras

    from kspec.models.keras_model import adaptive_layers

    for layer in adaptive_layers(model):
        first = layer._inbound_nodes[0].input_tensors  # noqa: SLF001 - it may be called again
        until = keras.Model(model.inputs, first)
        given = [split.inputs[tensor.name] for tensor in model.inputs]
        values = _outputs(until, given)
        found = moments(values, layer._keep_axis)  # noqa: SLF001
        layer.adapt_mean.assign(found.mean.reshape(layer.adapt_mean.shape))
        layer.adapt_variance.assign(found.variance.reshape(layer.adapt_variance.shape))
        layer.finalize_state()


def _outputs(model: Any, inputs: list[np.ndarray]) -> np.ndarray:
    parts = [
        np.asarray(model([each[start : start + 1024] for each in inputs], training=False))
        for start in range(0, len(inputs[0]), 1024)
    ]
    return np.concatenate(parts)
