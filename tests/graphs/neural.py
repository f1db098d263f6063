"""Normalisation and products, and a few small networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Dim, Value
from tests.graphs.builder import Builder, Domain, GraphCase, single


def normalisations() -> Iterator[GraphCase]:
    for case, shape, axis in (
        ("2d", ("batch", 5), 1),
        ("3d", ("batch", 4, 3), 2),
        ("4d", ("batch", 4, 3, 5), 3),
        ("axis1", ("batch", 3, 4, 2), 1),
        ("5d", ("batch", 2, 3, 2, 4), 4),
    ):
        build = Builder(f"BatchNorm-{case}")
        x = build.input("x", *shape)
        op = ops.BatchNorm(axis, 1e-3)
        yield build.case(build.add("out", op, x, *statistics(build, "layer", int(shape[axis]))))
    for case, shape, epsilon in (
        ("2d", ("batch", 6), 1e-3),
        ("3d", ("batch", 4, 6), 1e-6),
        ("4d", ("batch", 2, 3, 6), 1e-3),
    ):
        build = Builder(f"LayerNorm-{case}")
        x = build.input("x", *shape)
        scale, offset = build.random("layer/scale", 6), build.random("layer/offset", 6)
        yield build.case(build.add("out", ops.LayerNorm(epsilon), x, scale, offset))


def softmaxes() -> Iterator[GraphCase]:
    for op in (ops.Softmax, ops.LogSoftmax):
        for case, axis, shape in (
            ("2d", 1, ("batch", 5)),
            ("last", -1, ("batch", 3, 4)),
            ("4d", 3, ("batch", 2, 3, 4)),
            ("axis1", 1, ("batch", 3, 4)),
        ):
            yield single(f"{op.__name__}-{case}", op(axis), *shape, domain=Domain(-8.0, 8.0))


def products() -> Iterator[GraphCase]:
    for case, left, right in (
        ("2d-constant", ("batch", 4), (4, 5)),
        ("3d-constant", ("batch", 3, 4), (4, 5)),
        ("3d", ("batch", 3, 4), ("batch", 4, 5)),
        ("4d", ("batch", 2, 3, 4), ("batch", 2, 4, 5)),
        ("broadcast", ("batch", 2, 3, 4), ("batch", 1, 4, 5)),
    ):
        yield _product(f"MatMul-{case}", ops.MatMul(), left, right)
    for activation in ("linear", "relu", "relu6"):
        build = Builder(f"Linear-{activation}")
        x, kernel = build.input("x", "batch", 6), build.random("layer/kernel", 6, 4, low=-3, high=3)
        bias = build.random("layer/bias", 4)
        yield build.case(build.add("out", ops.Linear(activation), x, kernel, bias))
    yield _product("Linear-no-bias", ops.Linear(), ("batch", 6), (6, 4))
    yield _product("Linear-3d", ops.Linear(), ("batch", 3, 6), (6, 4))
    yield _product("Linear-4d", ops.Linear(), ("batch", 2, 3, 6), (6, 4))


def networks() -> Iterator[GraphCase]:
    yield _classifier()
    yield _two_headed()
    yield _attention()


def statistics(build: Builder, layer: str, size: int) -> tuple[Value, ...]:
    return (
        build.random(f"{layer}/gamma", size),
        build.random(f"{layer}/beta", size),
        build.random(f"{layer}/moving_mean", size),
        build.random(f"{layer}/moving_variance", size, low=0.3, high=2.0),
    )


def _product(case: str, op: ops.MatMul | ops.Linear, *shapes: tuple[Dim, ...]):
    build = Builder(case)
    inputs = [
        build.input(f"x{index}", *shape)
        if "batch" in shape
        else build.random("layer/kernel", *map(int, shape))
        for index, shape in enumerate(shapes)
    ]
    return build.case(build.add("out", op, *inputs))


def _classifier() -> GraphCase:
    """Convolution, BatchNorm, relu, pooling, flatten, softmax: what the digits example is."""
    build = Builder("network-classifier")
    x = build.input("pixels", "batch", 8, 8, 1, domain=Domain(0.0, 16.0))
    scale = build.constant("rescaling/scale", np.float32(1 / 16))
    x = build.add("rescaling", ops.Multiply(), x, scale)
    same = {"padding": ((1, 1), (1, 1)), "channels": "last"}
    conv = ops.Conv(strides=(1, 1), dilations=(1, 1), **same)
    x = build.add("conv2d", conv, x, build.random("conv2d/kernel", 3, 3, 1, 4))
    x = build.add(
        "batch_normalization", ops.BatchNorm(3, 1e-3), x, *statistics(build, "batch_norm", 4)
    )
    x = build.add("relu", ops.Relu(), x)
    pool = ops.MaxPool(strides=(2, 2), padding=((0, 0), (0, 0)), channels="last", window=(2, 2))
    x = build.add("max_pooling2d", pool, x)
    x = build.add("flatten", ops.Reshape(("batch", 64)), x)
    kernel, bias = build.random("dense/kernel", 64, 10), build.random("dense/bias", 10)
    x = build.add("dense", ops.Linear(), x, kernel, bias)
    return build.case(build.add("digit", ops.Softmax(-1), x))


def _two_headed() -> GraphCase:
    """Two inputs, two outputs, one value read by three nodes."""
    build = Builder("network-two-headed")
    left, right = build.input("left", "batch", 4), build.input("right", "batch", 3)
    joined = build.add("joined", ops.Concat(1), left, right)
    kernel = build.random("shared/kernel", 7, 7)
    hidden = build.add("hidden", ops.Linear("relu"), joined, kernel)
    summed = build.add("summed", ops.Add(), hidden, joined)
    score = build.add("score", ops.Mean((1,)), summed)
    label = build.add("label", ops.ArgMax(1), hidden)
    return build.case(label, score)


def _attention() -> GraphCase:
    build = Builder("network-attention")
    x = build.input("tokens", "batch", 5, 8)
    query, key, value = (
        build.add(name, ops.Linear(), x, build.random(f"{name}/kernel", 8, 8))
        for name in ("query", "key", "value")
    )
    transposed = build.add("transposed", ops.Transpose((0, 2, 1)), key)
    scores = build.add("scores", ops.MatMul(), query, transposed)
    weights = build.add("weights", ops.Softmax(-1), scores)
    return build.case(build.add("out", ops.MatMul(), weights, value))


CASES = (*normalisations(), *softmaxes(), *products(), *networks())
