"""Small graphs that together exercise every pass, and their text after each of them.

python -m tests.compiler.pass_graphs      write the golden files again
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kspec.compiler import ops
from kspec.compiler.ir import Graph, Value
from kspec.compiler.passes import pass_name, run_passes
from kspec.compiler.passes.common import COMMON
from kspec.compiler.text import format_graph
from kspec.targets.registry import formats
from tests.graphs import Builder
from tests.graphs.recurrent import recurrent

GOLDEN = Path(__file__).parent / "golden" / "passes"
UNCHANGED = "unchanged\n"

SIZES: Mapping[str, int] = {"time": 3, "height": 4}


def normalised(build: Builder, x: Value, name: str, channels: int) -> Value:
    scale, offset, mean = (build.random(f"{name}/{part}", channels) for part in ("s", "o", "m"))
    variance = build.random(f"{name}/v", channels, low=0.5, high=2)
    return build.add(name, ops.BatchNorm(x.type.rank - 1, 1e-3), x, scale, offset, mean, variance)


def convolved(build: Builder, x: Value, name: str, filters: int, stride: int = 1) -> Value:
    kernel = build.random(f"{name}/kernel", 3, 3, int(x.shape[-1]), filters)
    conv = ops.Conv((stride, stride), ((1, 1), (1, 1)), "last", (1, 1))
    return build.add(name, conv, x, kernel)


def classifier(build: Builder) -> tuple[Value, ...]:
    x = build.input("pixels", "batch", 8, 8, 3)
    x = build.add("rescaled", ops.Multiply(), x, build.constant("scale", np.float32(0.0625)))
    x = build.add("relu", ops.Relu(), normalised(build, convolved(build, x, "conv", 4), "bn", 4))
    x = build.add("pool", ops.MaxPool((2, 2), ((0, 0), (0, 0)), "last", (2, 2)), x)
    x = build.add("flat", ops.Reshape(("batch", 64)), x)
    x = build.add("dense", ops.Linear(), x, build.random("kernel", 64, 3))
    x = build.add("biased", ops.Add(), x, build.random("bias", 3))
    return (build.add("class", ops.Softmax(1), x),)


def residual(build: Builder) -> tuple[Value, ...]:
    x = build.input("pixels", "batch", "height", "height", 2)
    short = convolved(build, x, "short", 4, 2)
    long = build.add("act", ops.Clip(0.0, 6.0), convolved(build, x, "long", 4, 2))
    joined = build.add("sum", ops.Add(), short, long)
    return (build.add("mean", ops.Mean((1, 2), False), joined),)


def excited(build: Builder) -> tuple[Value, ...]:
    """A gate over the channels between convolutions."""
    x = convolved(build, build.input("pixels", "batch", 6, 6, 2), "first", 4)
    gate = build.add("squeezed", ops.Mean((1, 2), True), x)
    gate = build.add("gate", ops.Linear(), gate, build.random("kernel", 4, 4))
    x = build.add("excited", ops.Multiply(), x, build.add("open", ops.Sigmoid(), gate))
    return (convolved(build, x, "second", 3),)


def folded(build: Builder) -> tuple[Value, ...]:
    """Arithmetic on constants, operations that do nothing, and a node that nobody reads."""
    x = build.input("x", "batch", 4)
    table, other = build.random("table", 4), build.random("other", 4)
    shift = build.add("shift", ops.Subtract(), table, other)
    x = build.add("shifted", ops.Add(), x, shift)
    build.add("unread", ops.Exp(), x)
    x = build.add("same", ops.Identity(), x)
    x = build.add("wide", ops.Reshape(("batch", 2, 2)), x)
    return (build.add("y", ops.Reshape(("batch", 4)), x),)


def equal(build: Builder) -> tuple[Value, ...]:
    """The same constants and the same nodes twice."""
    x = build.input("x", "batch", 4)
    kernel = build.random("kernel", 4, 4)
    again = build.constant("again", build.constants["kernel"].copy())
    first = build.add("first", ops.Linear(), x, kernel)
    second = build.add("second", ops.Linear(), x, again)
    return (build.add("sum", ops.Add(), first, second),)


def normal(build: Builder) -> tuple[Value, ...]:
    """Operations that TFLite decomposes."""
    x = build.input("x", "batch", 4)
    scale, offset = build.random("scale", 4), build.random("offset", 4)
    x = build.add("normal", ops.LayerNorm(1e-3), x, scale, offset)
    x = build.add("silu", ops.Silu(), x)
    return (build.add("half", ops.Divide(), x, build.constant("two", np.float32(2))),)


def activated(build: Builder) -> tuple[Value, ...]:
    x = build.input("x", "batch", 4)
    x = build.add("dense", ops.Linear(), x, build.random("kernel", 4, 4))
    return (build.add("relu", ops.Relu(), x),)


def upsampled(build: Builder) -> tuple[Value, ...]:
    x = build.input("pixels", "batch", 2, 3, 2)
    tall = build.add("tall", ops.Repeat(2, 1), x)
    return (convolved(build, build.add("both", ops.Repeat(2, 2), tall), "conv", 2),)


def shuffled(build: Builder) -> tuple[Value, ...]:
    """Channels into pixels: a transpose of six axes."""
    x = build.input("pixels", "batch", 2, 3, 8)
    x = build.add("split", ops.Reshape(("batch", 2, 3, 2, 2, 2)), x)
    x = build.add("moved", ops.Transpose((0, 1, 3, 2, 4, 5)), x)
    return (build.add("merged", ops.Reshape(("batch", 4, 6, 2)), x),)


def both_ways(build: Builder) -> tuple[Value, ...]:
    x, found = build.input("x", "batch", "time", 2), []
    for direction in ("forward", "reverse"):
        weights = [
            build.random(f"{direction}/kernel", 2, 12),
            build.random(f"{direction}/recurrent", 3, 12),
            build.random(f"{direction}/bias", 12),
            build.constant(f"{direction}/h", np.zeros((1, 3), np.float32)),
            build.constant(f"{direction}/c", np.zeros((1, 3), np.float32)),
        ]
        names = tuple(f"{direction}/{part}" for part in ("sequence", "final_h", "final_c"))
        op = ops.Lstm(direction="reverse" if direction == "reverse" else "forward")
        found.append(build.add_all(names, op, x, *weights))
    return (build.add("both", ops.Concat(2), *(each[0] for each in found)),)


def looped(_build: Builder) -> Graph:
    """A masked GRU over a symbolic number of steps: a loop in every format."""
    return recurrent("looped", ops.Gru(), time="time", mask=True, outputs=(0,)).graph


def unrolled(_build: Builder) -> Graph:
    """A GRU of two steps: short enough to be unrolled."""
    return recurrent("unrolled", ops.Gru(), time=2, outputs=(1,)).graph


GRAPHS = {
    each.__name__: each
    for each in (
        classifier,
        residual,
        excited,
        folded,
        equal,
        normal,
        activated,
        upsampled,
        shuffled,
        both_ways,
        looped,
        unrolled,
    )
}


def graph_of(name: str) -> Graph:
    build = Builder(name)
    made: Any = GRAPHS[name](build)
    return made if isinstance(made, Graph) else build.case(*made).graph


def stages(name: str) -> Iterator[tuple[str, Graph, Graph]]:
    """Yield each pass with the graph before and after it: the common passes, then each format's
    passes on their result."""
    common = graph_of(name)
    yield "graph", common, common
    for each in COMMON:
        before, common = common, run_passes(common, (each,))
        yield pass_name(each), before, common
    for key, format_ in formats().items():
        after = common
        for each in format_.passes(format_.sized(format_.options(), SIZES)):
            before, after = after, run_passes(after, (each,))
            yield f"{key}: {pass_name(each)}", before, after


def text_of(name: str) -> str:
    """Return the text after every pass, or a note that the pass changes nothing."""
    parts = []
    for title, before, after in stages(name):
        text = format_graph(after)
        same = title != "graph" and text == format_graph(before)
        parts.append(f"== {title}\n{UNCHANGED if same else text}")
    return "\n".join(parts)


def main() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name in GRAPHS:
        (GOLDEN / f"{name}.ir").write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    main()
