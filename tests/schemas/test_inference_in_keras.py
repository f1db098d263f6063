"""Element types and weights that the catalogue infers, against the layers that Keras builds."""

import functools
from typing import Any, get_args

import numpy as np
import pytest

from kspec.schemas.activations import Activation
from kspec.schemas.layers import Layer, ShapeError
from kspec.schemas.layers.augmentation import Augmentation
from kspec.schemas.layers.base import DType
from tests.cases import CASES, PICTURE, STEPS, Case, of
from tests.schemas.weights import weights_in, weights_of

keras = pytest.importorskip("keras")
from kspec.models.keras_model import call_layer, make_layer  # noqa: E402

STRICTER = {"dropout", "rms_normalization", "spectral_normalization"}
"""The catalogue refuses int32 for these. Keras rounds every step of a normalization, and takes
int32 for a dropout of rate 0 alone."""
GATE = {"use_gate": True}
MORE = (
    *(case for name in get_args(Activation) for case in of("activation", (name, (3, 7)))),
    *of("conv2d", ({"filters": 6, "kernel_size": [2, 3], "groups": 2}, (8, 9, 4))),
    *of("depthwise_conv2d", ({"kernel_size": [2, 3], "depth_multiplier": 3}, PICTURE)),
    *of("separable_conv1d", ({"filters": 5, "kernel_size": 3, "depth_multiplier": 2}, STEPS)),
    *of("lstm", ({"units": 3, "recurrent_dropout": 0.1}, STEPS)),
    *of(
        "rnn",
        (
            {
                "cell": {
                    "stacked_rnn_cells": [
                        {"gru_cell": {"units": 3, "use_bias": False}},
                        {"simple_rnn_cell": 2},
                    ]
                }
            },
            STEPS,
        ),
        ({"cell": {"stacked_rnn_cells": [{"gru_cell": {"units": 3, "dropout": 0.1}}]}}, STEPS),
    ),
    *of(
        "multi_head_attention",
        ({"num_heads": 2, "key_dim": 4, "value_dim": 3, **GATE}, ((5, 8), (7, 6), (7, 9))),
        ({"num_heads": 3, "key_dim": 4, "output_shape": [2, 5]}, ((5, 8), (7, 6))),
    ),
    *of(
        "group_query_attention",
        ({"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, **GATE}, ((5, 8), (7, 8))),
    ),
    *of(
        "einsum_dense",
        ({"equation": "abcd,cde->abe", "output_shape": [5, 6], "bias_axes": "be"}, (5, 3, 4)),
        ({"equation": "ab...,bcd->acd...", "output_shape": [5, 2], "bias_axes": "c"}, (6, 3)),
        ({"equation": "...ab,bcd->...acd", "output_shape": [3, 5, 2], "bias_axes": "ad"}, (3, 4)),
    ),
    *of(
        "spectral_normalization",
        ({"layer": {"embedding": {"input_dim": 7, "output_dim": 3}}}, (5,)),
        ({"layer": {"conv1d_transpose": {"filters": 3, "kernel_size": 2}}}, STEPS),
        ({"layer": {"depthwise_conv1d": {"kernel_size": 2, "use_bias": False}}}, STEPS),
    ),
    *of(
        "time_distributed",
        ({"layer": {"separable_conv2d": {"filters": 2, "kernel_size": 2}}}, (3, *PICTURE)),
        ({"layer": "prelu"}, (3, 4, 5)),
    ),
    *of("bidirectional", ({"layer": {"lstm": {"units": 3, "dropout": 0.1}}}, STEPS)),
    *of("batch_normalization", ({"axis": 2, "renorm": True, "scale": False}, PICTURE)),
    *of("layer_normalization", ({"axis": [3, 1]}, PICTURE)),
    *of("normalization", ({"axis": [3, 1]}, PICTURE), ({"axis": None}, STEPS)),
    *of("relu", ({"max_value": 3}, (7,)), ({"threshold": 1}, (7,))),
    *of("prelu", ({"shared_axes": [1, 3]}, PICTURE)),
)
"""Arguments that weights or types depend on, beside the cases of the catalogue."""
FIRST = {case.key: case for case in reversed(CASES)}
"""One case of each layer; all others are compared where their values are."""
EVERY = [pytest.param(case, id=f"{case.key}-{place}") for place, case in enumerate(MORE)]


@pytest.mark.parametrize("case", EVERY)
def test_weights_and_element_type_are_those_of_keras(case: Case) -> None:
    layer = case.layer()
    made = make_layer(layer, "made")
    inputs = [keras.KerasTensor((None, *shape), dtype=case.dtype) for shape in case.shapes]
    output = call_layer(made, layer, inputs)
    assert layer.output_shape(case.shapes) == tuple(output.shape[1:])
    dtypes: Any = (case.dtype,) * len(case.shapes)
    assert layer.output_dtype(dtypes) == output.dtype
    assert weights_of(layer, case) == weights_in(made, "made")


@pytest.mark.parametrize(
    "case", [*(pytest.param(case, id=key) for key, case in FIRST.items()), *EVERY]
)
def test_element_type_of_whole_numbers_is_what_keras_computes(case: Case) -> None:
    layer = case.layer()
    computed = {_computed(layer, case, training=training) for training in (False, True)}
    only = computed.pop() if len(computed) == 1 else None
    stricter = case.key in STRICTER or isinstance(layer, Augmentation)
    if stricter or only not in get_args(DType):
        with pytest.raises(ShapeError, match=f"{case.key} computes with float32, found int32"):
            layer.output_dtype(("int32",) * len(case.shapes))
    else:
        assert layer.output_dtype(("int32",) * len(case.shapes)) == only


def _computed(layer: Layer, case: Case, *, training: bool) -> str | None:
    """The type that Keras computes for int32; None where it fails."""
    rows = [np.abs(each * (1 if case.below else 9)).astype("int32") for each in case.rows(3)]
    made = functools.partial(make_layer(layer, "made"), training=training)
    try:
        return str(keras.backend.standardize_dtype(call_layer(made, layer, rows).dtype))
    except Exception:  # noqa: BLE001 - each layer of Keras fails in its own way
        return None


@pytest.mark.parametrize("key", ["add", "concatenate", "maximum"])
def test_whole_numbers_among_others_become_float32(key: str) -> None:
    (case,) = of(key, (None, (STEPS, STEPS)))
    layer = case.layer()
    rows = [np.ones((2, *STEPS), "int32"), np.ones((2, *STEPS), "float32")]
    result = call_layer(make_layer(layer, key), layer, rows)
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    assert layer.output_dtype(("int32", "float32")) == "float32"
