"""The lists of steps during an expansion, and the expanded steps."""

from dataclasses import dataclass, field

from kspec.spec.diagnostics import Route, Span
from kspec.spec.node import Node
from kspec.spec.parameters import Scope

Sources = tuple[str, ...] | None
"""Names of steps or inputs; None if a name was unknown and reported."""


@dataclass(frozen=True, slots=True, eq=False)
class Expanded:
    """A step with its place in the graph; its layer is not validated yet."""

    name: str
    key: str
    """The layer's key."""
    node: Node
    """The layer as `{key: arguments}` or as the bare key, all `${…}` computed."""
    inputs: Sources
    route: Route
    calls: tuple[Route, ...]
    is_known: bool
    """Whether a layer has this key."""
    shared: str | None = None
    """The step whose layer, with its variables, is called again."""

    def point(self) -> Span:
        """Return the place of the layer's key."""
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
    """The blocks of the enclosing calls."""
    reserved: set[str]
    """Names that unnamed steps must not receive."""
    previous: Sources = None
    below: dict[str, Node] = field(default_factory=dict)
    """Names of later steps."""
    counts: dict[str, int] = field(default_factory=dict)
    """The last number given to each stem of a name."""
