"""What a format is: options, passes, rules, a writer, and a runner for its real runtime."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from kspec.schemas.base import Model

if TYPE_CHECKING:
    import numpy as np

    from kspec.compiler.ir import Graph, TensorType
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table


def lazy(path: str) -> Any:
    """A class attribute that lies elsewhere, ``module:name``, and is imported when it is asked for:
    what a format declares is read without the compiler and NumPy."""
    return _Lazy(path)


class _Lazy:
    def __init__(self, path: str) -> None:
        self.path = path

    def __get__(self, instance: object, owner: type) -> Any:
        module, _, name = self.path.partition(":")
        return getattr(import_module(module), name)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A node that a format cannot express, and why."""

    node: str
    op: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tolerance:
    """An output agrees where |Δ| ≤ atol · s + rtol · |reference|; s is the largest |reference| of
    the output, at most 1. Rounding of the trained model may allow more."""

    atol: float = 1e-6
    rtol: float = 1e-6


class Format(ABC):
    """One file format. It reads lowered graphs and nothing else; platforms choose its options."""

    name: ClassVar[str]
    """The key in specs and on the command line: ``onnx``."""
    suffix: ClassVar[str]
    """What follows the model's name on disk: ``.onnx``; empty where the artifact is a folder."""
    options: ClassVar[type[Model]]
    """What a user may choose; every option is honoured or refused."""
    passes: ClassVar[tuple[Pass, ...]]
    """What runs on the common graph before this format writes it."""
    rules: ClassVar[Table[Any]]
    """How each op is written, and which are refused."""
    runner: ClassVar[str]
    """``module:class`` of the Runner, imported only in the process that runs artifacts."""
    packages: ClassVar[tuple[str, ...]]
    """Installed packages whose version decides what is written or how it runs."""

    def lower(self, graph: Graph) -> Graph:
        """The graph with this format's passes applied."""
        from kspec.compiler.passes import run_passes

        return run_passes(graph, self.passes)

    def refusals(self, graph: Graph) -> tuple[Refusal, ...]:
        """The nodes of a lowered graph that have no rule; empty when it can be written."""
        from kspec.compiler.passes.bodies import every_node

        return tuple(
            Refusal(
                name,
                type(node.op).__name__,
                self.rules.refused.get(type(node.op), f"{self.name} has no rule for it"),
            )
            for name, node in every_node(graph)
            if type(node.op) not in self.rules
        )

    def tolerance(self, options: Model) -> Tolerance:  # noqa: ARG002
        """The error that is admitted with these options, however exact the trained model is."""
        return Tolerance()

    @abstractmethod
    def write(self, graph: Graph, path: Path, options: Model) -> None:
        """Write a lowered graph. ``path`` does not exist yet and ends as this format's files do.
        The same graph and options give the same bytes, in every process. Public names of inputs
        and outputs are the graph's."""


class Runner(Protocol):
    """An artifact opened in its own runtime. Made in a fresh process by the artifact's path, and
    then called with raw inputs by public name."""

    runtime: str
    """Engine and version: ``onnxruntime 1.31.1``."""
    inputs: Mapping[str, TensorType]
    """What the artifact itself declares; a dimension is a str where it may vary."""
    outputs: Mapping[str, TensorType]

    def __init__(self, path: Path, *, threads: int = 1) -> None: ...

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs by public name, for arrays of exactly the declared shapes."""
