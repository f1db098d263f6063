"""A spec that was read, resolved and validated."""

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
    """One layer of the network, with params, blocks and `repeat` expanded."""

    name: str
    """Unique; steps inside a block call are named `call/step`."""
    layer: Layer
    inputs: tuple[str, ...]
    """Names of inputs of the spec or of earlier steps."""
    route: Route
    """The layer's place: `("network", 3, "conv2d")`, or a place in the body of a block."""
    calls: tuple[Route, ...] = ()
    """The enclosing block calls, outermost first."""
    shared: str | None = None
    """The earlier step whose layer, with its variables, is called again."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A valid spec with its places. Steps are in topological order, as written."""

    path: Path
    text: str
    spec: Spec
    """Resolved: params substituted; the network is in `steps`."""
    steps: tuple[ResolvedStep, ...]
    digest: str
    """SHA-256 of the resolved content, in hex: comments and formatting do not count."""
    root: Node
    """The YAML with its places, after overrides."""
    sources: Mapping[str, str]
    """The text of each file in a span."""
    warnings: tuple[Diagnostic, ...] = ()
    """The warnings, with their places, in the order of the text."""
    sizes: Sizes = field(default_factory=Sizes)
    """The tensors and weights of every step."""
    granted: tuple[Path, ...] = ()
    """Folders besides the spec's own that may contain its data."""
    strict: bool = False
    """Whether warnings of a build are errors."""

    @property
    def roots(self) -> Roots:
        """The folders that may contain its data."""
        return Roots(self.path.parent, self.granted)

    def span(self, route: Route) -> Span:
        """Return the place of `route`, or of its nearest ancestor that was written."""
        return self.root.nearest(route).point()

    def locate(self, diagnostic: Diagnostic) -> Diagnostic:
        """Return the diagnostic with the spans of its routes."""
        return locate(self.root, diagnostic)


def locate(root: Node, diagnostic: Diagnostic) -> Diagnostic:
    """Return the diagnostic with the spans of its routes in `root`."""
    return replace(
        diagnostic,
        span=diagnostic.span or root.nearest(diagnostic.route).point(),
        call_spans=diagnostic.call_spans
        or tuple(root.nearest(route).point() for route in diagnostic.calls),
    )
