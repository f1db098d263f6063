"""A spec that was read, resolved and found sound."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kspec.schemas import Spec
from kspec.schemas.layers import Layer
from kspec.spec.diagnostics import Diagnostic, Route, Span
from kspec.spec.node import Node
from kspec.spec.roots import Roots
from kspec.spec.sizes import Sizes


@dataclass(frozen=True, slots=True)
class ResolvedStep:
    """One layer of the network, after params, blocks and `repeat` were worked out."""

    name: str
    """Unique; steps inside a block call are named `call/step`."""
    layer: Layer
    inputs: tuple[str, ...]
    """Names of the spec's inputs or of steps that stand before this one."""
    route: Route
    """Where the layer was written: `("network", 3, "conv2d")`, or inside the body of a block."""
    calls: tuple[Route, ...] = ()
    """The block calls that led to it, outermost first."""
    shared: str | None = None
    """The step above whose layer, with its variables, is called again."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A sound spec with its places. Steps stand in topological order, as they were written."""

    path: Path
    text: str
    spec: Spec
    """Resolved: params substituted; the network is in `steps`."""
    steps: tuple[ResolvedStep, ...]
    digest: str
    """SHA-256 of the resolved content, in hex: comments and formatting do not count."""
    root: Node
    """The YAML with its places, overrides applied."""
    sources: Mapping[str, str]
    """The text of each file that a span names."""
    warnings: tuple[Diagnostic, ...] = ()
    """The warnings, with their places, in the order of the text."""
    sizes: Sizes = field(default_factory=Sizes)
    """The tensors and weights of every step."""
    granted: tuple[Path, ...] = ()
    """Folders in which its data may lie, beside its own."""
    strict: bool = False
    """Whether warnings of a build are errors."""

    @property
    def roots(self) -> Roots:
        """The folders in which its data may lie."""
        return Roots(self.path.parent, self.granted)

    def span(self, route: Route) -> Span:
        """The place of `route`, or of the nearest place above it that was written."""
        return self.root.nearest(route).point()

    def locate(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with spans in place of its routes."""
        return locate(self.root, diagnostic)


def locate(root: Node, diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic with the spans that its routes have under `root`."""
    return replace(
        diagnostic,
        span=diagnostic.span or root.nearest(diagnostic.route).point(),
        call_spans=diagnostic.call_spans
        or tuple(root.nearest(route).point() for route in diagnostic.calls),
    )
