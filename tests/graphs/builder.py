"""Small graphs with random constants, and inputs inside each operation's domain."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from kspec.compiler.ir import Array, Dim, DType, Graph, Node, Op, Origin, TensorType, Value


@dataclass(frozen=True, slots=True)
class Domain:
    """Where an input's elements lie: uniformly, or on the multiples of ``grid``, where ties and
    zeros occur."""

    low: float = -2.0
    high: float = 2.0
    grid: float | None = None
    nan: bool = False

    def draw(self, rng: np.random.Generator, dtype: DType, shape: tuple[int, ...]) -> Array:
        if dtype is DType.boolean:
            return rng.integers(0, 2, shape).astype(bool)
        if not dtype.is_float:
            return rng.integers(int(self.low), int(self.high) + 1, shape).astype(dtype.numpy)
        array = rng.uniform(self.low, self.high, shape)
        if self.grid is not None:
            array = np.round(array / self.grid) * self.grid
        if self.nan:
            array = np.where(rng.uniform(size=shape) < 0.4, np.nan, array)
        return array.astype(dtype.numpy)


@dataclass(frozen=True, slots=True)
class GraphCase:
    """A graph, called by the operation it is about and what is particular to it."""

    id: str
    graph: Graph
    domains: Mapping[str, Domain]


@dataclass(slots=True)
class Builder:
    """Collects a graph; a node's type is what its operation infers."""

    id: str
    inputs: list[Value] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)

    def input(
        self,
        name: str,
        *shape: Dim,
        dtype: DType = DType.float32,
        domain: Domain | None = None,
    ) -> Value:
        value = Value(name, TensorType(dtype, shape))
        self.inputs.append(value)
        self.domains[name] = domain or Domain()
        return value

    def constant(self, name: str, array: ArrayLike) -> Value:
        self.constants[name] = array = np.asarray(array)
        return Value(name, TensorType.of(array))

    def random(self, name: str, *shape: int, low: float = -1.0, high: float = 1.0) -> Value:
        rng = np.random.default_rng(zlib.crc32(f"{self.id} {name}".encode()))
        return self.constant(name, rng.uniform(low, high, shape).astype(np.float32))

    def add(self, name: str, op: Op, *inputs: Value) -> Value:
        (output,) = self.add_all((name,), op, *inputs)
        return output

    def add_all(self, names: tuple[str, ...], op: Op, *inputs: Value) -> tuple[Value, ...]:
        """A node with several outputs."""
        types = op.infer(*(value.type for value in inputs))
        outputs = tuple(Value(*pair) for pair in zip(names, types, strict=True))
        self.nodes.append(Node(op, inputs, outputs, Origin("layer", ("network", 0))))
        return outputs

    def case(self, *outputs: Value) -> GraphCase:
        name = self.id.replace("-", "_").lower()
        graph = Graph(name, tuple(self.inputs), outputs, tuple(self.nodes), self.constants)
        return GraphCase(self.id, graph, self.domains)


def feeds(case: GraphCase, batch: int = 1, seed: int = 0, *, time: int = 5) -> dict[str, Array]:
    """Inputs by name, equal for equal arguments; ``batch`` and ``time`` are the sizes of the
    symbolic dimensions."""
    rng = np.random.default_rng([zlib.crc32(case.id.encode()), seed])
    sizes = {"batch": batch, "time": time}
    return {
        value.name: case.domains[value.name].draw(
            rng, value.dtype, tuple(sizes[d] if isinstance(d, str) else d for d in value.shape)
        )
        for value in case.graph.inputs
    }


def single(
    case: str,
    op: Op,
    *shape: Dim,
    dtype: DType = DType.float32,
    domain: Domain | None = None,
) -> GraphCase:
    """One input, one node."""
    build = Builder(case)
    return build.case(build.add("out", op, build.input("x", *shape, dtype=dtype, domain=domain)))
