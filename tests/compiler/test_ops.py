"""Type rules: inferred types and refused inputs."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kspec.compiler import ops
from kspec.compiler.ir import DType, Op, TensorType
from kspec.compiler.ops.neural import same_padding
from kspec.compiler.reference import evaluate
from kspec.compiler.reference.dimensions import Dimensions
from tests.graphs import (
    ALL_GRAPHS,
    GRAPHS,
    RECURRENT,
    RECURRENT_SYMBOLIC,
    Builder,
    GraphCase,
    feeds,
)


def test_every_operation_occurs_in_the_graphs() -> None:
    cases = (*GRAPHS, *RECURRENT)
    assert {type(node.op) for case in cases for node in case.graph.nodes} == set(ops.OPS.values())
    names = [case.id for case in (*ALL_GRAPHS, *RECURRENT, *RECURRENT_SYMBOLIC)]
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


def _b(*shape: int | str) -> TensorType:
    return TensorType(DType.boolean, shape)


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
    "nothing concatenated": (ops.Concat(0), ()),
    "concatenated beyond the rank": (ops.Concat(2), (_f("batch", 6), _f("batch", 6))),
    "kernel of another rank": (_CONV, (_f("batch", 5, 5, 3), _f(3, 3, 4))),
    "image of another rank": (_CONV, (_f("batch", 5, 3), _f(3, 3, 4))),
    "fields of another rank": (_CONV, (_f("batch", 5, 3), _f(3, 3))),
    "convolution of integers": (_CONV, (_i("batch", 5, 5, 3), _i(3, 3, 3, 4))),
    "kernel of another type": (_CONV, (_f("batch", 5, 5, 3), _i(3, 3, 3, 4))),
    "kernel of symbols": (_CONV, (_f("batch", 5, 5, 3), _f("time", 3, 3, 4))),
    "bias of another length": (_CONV, (_f("batch", 5, 5, 3), _f(3, 3, 3, 4), _f(3))),
    "groups that do not divide": (
        replace(_CONV, groups=2),
        (_f("batch", 5, 5, 4), _f(3, 3, 2, 3)),
    ),
    "no groups": (replace(_CONV, groups=0), (_f("batch", 5, 5, 3), _f(3, 3, 0, 4))),
    "strides of zero": (replace(_CONV, strides=(1, 0)), (_f(1, 5, 5, 3), _f(3, 3, 3, 4))),
    "bias of a transpose": (_TRANSPOSE, (_f("batch", 5, 5, 3), _f(3, 3, 4, 3), _f(3))),
    "rank of a transpose": (_TRANSPOSE, (_f("batch", 5, 5), _f(3, 3, 4, 5))),
    "output padding of another rank": (
        replace(_TRANSPOSE, output_padding=(0,)),
        (_f("batch", 5, 5, 3), _f(3, 3, 4, 3)),
    ),
    "a transpose cut to nothing": (
        replace(_TRANSPOSE, padding=((2, 2), (0, 0))),
        (_f("batch", 2, 5, 3), _f(3, 3, 4, 3)),
    ),
    "pool of another rank": (_POOL, (_f("batch", 4, 3),)),
    "pool of its padding": (replace(_POOL, padding=((2, 0), (0, 0))), (_f("batch", 4, 4, 3),)),
    "average of integers": (
        ops.AveragePool((2,), ((0, 0),), "last", (2,)),
        (_i("batch", 4, 3),),
    ),
    "statistics beyond the rank": (ops.BatchNorm(2, 1e-3), (_f("batch", 3), *[_f(3)] * 4)),
    "statistics of another type": (
        ops.BatchNorm(1, 1e-3),
        (_f("batch", 3), _f(3), _f(3), _f(3), _i(3)),
    ),
    "scale of another type": (ops.LayerNorm(1e-3), (_f("batch", 3), _i(3), _f(3))),
    "norm of a scalar": (ops.LayerNorm(1e-3), (_f(), _f(), _f())),
    "product of two types": (ops.MatMul(), (_f("batch", 3), _i(3, 5))),
    "linear of two types": (ops.Linear(), (_f("batch", 3), _i(3, 5))),
    "linear bias": (ops.Linear(), (_f("batch", 3), _f(3, 5), _f(3))),
    "linear of a scalar": (ops.Linear(), (_f(), _f(3, 5))),
    "size of another rank": (ops.Resize((4,), "nearest", "last"), (_f("batch", 2, 2, 3),)),
    "softmax beyond the rank": (ops.Softmax(2), (_f("batch", 3),)),
    "softmax of integers": (ops.Softmax(1), (_i("batch", 3),)),
    "running sum beyond the rank": (ops.CumSum(-3), (_f("batch", 3),)),
    "axes of a reverse": (ops.Reverse((2,)), (_f("batch", 3),)),
    "an axis reversed twice": (ops.Reverse((1, -1)), (_f("batch", 3),)),
    "axis of a repeat": (ops.Repeat(2, 2), (_f("batch", 3),)),
    "repeated never": (ops.Repeat(0, 1), (_f("batch", 3),)),
    "axis of a slice": (ops.Slice((2,), (0,), (1,), (1,)), (_f("batch", 3),)),
    "a slice without its step": (ops.Slice((1,), (0,), (1,), ()), (_f("batch", 3),)),
    "a slice backwards": (ops.Slice((1,), (2,), (0,), (-1,)), (_f("batch", 3),)),
    "a slice between both ends": (ops.Slice((0,), (-3,), (2,), (1,)), (_f("time"),)),
    "extreme from the end": (ops.ArgMax(-1), (_f("batch", 3),)),
    "axes in disorder": (ops.Sum((1, 0)), (_f(2, 3),)),
    "no axes": (ops.Sum(()), (_f(2, 3),)),
    "mean of integers": (ops.Mean((1,)), (_i(2, 3),)),
    "sum of booleans": (ops.Sum((1,)), (_b(2, 3),)),
    "all of floats": (ops.All((1,)), (_f(2, 3),)),
    "tiles of another rank": (ops.Tile((2,)), (_f(2, 3),)),
    "pads of a scalar": (ops.Pad((0,), (0,)), (_f(),)),
    "reflected beyond the axis": (ops.Pad((0, 3), (0, 0), "reflect"), (_f("batch", 3),)),
    "mirrored beyond the axis": (ops.Pad((0, 0), (0, 4), "symmetric"), (_f("batch", 3),)),
    "a fraction among integers": (ops.Pad((0, 0), (0, 4), value=0.5), (_i("batch", 3),)),
    "a fraction bounds integers": (ops.Clip(0.5), (_i(3),)),
    "reshape below zero": (ops.Reshape((-2, -3)), (_f(6),)),
    "conjunction of floats": (ops.LogicalAnd(), (_f(3), _f(3))),
    "negation of integers": (ops.LogicalNot(), (_i(3),)),
    "arithmetic on booleans": (ops.Add(), (_b(3), _b(3))),
    "order of booleans": (ops.Less(), (_b(3), _b(3))),
    "quotient of integers": (ops.Divide(), (_i(3), _i(3))),
    "power of integers": (ops.Pow(), (_i(3), _i(3))),
    **{
        f"{op.__name__} of integers": (op(), (_i(3),))
        for op in (ops.Exp, ops.Log, ops.Sqrt, ops.Tanh, ops.Sigmoid, ops.Floor, ops.IsNan)
    },
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
        rows = list(zip(size, reach, padding, strict=True))
        padded = kernel is None and any(max(pad) >= r for _, r, pad in rows)
        if padded or any(n + sum(pad) < r for n, r, pad in rows):
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
    later = replace(op, padding="same")
    places = list(zip(size, strides, strict=True))
    for each in (op, later):
        (inferred,) = each.infer(_f("batch", *size, 2), _f(*window, 2, 3))
        assert inferred.shape[1:-1] == tuple(math.ceil(n / s) for n, s in places)
    assert later.pads(size, window, dilations) == padding
    assert all(0 <= high - low <= 1 for low, high in padding)
    if max(strides) > 1:
        names = tuple(f"size{axis}" for axis in range(len(size)))
        assert same_padding(names, window, strides, dilations) == "same"


_SHAPES = st.lists(st.integers(1, 3), max_size=5).map(tuple)
_ELEMENTS = st.sampled_from([DType.float32] * 4 + [DType.int32, DType.boolean, DType.float16])


def _of_hint(hint: Any, rank: int) -> st.SearchStrategy:
    """Anything of a field's type, for inputs of a rank: wrong as often as right."""
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) is tuple:
        inner, *rest = get_args(hint)
        if rest != [...]:
            return st.tuples(_of_hint(inner, rank), *(_of_hint(each, rank) for each in rest))
        sizes = st.sampled_from([rank, max(rank - 2, 0), 1, 0])
        return sizes.flatmap(lambda n: st.tuples(*[_of_hint(inner, rank)] * n))
    simple = {
        int: st.integers(-1, 3),
        float: st.sampled_from([0.0, 0.5, 1.0, math.inf]),
        bool: st.booleans(),
        str: st.text("ab,->", max_size=8) | st.sampled_from(["ab,bc->ac", "ab->ba", "a,b->ba"]),
        type(None): st.none(),
        DType: st.sampled_from(DType),
    }
    if hint in simple:
        return simple[hint]
    return st.one_of(*(_of_hint(kind, rank) for kind in get_args(hint) if kind is not str))


@st.composite
def _inputs_and_fields(draw: st.DrawFn, kind: type[Op]) -> tuple[Op, list[TensorType]]:
    first = TensorType(draw(_ELEMENTS), draw(_SHAPES))
    hints = get_type_hints(kind)
    given = {field.name: draw(_of_hint(hints[field.name], first.rank)) for field in fields(kind)}
    other = st.builds(TensorType, st.just(first.dtype) | _ELEMENTS, _SHAPES)
    return kind(**given), draw(st.lists(st.just(first) | other, max_size=4))


_WITHOUT_BODIES = {name: kind for name, kind in ops.OPS.items() if kind is not ops.Scan}


@pytest.mark.parametrize("kind", _WITHOUT_BODIES.values(), ids=_WITHOUT_BODIES)
def test_whatever_is_not_refused_runs(kind: type[Op]) -> None:
    """A type rule raises only OpError; accepted inputs yield the inferred type."""

    results = 1 + (kind.states if issubclass(kind, ops.Recurrent) else 0)

    @settings(max_examples=40)
    @given(_inputs_and_fields(kind))
    def run(drawn: tuple[Op, list[TensorType]]) -> None:
        op, types = drawn
        build = Builder("anything")
        inputs = [build.input(f"x{i}", *t.shape, dtype=t.dtype) for i, t in enumerate(types)]
        try:
            outputs = build.add_all(tuple(f"out{k}" for k in range(results)), op, *inputs)
        except ops.OpError:
            return
        ones = {value.name: np.ones(value.shape, value.dtype.numpy) for value in inputs}
        if isinstance(op, ops.Gather):
            ones["x1"] *= 0
        evaluate(build.case(*outputs).graph, ones)  # raises where the type is another

    run()
