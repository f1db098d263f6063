"""The YAML as a tree of nodes with their places in the text."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from kspec.spec.diagnostics import Route, Span

Scalar = str | int | float | bool | None
Value: TypeAlias = "Scalar | dict[str, Node] | list[Node]"
Style = Literal["plain", "quoted", "block", "collection", "unknown"]
"""Notation of a value; an `unknown` value could not be computed, which was reported."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value of the YAML: a scalar, a mapping of text to nodes, or a list of nodes.

    A computed node (an expression, an argument of a block) keeps the span and the parent of the
    written node, so that messages point to the user's text.
    """

    value: Value
    span: Span
    """The place of the value."""
    style: Style = "plain"
    key: Span | None = None
    """The place of the value's key; None for an item of a list and for the root."""
    parent: "Node | None" = field(default=None, repr=False)
    step: str | int = ""
    """The key or the index of this value in its parent."""
    written: str | None = None
    """The user's text if it differs from the value: `${2 * width}`, `1e3`."""
    defined: Span | None = None
    """The place of the value if the text is a single name: `${width}`."""

    @property
    def route(self) -> Route:
        """The path from the root of the file to this node."""
        steps: list[str | int] = []
        node = self
        while node.parent is not None:
            steps.append(node.step)
            node = node.parent
        return tuple(reversed(steps))

    @property
    def mapping(self) -> "dict[str, Node]":
        """The entries of a mapping; empty for other nodes."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> "list[Node]":
        """The items of a list; empty for other nodes."""
        return self.value if isinstance(self.value, list) else []

    @property
    def is_scalar(self) -> bool:
        """Whether the value is neither a mapping nor a list."""
        return not isinstance(self.value, dict | list)

    def child(self, step: str | int) -> "Node | None":
        """Return the node at a key or an index, or None."""
        if isinstance(step, str):
            return self.mapping.get(step)
        return self.items[step] if 0 <= step < len(self.items) else None

    def children(self) -> "Iterator[Node]":
        """Yield the direct children."""
        yield from self.mapping.values()
        yield from self.items

    def nearest(self, route: Route) -> "Node":
        """Return the deepest node along `route`; steps that are not written are skipped."""
        node = self
        for step in route:
            node = node.child(step) or node
        return node

    def count(self, limit: int) -> int:
        """Return the number of values at and below this node; counting stops at `limit`."""
        total = 0
        waiting: list[Node] = [self]
        while waiting and total <= limit:
            total += 1
            waiting.extend(waiting.pop().children())
        return total

    def plain(self) -> Any:
        """Return the data without places: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def point(self) -> Span:
        """Return the smallest place that a message about this node underlines.

        For a scalar this is its text; for a collection or an empty value its key; for a mapping in
        a list its own first key.
        """
        span = self.span
        empty = (span.line, span.column) == (span.end_line, span.end_column)
        if span.line == span.end_line and self.style not in ("collection", "unknown") and not empty:
            return span
        if self.key is not None:
            return self.key
        first = next(self.children(), None)
        if first is None:
            return self.span
        return first.key or first.point()

    def part(self, start: int, end: int) -> Span:
        """Return the place of some characters of a scalar; of the whole scalar if escaped."""
        span, quote = self.span, 1 if self.style == "quoted" else 0
        text = self.written if self.written is not None else self.value
        width = span.end_column - span.column
        if (
            span.line != span.end_line
            or not isinstance(text, str)
            or width != len(text) + 2 * quote
        ):
            return span
        column = span.column + quote
        return replace(span, column=column + start, end_column=column + end)

    def with_value(self, value: Value, **changes: Any) -> "Node":
        """Return a node at the same place with another value."""
        return replace(self, value=value, **changes)
