"""The lists of steps that an expansion works on, and the steps that it returns."""

from dataclasses import dataclass, field

from kspec.spec.diagnostics import Route, Span
from kspec.spec.node import Node
from kspec.spec.parameters import Scope

Sources = tuple[str, ...] | None
"""Names of steps or inputs; None if a name was unknown and reported."""


@dataclass(frozen=True, slots=True, eq=False)
class Expanded:
    """A step with its place in the graph, its layer not yet judged."""

    name: str
    key: str
    """The layer's key."""
    node: Node
    """The layer as `{key: arguments}` or as the bare key, all `${…}` computed."""
    inputs: Sources
    route: Route
    calls: tuple[Route, ...]
    is_known: bool
    """Whether there is such a layer."""
    shared: str | None = None
    """The step whose layer, with its variables, is called again."""

    def point(self) -> Span:
        """The place of the layer's key."""
        arguments = self.node.mapping.get(self.key)
        return arguments.key if arguments and arguments.key else self.node.point()


@dataclass(slots=True)
class Level:
    """One list of steps that is being expanded: the network, or a block's body in a call."""

    scope: Scope
    prefix: str
    incoming: Sources
    calls: tuple[Route, ...]
    blocks: tuple[str, ...]
    """The blocks whose calls led here."""
    reserved: set[str]
    """Names that unnamed steps must not get."""
    previous: Sources = None
    below: dict[str, Node] = field(default_factory=dict)
    """Names of later steps."""
    counts: dict[str, int] = field(default_factory=dict)
    """The last number given to each stem of a name."""
