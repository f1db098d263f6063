"""Layers against Keras: what the schema says of a shape is what Keras makes of it."""

import functools
import inspect
import json
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kspec.schemas.activations import Activation
from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.layers import DECIDED_OUT, LAYERS, ShapeError, catalogue
from kspec.schemas.layers.augmentation import Augmentation
from kspec.schemas.layers.recurrent import CELLS
from kspec.schemas.losses import LOSSES
from kspec.schemas.train import Train
from tests.cases import CASES, Case
from tests.schemas.weights import weights_in, weights_of

keras = pytest.importorskip("keras")
from kspec.models.keras_model import call_layer, make_layer  # noqa: E402


def unnamed(shape: Any) -> tuple[int | None, ...]:
    """A shape as Keras knows it: names are sizes that vary."""
    return tuple(size if isinstance(size, int) else None for size in shape)


def in_keras(layer: Any) -> Any:
    """The Keras layer."""
    return make_layer(layer, layer.key)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_shape_is_that_of_keras_and_the_layer_runs(case: Case) -> None:
    layer = case.layer()
    built = in_keras(layer)
    inputs = [keras.KerasTensor((None, *unnamed(shape)), dtype=case.dtype) for shape in case.shapes]
    output = call_layer(built, layer, inputs)
    promised = layer.output_shape(case.shapes)
    assert (None, *unnamed(promised)) == tuple(output.shape)
    dtypes: Any = (case.dtype,) * len(case.shapes)
    assert layer.output_dtype(dtypes) == output.dtype
    assert weights_of(layer, case) == weights_in(built, layer.key)
    rows = case.rows(3)
    result = np.asarray(call_layer(functools.partial(built, training=False), layer, rows))
    known = [(size, found) for size, found in zip(promised, result.shape[1:], strict=True)]
    assert all(size == found for size, found in known if isinstance(size, int))
    assert np.isfinite(result).all()
    if isinstance(layer, Augmentation):
        np.testing.assert_array_equal(result, rows[0])


WINDOWS = {
    "conv1d": 1,
    "conv2d": 2,
    "conv3d": 3,
    "depthwise_conv2d": 2,
    "separable_conv1d": 1,
    "conv1d_transpose": 1,
    "conv2d_transpose": 2,
    "conv3d_transpose": 3,
    "max_pooling1d": 1,
    "average_pooling2d": 2,
    "max_pooling3d": 3,
}


@st.composite
def sliding(draw: st.DrawFn) -> tuple[str, dict[str, Any], tuple[int | None, ...]]:
    """A layer whose window slides, its arguments, and a shape that may be too small for it."""
    key = draw(st.sampled_from(sorted(WINDOWS)))
    rank = WINDOWS[key]

    def sizes(largest: int) -> list[int]:
        return draw(st.lists(st.integers(1, largest), min_size=rank, max_size=rank))

    paddings = ["valid", "same"] + ["causal"] * (key == "conv1d")
    arguments: dict[str, Any] = {"strides": sizes(4), "padding": draw(st.sampled_from(paddings))}
    arguments["pool_size" if "pooling" in key else "kernel_size"] = sizes(5)
    if "conv" in key:
        arguments["dilation_rate"] = sizes(2)
    if "conv" in key and not key.startswith("depthwise"):
        arguments["filters"] = draw(st.integers(1, 3))
    if "transpose" in key and draw(st.booleans()):
        arguments["output_padding"] = [size - 1 for size in sizes(4)]
    size = st.one_of(st.integers(1, 12), st.none())
    return key, arguments, (*draw(st.lists(size, min_size=rank, max_size=rank)), 2)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(sliding())
def test_windows_slide_as_in_keras(
    drawn: tuple[str, dict[str, Any], tuple[int | None, ...]],
) -> None:
    key, arguments, shape = drawn
    layer = LAYERS[key].model_validate(arguments)
    try:
        expected = tuple(in_keras(layer).compute_output_shape((None, *shape)))[1:]
    except ValueError:
        with pytest.raises(ShapeError):
            layer.output_shape((shape,))
        return
    # Keras counts such places as 0 or less and fails when it runs.
    assume(all(size is None or size > 0 for size in expected))
    if "conv" in key and "depthwise" not in key and "separable" not in key:
        assume(max(layer.strides) == 1 or max(layer.dilation_rate) == 1)
    assert layer.output_shape((shape,)) == expected


SET_ELSEWHERE = {
    "self", "name", "dtype", "data_format", "trainable", "kwargs", "lora_rank", "lora_alpha",
    "quantization_config", "synchronized", "gptq_unpacked_column_size", "weights", "use_cudnn",
    "flash_attention", "sparse", "reverse_dtype",
}  # fmt: skip


@pytest.mark.parametrize("key", [cls.key for cls in catalogue()])
def test_arguments_and_defaults_are_those_of_keras(key: str) -> None:
    cls = LAYERS[key]
    if cls.keras == "Activation":
        return
    signature = inspect.signature(getattr(keras.layers, cls.keras).__init__).parameters
    adapted = {"num_bins", "epsilon"} if key == "discretization" else set()
    wanted = {
        name: p.default
        for name, p in signature.items()
        if name not in SET_ELSEWHERE and name not in adapted
    }
    fields = {field.alias or name: field for name, field in cls.model_fields.items()}
    assert set(fields) - cls.call_fields == set(wanted)
    needed = {"category_encoding": "num_tokens", "discretization": "bin_boundaries"}.get(key)
    required = {name for name, default in wanted.items() if default is inspect.Parameter.empty}
    assert {name for name, field in fields.items() if field.is_required()} == (
        {needed} if needed else required
    )
    if cls.model_fields.keys() & {"layer", "cell"}:
        return
    case = next(case for case in CASES if case.key == key)
    built = in_keras(case.layer())
    plain = getattr(keras.layers, cls.keras)(
        **{name: case.layer().arguments()[name] for name in {needed} - {None} | required}
    )
    unset = set(wanted) - case.layer().model_fields_set
    ours, theirs = built.get_config(), plain.get_config()
    derived = ("axis", "shared_axes", "sequence_length", "max_freq")
    same = {name: ours.get(name) for name in unset if name not in derived}
    defaults = {name: theirs.get(name) for name in same}
    assert json.dumps(same, sort_keys=True) == json.dumps(defaults, sort_keys=True)


@pytest.mark.parametrize("key", [cls.key for cls in catalogue()])
def test_every_argument_is_varied_by_some_case(key: str) -> None:
    cls = LAYERS[key]
    varied = {name for case in CASES if case.key == key for name in case.layer().model_fields_set}
    assert varied == set(cls.model_fields)


@pytest.mark.parametrize(
    "text",
    [
        "adam",
        {"adam": 0.01},
        {"adamw": {"weight_decay": 0.1, "beta_1": 0.5, "amsgrad": True, "clipnorm": 1}},
        {"sgd": {"momentum": 0.9, "nesterov": True, "global_clipnorm": 2, "use_ema": True}},
        {"rmsprop": {"rho": 0.8, "centered": True, "gradient_accumulation_steps": 2}},
        *(
            {"adam": {"learning_rate": schedule}}
            for schedule in (
                {"cosine_decay": {"initial_learning_rate": 0, "decay_steps": 9,
                                  "warmup_target": 0.1, "warmup_steps": 3}},
                {"cosine_decay_restarts": {"initial_learning_rate": 0.1, "first_decay_steps": 9}},
                {"exponential_decay": {"initial_learning_rate": 0.1, "decay_steps": 9,
                                       "decay_rate": 0.5, "staircase": True}},
                {"inverse_time_decay": {"initial_learning_rate": 0.1, "decay_steps": 9,
                                        "decay_rate": 0.5}},
                {"polynomial_decay": {"initial_learning_rate": 0.1, "decay_steps": 9, "power": 2}},
                {"piecewise_constant_decay": {"boundaries": [5, 9], "values": [1, 0.1, 0.01]}},
            )
        ),
    ],
    ids=str,
)  # fmt: skip
def test_optimizers_are_what_keras_takes(text: Any) -> None:
    optimizer = Train.model_validate({"epochs": 1, "optimizer": text}).optimizer
    built = keras.optimizers.get(optimizer.config())
    assert type(built).__name__ == optimizer.keras
    config = built.get_config()
    for name in type(optimizer).model_fields:
        value = getattr(optimizer, name)
        if isinstance(value, KerasObject):
            assert config[name]["class_name"] == value.keras
            found = config[name]["config"]
            assert {key: found[key] for key in value.arguments()} == value.arguments()
        else:
            assert config[name] == pytest.approx(value)


@pytest.mark.parametrize("cls", LOSSES, ids=lambda cls: cls.key)
def test_losses_are_what_keras_takes(cls: type[KerasObject]) -> None:
    built, default = keras.losses.get(cls().config()), getattr(keras.losses, cls.keras)()
    assert type(built) is type(default)
    assert built.get_config() == default.get_config()


def test_every_activation_is_decided() -> None:
    names = {name for name in dir(keras.activations) if not name.startswith("_")}
    names -= {"deserialize", "get", "serialize"}
    names |= {"swish", "hard_swish"}
    assert set(get_args(Activation)) == names - {"glu", "threshold"}
    assert set(get_args(Activation)) <= set(LAYERS)


def test_every_layer_of_keras_is_decided() -> None:
    public = {name: getattr(keras.layers, name) for name in dir(keras.layers)}
    classes = {name: each.__name__ for name, each in public.items() if inspect.isclass(each)}
    available = {getattr(keras.layers, cls.keras).__name__ for cls in (*catalogue(), *CELLS)}
    undecided = {name for name, cls in classes.items() if cls not in available}
    assert undecided == set(DECIDED_OUT)
