"""Passes: each rewritten graph computes the same values under the same names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings

from kspec.compiler import ops
from kspec.compiler.ir import DType, Graph, Op, TensorType, Value
from kspec.compiler.passes import Pass, run_passes
from kspec.compiler.passes.bind_dimensions import bind_dimensions
from kspec.compiler.passes.channels_first import channels_first
from kspec.compiler.passes.common import COMMON
from kspec.compiler.passes.decompose import DECOMPOSITIONS, decompose
from kspec.compiler.passes.fold_affine import fold_affine
from kspec.compiler.passes.fold_constants import fold_constants
from kspec.compiler.passes.fuse_activations import fuse_activations
from kspec.compiler.passes.join_repeats import join_repeats
from kspec.compiler.passes.multiply_reciprocals import multiply_reciprocals
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.share_constants import share_constants
from kspec.compiler.passes.simplify import simplify
from kspec.compiler.reference import evaluate
from kspec.compiler.text import format_graph
from kspec.compiler.verifier import verify
from tests.compiler.random_graphs import random_graphs
from tests.graphs import ALL_GRAPHS, Builder, GraphCase, feeds
from tests.graphs.neural import statistics


def common(graph: Graph) -> Graph:
    return run_passes(graph, COMMON)


def common_first(graph: Graph) -> Graph:
    return run_passes(graph, (*COMMON, channels_first, simplify, remove_dead, share_constants))


def everything_first(graph: Graph) -> Graph:
    return fuse_activations(common_first(graph))


PASSES: dict[str, tuple[Pass, float]] = {
    "fold_constants": (fold_constants, 1e-6),
    "simplify": (simplify, 1e-9),
    "fold_affine": (fold_affine, 1e-6),
    "remove_dead": (remove_dead, 1e-9),
    "share_constants": (share_constants, 1e-9),
    "channels_first": (channels_first, 1e-9),
    "fuse_activations": (fuse_activations, 1e-9),
    "join_repeats": (join_repeats, 1e-9),
    "multiply_reciprocals": (multiply_reciprocals, 1e-6),
    "common": (common, 1e-6),
    "common_first": (common_first, 1e-6),
}
"""Each pass with its error bound in float64: folding rounds constants to float32."""

NOT_IDEMPOTENT = {"channels_first"}
"""It leaves replaced nodes to remove_dead, so it finds them again."""


def hold(case: GraphCase, before: Graph, after: Graph, bound: float) -> None:
    """The graphs agree on every value whose name both have, outputs first."""
    verify(after)
    assert after.inputs == before.inputs
    assert after.outputs == before.outputs
    agree(case, before, after, bound)


def agree(case: GraphCase, before: Graph, after: Graph, bound: float) -> None:
    assert [value.name for value in after.outputs] == [value.name for value in before.outputs]
    inputs = feeds(case, batch=2)
    wide = [
        evaluate(graph, inputs, keep=True, precision=np.float64)
        | evaluate(graph, inputs, precision=np.float64)  # an output that is a constant, too
        for graph in (before, after)
    ]
    for name in wide[0].keys() & wide[1].keys():
        near(wide[1][name], wide[0][name], bound, name)
    for name in before.constants.keys() & after.constants.keys():
        np.testing.assert_array_equal(before.constants[name], after.constants[name], name)
    for name, found in evaluate(after, inputs).items():
        near(found, wide[0][name], max(bound, 1e-5), name)


def near(found: np.ndarray, expected: np.ndarray, bound: float, name: str) -> None:
    """Relative to the largest element: sums cancel, and then keep the error of their terms."""
    finite = np.abs(expected[np.isfinite(expected)].astype(np.float64))
    margin = bound * max(1.0, finite.max(initial=0))
    np.testing.assert_allclose(found, expected, bound, margin, err_msg=name)


def same(left: Graph, right: Graph) -> bool:
    equal = (np.array_equal(left.constants[n], right.constants.get(n)) for n in left.constants)
    return str(left) == str(right) and all(equal)


def troubles() -> Iterator[GraphCase]:
    """Yield graphs that have broken passes, or might."""
    build = Builder("output-is-an-input")
    x = build.input("x", "batch", 3)
    yield build.case(build.add("twice", ops.Add(), x, x), x)

    build = Builder("output-is-a-constant")
    x, c, same_c = build.input("x", "batch", 3), build.random("c", 3), build.constant("d", [0.0])
    build.constants["d"] = build.constants["c"].copy()
    d = Value("d", c.type)
    assert same_c.name == d.name
    yield build.case(build.add("sum", ops.Add(), x, d), c, d)

    build = Builder("output-folds-to-a-constant")
    x, c = build.input("x", "batch", 3), build.random("c", 3)
    negative = build.add("negative", ops.Negative(), c)
    yield build.case(build.add("out", ops.Negative(), negative), build.add("y", ops.Relu(), x))

    build = Builder("outputs-of-one-value")
    x = build.input("x", "batch", 3)
    relu = build.add("relu", ops.Relu(), x)
    copies = [build.add(name, ops.Identity(), relu) for name in ("first", "second")]
    yield build.case(*copies, build.add("more", ops.Negative(), copies[0]))

    build = Builder("output-is-read-further")
    x = build.input("x", "batch", 4, 4, 2)
    conv = _conv(build, "conv", x, 3)
    scale = build.random("scale", 3)
    yield build.case(conv, build.add("scaled", ops.Multiply(), conv, scale))

    build = Builder("value-read-twice")
    x = build.input("x", "batch", 4, 4, 2)
    conv = _conv(build, "conv", x, 3)
    norm = build.add("norm", ops.BatchNorm(3, 1e-3), conv, *statistics(build, "norm", 3))
    yield build.case(build.add("sum", ops.Add(), norm, conv))

    build = Builder("activation-before-norm")
    x = build.input("x", "batch", 4, 4, 2)
    conv = _conv(build, "conv", x, 3, activation="relu")
    vectors = statistics(build, "norm", 3)
    yield build.case(build.add("norm", ops.BatchNorm(3, 1e-3), conv, *vectors))

    build = Builder("shared-constant")
    x = build.input("x", "batch", 3)
    kernel, vector = build.random("kernel", 3, 3), build.random("vector", 3)
    for index in range(2):
        x = build.add(f"product{index}", ops.MatMul(), x, kernel)
        x = build.add(f"sum{index}", ops.Add(), x, vector)
    yield build.case(build.add("scaled", ops.Multiply(), vector, x))

    for number in (0.0, np.float32(1e-45)):
        build = Builder(f"scale-{number}")
        x = build.input("x", "batch", 3)
        product = build.add("product", ops.Linear(), x, build.random("kernel", 3, 2))
        constant = build.constant("c", np.float32(number))
        yield build.case(build.add("scaled", ops.Multiply(), product, constant))

    build = Builder("division-by-zero")
    x = build.input("x", "batch", 3)
    kernel = build.constant("kernel", np.eye(3, dtype=np.float32))
    product = build.add("product", ops.Linear(), x, kernel)
    constant = build.constant("c", np.array([1, 0, 2], np.float32))
    yield build.case(build.add("quotient", ops.Divide(), product, constant))

    build = Builder("integers")
    x = build.input("x", "batch", 3, dtype=DType.int32)
    matrix = build.constant("matrix", np.arange(9, dtype=np.int32).reshape(3, 3))
    product = build.add("product", ops.MatMul(), x, matrix)
    zero, two = build.constant("zero", np.int32(0)), build.constant("two", np.int32(2))
    divided = build.add("divided", ops.FloorDivide(), two, zero)
    more = build.add("more", ops.Add(), product, two)
    same_ = build.add("same", ops.Add(), more, zero)
    yield build.case(build.add("out", ops.Add(), same_, build.add("none", ops.Sign(), divided)))

    build = Builder("half")
    x = build.input("x", "batch", 3, dtype=DType.float16)
    kernel = build.constant("kernel", np.eye(3, dtype=np.float16))
    bias = build.constant("bias", np.array([1, 2, 3], np.float16))
    product = build.add("product", ops.MatMul(), x, kernel)
    yield build.case(build.add("sum", ops.Add(), product, bias))

    build = Builder("channels-first-norm")
    x = build.input("x", "batch", 2, 4, 3)
    op = ops.Conv((1, 1), ((1, 1), (1, 1)), "first", (1, 1))
    conv = build.add("conv", op, x, build.random("kernel", 3, 2, 3, 3))
    norm = build.add("norm", ops.BatchNorm(1, 1e-3), conv, *statistics(build, "norm", 3))
    last = build.add("last", ops.Multiply(), norm, build.random("columns", 3))
    yield build.case(last)

    build = Builder("batch-reduced")
    x = build.input("x", 3, 4, 4, 2)
    conv = _conv(build, "conv", x, 3)
    total = build.add("total", ops.Sum((0,)), conv)
    place = build.add("place", ops.ArgMax(0), conv)
    wider = build.add("wider", ops.BroadcastTo((2, 3, 4, 4, 3)), conv)
    yield build.case(total, place, build.add("relu", ops.Relu(), wider))

    build = Builder("flattening-is-an-output")
    x = build.input("x", "batch", 4, 4, 2)
    conv = _conv(build, "conv", x, 3)
    flat = build.add("flat", ops.Reshape(("batch", 48)), conv)
    yield build.case(flat, build.add("out", ops.Linear(), flat, build.random("kernel", 48, 2)))

    build = Builder("flattening-over-time")
    x = build.input("x", "time", 4, 2)
    op = ops.Conv((1,), ((1, 1),), "last", (1,))
    conv = build.add("conv", op, x, build.random("conv/kernel", 3, 2, 3))
    flat = build.add("flat", ops.Reshape(("time", 12)), conv)
    kernel = build.random("kernel", 12, 2)
    outputs = [build.add(f"out{index}", ops.Linear(), flat, kernel) for index in range(2)]
    rows = build.add("rows", ops.Reshape(("time*4", 3)), conv)
    yield build.case(*outputs, build.add("back", ops.Reshape(("time", 4, 3)), rows))

    build = Builder("kernel-is-computed")
    x, y = build.input("x", 2, 4, 4, 2), build.input("y", 3, 3, 2, 2)
    kernel = build.add("kernel", ops.Relu(), _conv(build, "first", y, 2))
    op = ops.Conv((1, 1), ((1, 1), (1, 1)), "last", (1, 1))
    conv = build.add("conv", op, x, kernel)
    yield build.case(build.add("again", op, conv, kernel))

    build = Builder("named-as-a-layout")
    x = build.input("x", "batch", 4, 4, 2)
    conv = _conv(build, "conv", x, 3)
    relu = build.add("conv/channels_first", ops.Relu(), conv)
    yield build.case(build.add("out/channels_first", ops.Softmax(-2), relu))

    build = Builder("reshapes-in-a-row")
    x = build.input("x", "batch", 6)
    for index, shape in enumerate(((2, 3), (3, 2), (1, 6), (6,))):
        x = build.add(f"reshape{index}", ops.Reshape(("batch", *shape)), x)
    yield build.case(build.add("out", ops.Identity(), x))

    build = Builder("tile-once")
    x = build.input("x", "batch", 6)
    yield build.case(build.add("out", ops.Tile((1, 1)), x))


def _conv(build: Builder, name: str, x: Value, filters: int, activation: str = "linear") -> Value:
    op = ops.Conv((1, 1), ((1, 1), (1, 1)), "last", (1, 1), activation=activation)
    kernel = build.random(f"{name}/kernel", 3, 3, int(x.shape[-1]), filters)
    return build.add(name, op, x, kernel, build.random(f"{name}/bias", filters))


CASES = (*ALL_GRAPHS, *troubles())


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_pass_keeps_the_meaning(case: GraphCase, name: str) -> None:
    run, bound = PASSES[name]
    text = format_graph(case.graph)
    arrays = {n: a.tobytes() for n, a in case.graph.constants.items()}
    after = run(case.graph)
    assert text == format_graph(case.graph)
    assert arrays == {n: a.tobytes() for n, a in case.graph.constants.items()}
    hold(case, case.graph, after, bound if "half" not in case.id else 1e-3)
    if name not in NOT_IDEMPOTENT:
        assert same(run(after), after)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bound_dimensions_are_numbers(case: GraphCase) -> None:
    for sizes in ({"batch": 2}, {"batch": 2, "time": 5}):
        after = bind_dimensions(sizes)(case.graph)
        verify(after)
        agree(case, case.graph, after, 1e-9)
        for value in after.values():
            named = [dim for dim in value.shape if isinstance(dim, str)]
            assert not any(name in dim for dim in named for name in sizes), value
        assert same(bind_dimensions(sizes)(after), after)


def _has(case: GraphCase, *classes: type[Op]) -> bool:
    return any(isinstance(node.op, classes) for node in case.graph.nodes)


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        pytest.param(case, kind, id=f"{case.id}-{kind.__name__}")
        for case in CASES
        for kind in DECOMPOSITIONS
        if _has(case, kind)
    ],
)
def test_each_decomposition_alone(case: GraphCase, kind: type[Op]) -> None:
    after = decompose(kind)(case.graph)
    assert not _has(GraphCase(case.id, after, {}), kind)
    hold(case, case.graph, after, 3e-7)  # scalars such as √2 are float32


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_all_decompositions_together(case: GraphCase) -> None:
    after = decompose(*DECOMPOSITIONS)(case.graph)
    assert not _has(GraphCase(case.id, after, {}), *DECOMPOSITIONS)
    hold(case, case.graph, after, 3e-7)


@pytest.mark.parametrize("kind", DECOMPOSITIONS, ids=lambda kind: kind.__name__)
def test_decompositions_of_extreme_values(kind: type[Op]) -> None:
    """Far from zero and near it they neither overflow nor cancel."""
    for case in ALL_GRAPHS:
        (value, *more), node = case.graph.inputs, case.graph.nodes[0]
        if type(node.op) is not kind or more or case.graph.constants or len(value.shape) < 2:
            continue
        shape = tuple(3 if isinstance(dim, str) else dim for dim in value.shape)
        points = np.array([-1e4, -300, -90, -1e-3, 1e-3, 80, 300, 1e4], value.dtype.numpy)
        inputs = {value.name: np.resize(points, shape)}
        expected = evaluate(case.graph, inputs)
        found = evaluate(decompose(*DECOMPOSITIONS)(case.graph), inputs)
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], 2e-5, 2e-6, err_msg=case.id)


def test_common_folds_a_whole_chain() -> None:
    """Pad, convolution, bias, BatchNorm, scale: one convolution, under the name of the last."""
    build = Builder("chain")
    x = build.input("x", "batch", 5, 5, 2)
    x = build.add("pad", ops.Pad((0, 1, 0, 0), (0, 1, 2, 0)), x)
    conv = ops.Conv((1, 1), ((0, 0), (0, 0)), "last", (1, 1))
    x = build.add("conv", conv, x, build.random("conv/kernel", 3, 3, 2, 4))
    x = build.add("biased", ops.Add(), x, build.random("bias", 1, 1, 1, 4))
    x = build.add("norm", ops.BatchNorm(3, 1e-3), x, *statistics(build, "norm", 4))
    x = build.add("scaled", ops.Multiply(), x, build.constant("two", np.float32(2)))
    case = build.case(build.add("out", ops.Relu(), x))
    after = common(case.graph)
    assert [type(node.op) for node in after.nodes] == [ops.Conv, ops.Relu]
    assert after.nodes[0].name == "scaled"
    (fused,) = fuse_activations(after).nodes[-1:]
    assert fused.op == ops.Conv((1, 1), ((1, 1), (0, 2)), "last", (1, 1), activation="relu")
    hold(case, case.graph, remove_dead(fuse_activations(after)), 1e-6)


def test_bias_needs_no_new_kernel() -> None:
    build = Builder("biased")
    x = build.input("x", "batch", 3)
    product = build.add("product", ops.MatMul(), x, build.random("kernel", 3, 4))
    case = build.case(build.add("out", ops.Add(), product, build.random("bias", 4)))
    (node,) = common(case.graph).nodes
    assert [value.name for value in node.inputs[:2]] == ["x", "kernel"]


def test_sizes_spread_through_expressions() -> None:
    build = Builder("time")
    x = build.input("x", "batch", "time", 4)
    padded = build.add("padded", ops.Pad((0, 2, 0), (0, 0, 0)), x)
    flat = build.add("flat", ops.Reshape(("batch", "time+2", 2, 2)), padded)
    case = build.case(flat)
    after = bind_dimensions({"time": 5})(case.graph)
    assert after.outputs[0].type == TensorType(DType.float32, ("batch", 7, 2, 2))


@settings(max_examples=150)
@given(random_graphs())
def test_random_graphs(case: GraphCase) -> None:
    for run in (common, common_first, everything_first, decompose(*DECOMPOSITIONS)):
        hold(case, case.graph, run(case.graph), 1e-5)
    bound = bind_dimensions({"batch": 2})(case.graph)
    verify(bound)
    agree(case, case.graph, common_first(bound), 1e-5)


def upsampled(
    *, height: int | str = 3, shown: bool = False, first: int = 1, rank: int = 4
) -> Graph:
    build = Builder("upsampled")
    x = build.input("x", "batch", height, *(4,) * (rank - 3), 2)
    tall = build.add("tall", ops.Repeat(2, first - rank), x)
    both = build.add("both", ops.Repeat(3, 3 - first), tall)
    return build.case(both, *([tall] if shown else [])).graph


def test_repeats_of_height_and_width_become_one_resize() -> None:
    for first in (1, 2):
        graph = remove_dead(join_repeats(upsampled(first=first)))
        (node,) = graph.nodes
        size = (6, 12) if first == 1 else (9, 8)
        assert node.op == ops.Resize(size, "nearest", "last")
        inputs = {"x": np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype(np.float32)}
        (found,) = evaluate(graph, inputs).values()
        (expected,) = evaluate(upsampled(first=first), inputs).values()
        np.testing.assert_array_equal(found, expected)
    for kept in (upsampled(height="height"), upsampled(shown=True), upsampled(rank=5)):
        assert [type(node.op) for node in join_repeats(kept).nodes] == [ops.Repeat] * 2
