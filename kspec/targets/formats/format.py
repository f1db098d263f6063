"""What a format is: options, passes, rules, a writer, and a runner for its real runtime."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from kspec.schemas.base import Model
from kspec.targets.formats.refusal import Refusal

if TYPE_CHECKING:
    import numpy as np

    from kspec.compiler.ir import Graph, Node, TensorType
    from kspec.compiler.passes import Pass
    from kspec.compiler.table import Table


def lazy(path: str) -> Any:
    """A class attribute that is defined as ``module:name`` and imported on first use. A format's
    declarations can be read without importing the compiler or NumPy."""
    return _Lazy(path)


class _Lazy:
    def __init__(self, path: str) -> None:
        self.path = path

    def __get__(self, instance: object, owner: type) -> Any:
        module, _, name = self.path.partition(":")
        return getattr(import_module(module), name)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """An output agrees where |Δ| ≤ atol · s + rtol · |reference|; s is the largest |reference| of
    the output, at most 1. Rounding of the trained model may allow more."""

    atol: float = 1e-6
    rtol: float = 1e-6


LARGEST_FILE = 2**31 - 2**24
"""Bytes of weights that fit into a file whose offsets are signed 32-bit numbers. The difference to
2 GB is left for nodes and names."""


class Limit(Protocol):
    """Tells why a format cannot express a node although it has a rule for the operation."""

    def __call__(self, node: Node, graph: Graph, /) -> str | None:
        """The reason, or None. ``graph`` is the graph of the node; inside a loop it is the body,
        with the inputs of the whole graph."""


Chosen = TypeVar("Chosen", bound=Model)
"""The options of a format."""


class Format(ABC, Generic[Chosen]):
    """One file format. It reads lowered graphs and nothing else; platforms choose its options."""

    name: ClassVar[str]
    """The key in specs and on the command line: ``onnx``."""
    suffix: ClassVar[str]
    """The suffix of the artifact's main file or folder: ``.onnx``."""
    options: type[Chosen]
    """What a user may choose; every option is honoured or refused."""
    rules: ClassVar[Table[Any]]
    """How each op is written, and which ops are refused."""
    limits: ClassVar[Mapping[type, Limit]] = MappingProxyType({})
    """What the format cannot express, by the class of the op or one of its base classes."""
    reference: ClassVar[Mapping[type, Callable[..., Any]]] = MappingProxyType({})
    """The NumPy evaluation of ops that only this format's passes make."""
    runner: ClassVar[str]
    """``module:class`` of the Runner, imported only in the process that runs artifacts."""
    packages: ClassVar[tuple[str, ...]]
    """Installed packages whose version decides what is written or how it runs."""
    fixed_shapes: ClassVar[bool] = False
    """Whether every dimension needs a size before the artifact can be written."""
    largest_bytes: ClassVar[int | None] = None
    """The largest total size of the weights in bytes; None if the format has no limit."""

    @abstractmethod
    def passes(self, options: Chosen) -> tuple[Pass, ...]:
        """The passes that turn the common graph into the graph that is written."""

    def lower(self, graph: Graph, options: Chosen) -> Graph:
        """The graph with this format's passes applied: `refusals` and `write` take this graph.
        Raises PassError."""
        from kspec.compiler.passes import run_passes

        return run_passes(graph, self.passes(options))

    def refusals(self, graph: Graph, options: Chosen) -> tuple[Refusal, ...]:  # noqa: ARG002
        """The nodes of a lowered graph that the format cannot express; empty if it can be
        written."""
        from kspec.targets.formats.limits import Language, beyond_bytes, beyond_limits

        language = Language(self.name, self.rules, self.limits)
        return (
            *beyond_limits(language, graph),
            *beyond_bytes(self.name, graph, self.largest_bytes),
        )

    def fixed(self, options: Chosen) -> Mapping[str, int]:  # noqa: ARG002
        """The sizes that the artifact has for named dimensions, the batch among them."""
        return {}

    def sized(self, options: Chosen, sizes: Mapping[str, int]) -> Chosen:  # noqa: ARG002
        """The options for a model whose open dimensions have these sizes, among others; the batch
        may be one of them."""
        return options

    def decisive(self, options: Chosen) -> Mapping[str, Any]:
        """The options that decide the numbers, as plain data; metadata is left out."""
        return options.model_dump(mode="json")

    def tolerance(self, options: Chosen) -> Tolerance:  # noqa: ARG002
        """The error that is admitted with these options, however exact the trained model is."""
        return Tolerance()

    @abstractmethod
    def write(self, graph: Graph, path: Path, options: Chosen) -> tuple[str, ...]:
        """Write a lowered graph as it is, and return every file of the artifact as a POSIX path
        relative to the folder of ``path``.

        ``path`` does not exist yet and ends as this format's artifacts do; other files of the
        artifact begin with its name. The same graph and options give the same bytes, in every
        process. Public names of inputs and outputs are the graph's. Raises ValueError for a graph
        that the format cannot hold.
        """


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
