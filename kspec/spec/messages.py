"""Conversion of Pydantic's errors to kspec's diagnostics, with their places in the YAML."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from kspec.spec.diagnostics import Diagnostic
from kspec.spec.expressions import ExpressionError, evaluate, evaluate_number
from kspec.spec.fields import keys_at
from kspec.spec.node import Node
from kspec.spec.phrases import Fault, Said, say
from kspec.spec.words import describe, enumerate_words

CONTEXT: Mapping[str, Any] = {"evaluate": evaluate_number}
"""Validation context of the schemas: the function that evaluates arithmetic."""


NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
MAX_KEYS = 3
"""Maximum number of keys in a help."""
FOLLOW_UPS = frozenset({"default_factory_not_called"})
"""Error types that only follow from another error."""


def explain(error: ValidationError, root: Node, model: type[BaseModel]) -> list[Diagnostic]:
    """Return a diagnostic for each problem of `error` in the data of `root`, in file order.

    Errors that follow from a value that could not be computed are left out.
    """
    faults = [_fault(each, root, model) for each in error.errors(include_url=False)]
    faults = [
        fault for fault in faults if fault.node.style != "unknown" and not _is_follow_up(fault)
    ]
    below = {id(above) for fault in faults for above in _above(fault.node)}
    said: dict[int, list[tuple[Fault, Said]]] = {}
    for fault in faults:
        said.setdefault(id(fault.node), []).append((fault, say(fault)))
    diagnostics: list[Diagnostic] = []
    for key, group in said.items():
        diagnostics.extend(_merge(group, has_faults_below=key in below))
    return diagnostics


def _is_follow_up(fault: Fault) -> bool:
    """Whether another error is the cause: Pydantic does not count invalid items."""
    least = fault.context.get("min_length") if fault.kind == "too_short" else None
    return fault.kind in FOLLOW_UPS or (least is not None and len(fault.node.items) >= least)


def _fault(error: Any, root: Node, model: type[BaseModel]) -> Fault:
    loc: tuple[str | int, ...] = error["loc"]
    node, rest = walk(root, loc)
    return Fault(error["type"], loc, error.get("ctx", {}), error["msg"], node, rest, model)


def walk(root: Node, loc: tuple[str | int, ...]) -> tuple[Node, tuple[str | int, ...]]:
    """Return the node at `loc`, and the parts after it. Parts that the YAML lacks are skipped."""
    node, end = root, 0
    for place, part in enumerate(loc):
        below = node.child(part)
        if below is not None:
            node, end = below, place + 1
    return node, loc[end:]


def _above(node: Node) -> list[Node]:
    nodes: list[Node] = []
    while node.parent is not None:
        node = node.parent
        nodes.append(node)
    return nodes


def _merge(group: list[tuple[Fault, Said]], *, has_faults_below: bool) -> list[Diagnostic]:
    """Return one diagnostic for all types that a value could have.

    If an alternative accepts the type and refuses the value, only its problems are returned.
    """
    node = group[0][0].node
    types = [said for _, said in group if said.expected is not None]
    others = [said for _, said in group if said.expected is None]
    if types and not has_faults_below and not others:
        words = list(dict.fromkeys(str(said.expected) for said in types))
        message = f"expected {enumerate_words(words)}, found {describe(node)}"
        keys = keys_at(group[0][0].model, group[0][0].loc)
        others = [Said("KS203", message, _help_for_type(node, words, keys))]
    defined, uses = node.defined, (node.point(),) if node.defined else ()
    return [
        Diagnostic(said.code, said.message, node.route, said.span, said.help)
        if said.span
        else Diagnostic(
            said.code, said.message, node.route, defined or node.point(), said.help, uses=uses
        )
        for said in dict.fromkeys(others)
    ]


def _help_for_type(node: Node, expected: list[str], keys: tuple[str, ...]) -> str | None:
    value = node.value
    if node.written is not None and "${" in node.written and node.defined is None:
        divides = isinstance(value, float) and "/" in node.written
        return "`//` divides to a whole number" if divides else None
    if expected == ["text"] and isinstance(value, int | float):
        return f'put it in quotes: "{_shown(node)}"'
    if isinstance(value, float) and value.is_integer() and "a whole number" in expected:
        return f"write {int(value)}"
    if isinstance(value, str) and "number" in expected[0] and node.style != "unknown":
        return _help_for_number(value) if node.defined is None or _is_number(value) else None
    if expected == ["a list"] and node.is_scalar and value is not None:
        return f"write [{_shown(node)}]"
    if expected == ["a mapping"]:
        return _help_for_mapping(node, keys)
    return None


def _help_for_mapping(node: Node, keys: tuple[str, ...]) -> str | None:
    """Return help that writes a list's items, or a word, as keys; else names the first key."""
    names = [name for item in node.items or [node] for name in item.mapping or [item.value]]
    if names and all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        shown = ", ".join(f"{name}: …" for name in names[:MAX_KEYS])
        return f"write `{{{shown}{', …' if len(names) > MAX_KEYS else ''}}}`"
    return f"it is written by keys: `{{{keys[0]}: …}}`" if keys else None


def _shown(node: Node) -> object:
    return node.value if node.written is None or node.defined else node.written


def _help_for_number(text: str) -> str | None:
    try:
        evaluate(text)
    except ExpressionError as error:
        return f'a param is written "${{{text}}}"' if error.code == "KS302" else None
    return f'arithmetic goes into "${{{text}}}"' if not _is_number(text) else "leave out the quotes"


def _is_number(text: str) -> bool:
    return text.strip().lstrip("+-").replace(".", "", 1).isdigit()
