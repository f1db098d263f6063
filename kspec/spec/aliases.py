"""Words of the language that have a new name: read as the new one, with a warning at the old one.

Everything after the reader sees the new words alone. A word that stands beside its own new name is
left as it is, for the schema to refuse.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from kspec.spec.diagnostics import Diagnostic
from kspec.spec.node import Node

METRICS: Mapping[str, str] = MappingProxyType(
    {"mae": "mean_absolute_error", "rmse": "root_mean_squared_error"}
)
"""Metrics by their old names. Keras' names are the right ones."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Old keys below one place of the spec."""

    place: tuple[str, ...]
    """The route of the mapping that has the keys; `*` stands for any key."""
    renamed: Callable[[str], str | None]
    """The new key for an old one; None for a key that is not an old one."""


def _input_kind(key: str) -> str | None:
    return "number" if key == "numeric" else None


def _gate(key: str) -> str | None:
    """`*.mae`, and `age_mae` where the spec has several outputs."""
    target, dot, metric = key.rpartition(".")
    output, line, word = metric.rpartition("_")
    new = METRICS.get(word)
    return f"{target}{dot}{output}{line}{new}" if new else None


ALIASES = (Alias(("inputs", "*"), _input_kind), Alias(("gates",), _gate))


def rename(root: Node) -> tuple[Node, tuple[Diagnostic, ...]]:
    """The tree with new words in place of old ones, and a warning (KS220) for each old word."""
    warnings: list[Diagnostic] = []
    for alias in ALIASES:
        root = _rename(root, alias, alias.place, warnings)
    return root, tuple(warnings)


def _rename(node: Node, alias: Alias, place: tuple[str, ...], warnings: list[Diagnostic]) -> Node:
    if not node.mapping:
        return node
    if not place:
        return node.with_value(dict(_renamed_keys(node, alias, warnings)))
    changed = {
        key: _rename(child, alias, place[1:], warnings)
        for key, child in node.mapping.items()
        if place[0] in ("*", key)
    }
    return node.with_value({**node.mapping, **changed})


def _renamed_keys(
    node: Node, alias: Alias, warnings: list[Diagnostic]
) -> Iterator[tuple[str, Node]]:
    taken = set(node.mapping)
    for old, child in node.mapping.items():
        new = alias.renamed(old)
        if new is None or new in taken:
            yield old, child
            continue
        taken.add(new)
        message = f"`{old}` is an old word for `{new}`"
        warnings.append(
            Diagnostic("KS220", message, (*node.route, new), child.key, f"write `{new}`")
        )
        yield new, _moved(child, node, new)


def _moved(node: Node, parent: Node, step: str | int) -> Node:
    """A copy of `node` that stands at `step` below `parent`."""
    if node.is_scalar:
        return replace(node, parent=parent, step=step)
    below: dict[str, Node] | list[Node] = [] if isinstance(node.value, list) else {}
    copy = replace(node, value=below, parent=parent, step=step)
    copy.mapping.update({key: _moved(each, copy, key) for key, each in node.mapping.items()})
    copy.items.extend(_moved(each, copy, index) for index, each in enumerate(node.items))
    return copy
