"""Old names of words of the language: they are read as the new names, with a warning.

Everything after the reader sees new names only. An old name beside its new name is kept, so that
the schema refuses it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from kspec.spec.diagnostics import Diagnostic
from kspec.spec.node import Node

METRICS: Mapping[str, str] = MappingProxyType(
    {"mae": "mean_absolute_error", "rmse": "root_mean_squared_error"}
)
"""Metrics by their old names; the new names are Keras' own."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Old keys below one place of the spec."""

    place: tuple[str, ...]
    """The route of the mapping that contains the keys; `*` matches any key."""
    renamed: Callable[[str], str | None]
    """Function from an old key to its new key; returns None for any other key."""


def _input_kind(key: str) -> str | None:
    return "number" if key == "numeric" else None


def _gate(key: str) -> str | None:
    """Rename the metric in `*.mae` or, with several outputs, in `age_mae`."""
    target, dot, metric = key.rpartition(".")
    output, line, word = metric.rpartition("_")
    new = METRICS.get(word)
    return f"{target}{dot}{output}{line}{new}" if new else None


ALIASES = (Alias(("inputs", "*"), _input_kind), Alias(("gates",), _gate))


def rename(root: Node) -> tuple[Node, tuple[Diagnostic, ...]]:
    """Return the tree with new words in place of old ones, and a warning (KS220) for each."""
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
    """Return a copy of `node` at `step` below `parent`."""
    if node.is_scalar:
        return replace(node, parent=parent, step=step)
    below: dict[str, Node] | list[Node] = [] if isinstance(node.value, list) else {}
    copy = replace(node, value=below, parent=parent, step=step)
    copy.mapping.update({key: _moved(each, copy, key) for key, each in node.mapping.items()})
    copy.items.extend(_moved(each, copy, index) for index, each in enumerate(node.items))
    return copy
