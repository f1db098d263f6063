"""Type rules: what they infer, and what they refuse."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kspec.compiler import ops
from kspec.compiler.ir import DType, TensorType
from kspec.compiler.ops.base import Op
from kspec.compiler.ops.neural import same_padding
from kspec.compiler.reference import evaluate
from kspec.compiler.reference.dimensions import Dimensions
from tests.graphs import ALL_GRAPHS, GRAPHS, Builder, GraphCase, feeds


def test_every_operation_occurs_in_the_graphs() -> None:
    assert {type(node.op) for case in GRAPHS for node in case.graph.nodes} == set(ops.OPS.values())
    names = [case.id for case in ALL_GRAPHS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("case", ALL_GRAPHS, ids=lambda case: case.id)
def test_inferred_types_are_those_of_the_values(case: GraphCase, batch: int) -> None:
    values = evaluate(case.graph, feeds(case, batch), keep=True)
    dimensions = Dimensions()
    for value in case.graph.inputs:  # they alone say the sizes; -1 never equals one
        dimensions.learn(value, values[value.name])
    for value in case.graph.values():
        array = values[value.name]
        assert array.dtype == value.dtype.numpy, value
        assert array.shape == dimensions.sizes(value.shape), value


def _f(*shape: int | str) -> TensorType:
    return TensorType(DType.float32, shape)


def _i(*shape: int | str) -> TensorType:
    return TensorType(DType.int32, shape)


_CONV = ops.Conv(strides=(1, 1), padding=((0, 0), (0, 0)), channels="last", dilations=(1, 1))
_TRANSPOSE = ops.ConvTranspose(
    strides=(1, 1),
    padding=((0, 0), (0, 0)),
    channels="last",
    dilations=(1, 1),
    output_padding=(0, 0),
)
_POOL = ops.MaxPool(strides=(2, 2), padding=((0, 0), (0, 0)), channels="last", window=(2, 2))

_REFUSED: dict[str, tuple[Op, tuple[TensorType, ...]]] = {
    "too few inputs": (ops.Add(), (_f(2),)),
    "too many inputs": (ops.Relu(), (_f(2), _f(2))),
    "mixed element types": (ops.Add(), (_f(2), _i(2))),
    "mixed in a comparison": (ops.Less(), (_f(2), _i(2))),
    "no broadcast": (ops.Multiply(), (_f(2, 3), _f(2, 4))),
    "symbolic against a number": (ops.Multiply(), (_f("batch", 3), _f(2, 3))),
    "two symbols": (ops.Multiply(), (_f("batch", 3), _f("time", 3))),
    "where without a condition": (ops.Where(), (_f(2), _f(2), _f(2))),
    "kernel of another depth": (_CONV, (_f("batch", 5, 5, 3), _f(3, 3, 2, 4))),
    "window beyond the image": (_CONV, (_f("batch", 2, 2, 3), _f(3, 3, 3, 4))),
    "transpose of another depth": (_TRANSPOSE, (_f("batch", 5, 5, 3), _f(3, 3, 4, 2))),
    "pool beyond the image": (_POOL, (_f("batch", 1, 1, 3),)),
    "statistics of another length": (
        ops.BatchNorm(1, 1e-3),
        (_f("batch", 3), _f(3), _f(3), _f(3), _f(4)),
    ),
    "scale of another length": (ops.LayerNorm(1e-3), (_f("batch", 3), _f(4), _f(3))),
    "inner dimensions": (ops.MatMul(), (_f("batch", 3), _f(4, 5))),
    "vector in a product": (ops.MatMul(), (_f(3), _f(3, 5))),
    "linear inputs": (ops.Linear(), (_f("batch", 3), _f(4, 5))),
    "equation with two sizes": (ops.Einsum("ab,bc->ac"), (_f("batch", 3), _f(4, 5))),
    "axis beyond the rank": (ops.Sum((2,)), (_f("batch", 3),)),
    "axis below zero": (ops.Sum((-1,)), (_f("batch", 3),)),
    "extreme beyond the rank": (ops.ArgMax(2), (_f("batch", 3),)),
    "another number of elements": (ops.Reshape(("batch", 5)), (_f("batch", 6),)),
    "a symbol lost": (ops.Reshape((6,)), (_f("batch", 6),)),
    "not a permutation": (ops.Transpose((0, 0)), (_f("batch", 6),)),
    "concatenated ranks": (ops.Concat(1), (_f("batch", 6), _f("batch", 6, 1))),
    "concatenated types": (ops.Concat(1), (_f("batch", 6), _i("batch", 6))),
    "steps along a symbol": (ops.Slice((0,), (0,), (None,), (2,)), (_f("time"),)),
    "pads of another rank": (ops.Pad((0,), (1,)), (_f("batch", 6),)),
    "pads below zero": (ops.Pad((0, -1), (0, 0)), (_f("batch", 6),)),
    "broadcast to less": (ops.BroadcastTo(("batch", 1)), (_f("batch", 6),)),
    "indices that are floats": (ops.Gather(0), (_f(4, 2), _f("batch"))),
    "axis of a gather": (ops.Gather(2), (_f(4, 2), _i("batch"))),
}


@pytest.mark.parametrize(("op", "inputs"), _REFUSED.values(), ids=_REFUSED.keys())
def test_wrong_inputs_are_refused(op: Op, inputs: tuple[TensorType, ...]) -> None:
    with pytest.raises(ops.OpError):
        op.infer(*inputs)


_AXES = st.tuples(
    st.integers(1, 9),  # size
    st.integers(1, 4),  # window
    st.integers(1, 3),  # stride
    st.integers(1, 3),  # dilation
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)


@given(axes=st.lists(_AXES, min_size=1, max_size=3), channels=st.sampled_from(["last", "first"]))
def test_window_shapes(axes: list[tuple], channels: str) -> None:
    """Inferred and computed shapes agree, and a window that fits nowhere is refused."""
    size, window, strides, dilations, padding = (
        tuple(column) for column in zip(*axes, strict=True)
    )
    fields = {"strides": strides, "padding": padding, "channels": channels}
    for op, kernel in (
        (ops.Conv(**fields, dilations=dilations), (*window, 2, 3)),
        (ops.MaxPool(**fields, window=window), None),
    ):
        build = Builder("window")
        image = ("batch", *size, 2) if channels == "last" else ("batch", 2, *size)
        inputs = [build.input("x", *image)]
        if kernel:
            shape = kernel if channels == "last" else (*kernel[:-3:-1], *window)
            inputs.append(build.random("kernel", *shape))
        reach = [(k - 1) * (d if kernel else 1) + 1 for k, d in zip(window, dilations, strict=True)]
        rows = zip(size, reach, padding, strict=True)
        if any(n + sum(pad) < r for n, r, pad in rows):
            with pytest.raises(ops.OpError):
                op.infer(*(value.type for value in inputs))
            continue
        case = build.case(build.add("out", op, *inputs))
        evaluate(case.graph, feeds(case, 2))  # raises where the shapes disagree


@given(axes=st.lists(_AXES, min_size=1, max_size=3))
def test_same_padding_gives_a_place_for_each_stride(axes: list[tuple]) -> None:
    size, window, strides, dilations, _ = zip(*axes, strict=True)
    padding = same_padding(size, window, strides, dilations)
    op = ops.Conv(strides=strides, padding=padding, channels="last", dilations=dilations)
    (inferred,) = op.infer(_f("batch", *size, 2), _f(*window, 2, 3))
    places = zip(size, strides, strict=True)
    assert inferred.shape[1:-1] == tuple(math.ceil(n / s) for n, s in places)
    assert all(0 <= high - low <= 1 for low, high in padding)
