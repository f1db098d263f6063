"""The base class of formats: options, passes, rules, a writer, and a runner for the real
runtime."""

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
    """Return a class attribute that imports ``module:name`` on first use. A format's declarations
    can be read without importing the compiler or NumPy."""
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
    """Returns why a format cannot express a node although it has a rule for the operation."""

    def __call__(self, node: Node, graph: Graph, /) -> str | None:
        """Return the reason, or None. ``graph`` contains the node; inside a loop it is the body,
        with the inputs of the whole graph."""


Chosen = TypeVar("Chosen", bound=Model)
"""The options of a format."""


class Format(ABC, Generic[Chosen]):
    """A file format. It reads only lowered graphs; platforms choose its options."""

    name: ClassVar[str]
    """The key in specs and on the command line: ``onnx``."""
    suffix: ClassVar[str]
    """The suffix of the artifact's main file or folder: ``.onnx``."""
    companions: ClassVar[tuple[str, ...]] = ()
    """The suffixes, after the main file's name, of the files that only some artifacts have. One
    that an earlier artifact left behind is removed when another takes its place."""
    options: type[Chosen]
    """The class of its options. Each option is honoured or refused."""
    rules: ClassVar[Table[Any]]
    """The rule that writes each op, and the reasons for ops that are refused."""
    limits: ClassVar[Mapping[type, Limit]] = MappingProxyType({})
    """Forms of ops that the format cannot express, by the op's class or a base class."""
    reference: ClassVar[Mapping[type, Callable[..., Any]]] = MappingProxyType({})
    """The NumPy evaluation of ops that only this format's passes create."""
    runner: ClassVar[str]
    """``module:class`` of the Runner, imported only in the process that runs artifacts."""
    packages: ClassVar[tuple[str, ...]]
    """Installed packages whose versions affect the written file or how it runs."""
    fixed_shapes: ClassVar[bool] = False
    """Whether every dimension needs a size before the artifact can be written."""
    largest_bytes: ClassVar[int | None] = None
    """The largest total size of the weights in bytes; None if the format has no limit."""

    @abstractmethod
    def passes(self, options: Chosen) -> tuple[Pass, ...]:
        """Return the passes that convert the common graph to the graph that is written."""

    def lower(self, graph: Graph, options: Chosen) -> Graph:
        """Apply this format's passes to a graph, for `refusals` and `write`. Raises PassError."""
        from kspec.compiler.passes import run_passes

        return run_passes(graph, self.passes(options))

    def refusals(self, graph: Graph, options: Chosen) -> tuple[Refusal, ...]:  # noqa: ARG002
        """Return the nodes of a lowered graph that the format cannot express."""
        from kspec.targets.formats.limits import Language, beyond_bytes, beyond_limits

        language = Language(self.name, self.rules, self.limits)
        return (
            *beyond_limits(language, graph),
            *beyond_bytes(self.name, graph, self.largest_bytes),
        )

    def fixed(self, options: Chosen) -> Mapping[str, int]:  # noqa: ARG002
        """Return the artifact's fixed sizes of named dimensions, including the batch."""
        return {}

    def sized(self, options: Chosen, sizes: Mapping[str, int]) -> Chosen:  # noqa: ARG002
        """Return the options for a model whose symbolic dimensions may have these sizes; the batch
        may be one of them."""
        return options

    def decisive(self, options: Chosen) -> Mapping[str, Any]:
        """Return the options that affect the outputs, as plain data, without metadata."""
        return options.model_dump(mode="json")

    def tolerance(self, options: Chosen) -> Tolerance:  # noqa: ARG002
        """Return the permitted error with these options, however exact the trained model is."""
        return Tolerance()

    @abstractmethod
    def write(self, graph: Graph, path: Path, options: Chosen) -> tuple[str, ...]:
        """Write a lowered graph as it is, and return every file of the artifact as a POSIX path
        relative to the folder of ``path``.

        ``path`` does not exist yet and has this format's suffix; names of further files begin
        with its name. The same graph and options give the same bytes, in every
        process. Public names of inputs and outputs are the graph's. Raises ValueError for a graph
        that the format cannot hold.
        """


class Runner(Protocol):
    """An artifact opened in its own runtime. It is created in a new process from the artifact's
    path, and called with raw inputs by public name."""

    runtime: str
    """Engine and version: ``onnxruntime 1.31.1``."""
    inputs: Mapping[str, TensorType]
    """The types that the artifact declares; a variable dimension is a str."""
    outputs: Mapping[str, TensorType]

    def __init__(self, path: Path, *, threads: int = 1) -> None: ...

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return outputs by public name, for arrays of exactly the declared shapes."""
