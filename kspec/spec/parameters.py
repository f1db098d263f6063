"""Substitution of `params` and `${…}` in the tree."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kspec.spec.diagnostics import Diagnostic, Route, Span
from kspec.spec.expressions import ExpressionError, UnknownValueError
from kspec.spec.interpolation import interpolate
from kspec.spec.node import Node

REFERENCE = re.compile(r"\s*\$\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\s*")
"""A `${…}` with a single name."""
APART = frozenset({"params", "blocks", "network"})
"""Sections that are computed separately: params before the others, steps after them."""


@dataclass(slots=True)
class Scope(Mapping[str, Node]):
    """The names that `${…}` may use, and which of them were used."""

    nodes: Mapping[str, Node]
    outer: "Scope | None" = None
    used: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> Node:
        if name in self.nodes:
            self.used.add(name)
            return self.nodes[name]
        if self.outer is None:
            raise KeyError(name)
        return self.outer[name]

    def definition(self, name: str) -> Span | None:
        """Return the place of the value of a param or of a block's argument."""
        if name not in self.nodes:
            return self.outer.definition(name) if self.outer is not None else None
        node = self.nodes[name]
        return node.defined or node.point()

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self.nodes, *(self.outer or ())]))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def substitute(
    node: Node, scope: Scope, problems: list[Diagnostic], calls: tuple[Route, ...] = ()
) -> Node:
    """Return `node` with every `${…}` computed; a failure is reported, its value is unknown."""
    if isinstance(node.value, dict):
        below = {
            key: substitute(child, scope, problems, calls) for key, child in node.value.items()
        }
        return node.with_value(below)
    if isinstance(node.value, list):
        return node.with_value([substitute(item, scope, problems, calls) for item in node.value])
    if not isinstance(node.value, str) or "${" not in node.value:
        return node
    try:
        value = interpolate(node.value, scope)
    except UnknownValueError:
        return node.with_value(None, style="unknown")
    except ExpressionError as error:
        problems.append(
            Diagnostic(
                error.code,
                error.message,
                route=node.route,
                span=node.part(error.start, error.end),
                help=error.help,
                calls=calls,
            )
        )
        return node.with_value(None, style="unknown")
    name = REFERENCE.fullmatch(node.value)
    defined = scope.definition(name[1]) if name is not None else None
    return node.with_value(value, written=node.value, defined=defined)


def substitute_sections(root: Node, problems: list[Diagnostic]) -> tuple[Node, Scope]:
    """Return the root with all sections except params, blocks and network computed, and the scope
    of the params, in which the network is computed."""
    params = root.mapping.get("params")
    known: dict[str, Node] = {}
    used: set[str] = set()
    for name, node in (params.mapping if params is not None else {}).items():
        value = substitute(node, Scope(known, used=used), problems)
        known[name] = value if value.is_scalar else value.with_value(None, style="unknown")
    scope = Scope(known, used=used)
    sections = {
        key: section if key in APART else substitute(section, scope, problems)
        for key, section in root.mapping.items()
    }
    if params is not None and known:
        # Collections and unknown values stay as written; the schema judges them.
        values = {
            name: known[name] if node.is_scalar else node for name, node in params.mapping.items()
        }
        sections["params"] = params.with_value(values)
    return root.with_value(sections), scope
