"""Blocks: sequences of steps with a name and arguments."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kspec.spec.diagnostics import Diagnostic, Route
from kspec.spec.node import Node
from kspec.spec.parameters import Scope, substitute
from kspec.spec.scalars import RangeError, TrapError, resolve
from kspec.spec.suggestions import suggest

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SIGNATURE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*(\((?P<parameters>[^()]*)\))?")
STEP_KEYS = ("name", "from", "repeat")
"""Keys that a step may have beside its layer."""
USE = "use"
"""The key of a step that calls the layers of another step again."""
INPUT = "input"
"""The name, in a block's body, of the sources of a call."""
MAX_ITEMS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The definition of a block."""

    name: str
    parameters: Mapping[str, Node | None]
    """Parameters by name, each with its default if it has one."""
    body: Node
    used: set[str]
    """Parameters used by a `${…}` of the body; filled while calls are expanded."""


def define(
    section: Node | None, layers: Collection[str], problems: list[Diagnostic]
) -> dict[str, Block]:
    """Return the blocks of the section `blocks`, by name."""
    blocks: dict[str, Block] = {}
    for signature, body in (section.mapping if section is not None else {}).items():
        block = _define(signature, body, layers, problems)
        if block is None:
            continue
        if block.name in blocks:
            message = f"the block `{block.name}` is defined twice"
            problems.append(Diagnostic("KS307", message, body.route, body.key))
        blocks[block.name] = block
    return blocks


def _define(
    signature: str, body: Node, layers: Collection[str], problems: list[Diagnostic]
) -> Block | None:
    def report(message: str, help_: str | None = None) -> None:
        problems.append(Diagnostic("KS307", message, body.route, body.key, help_))

    found = SIGNATURE.fullmatch(signature)
    if found is None:
        report(
            f"`{signature}` is not a signature of a block",
            "write a name and, in parentheses, its parameters: `conv_block(filters, kernel=3)`",
        )
        return None
    name = found["name"]
    if name in layers or name in STEP_KEYS:
        what = "a layer" if name in layers else "a key of every step"
        report(f"`{name}` is {what} already", "give the block another name")
    if not body.items:
        report(f"the block `{name}` has no steps", "write its steps as a list below")
        return None
    parameters: dict[str, Node | None] = {}
    for text in filter(None, map(str.strip, (found["parameters"] or "").split(","))):
        parameter, equals, default = (part.strip() for part in text.partition("="))
        if not IDENTIFIER.fullmatch(parameter) or parameter in parameters:
            report(f"`{parameter}` cannot be a parameter", "a name of letters, digits and _, once")
            continue
        try:
            value = Node(resolve(default.strip("\"'")), body.key or body.span, "quoted")
        except (TrapError, RangeError):
            report(f"`{default}` cannot be a default")
            value = Node(None, body.span, "unknown")
        parameters[parameter] = value if equals else None
    return Block(name, parameters, body, set())


def bind(
    block: Block,
    arguments: Node | None,
    scope: Scope,
    params: Scope,
    problems: list[Diagnostic],
    place: Node,
    calls: tuple[Route, ...],
) -> Scope:
    """Return the scope of a call's body: the call's arguments over the params of the spec.

    `arguments` is the value of the block's key, computed in the caller's `scope`. Missing or wrong
    arguments are reported, and have unknown values in the body.
    """

    def report(message: str, node: Node, help_: str | None = None) -> None:
        problems.append(Diagnostic("KS308", message, node.route, node.key, help_, calls))

    given = substitute(arguments, scope, problems, calls) if arguments is not None else None
    if given is not None and not isinstance(given.value, dict) and given.value is not None:
        example = ", ".join(f"{name}: …" for name in block.parameters)
        report(
            f"arguments of `{block.name}` are given by name",
            given,
            f"write `{block.name}: {{{example}}}`" if example else "it takes no arguments",
        )
        return Scope({name: _unknown(place) for name in block.parameters}, params)
    values = dict(given.mapping) if given is not None else {}
    for name in [name for name in values if name not in block.parameters]:
        none = f"`{block.name}` takes no arguments"
        help_ = suggest(name, block.parameters, none=none)
        report(f"`{block.name}` has no parameter `{name}`", values.pop(name), help_)
    for name, default in block.parameters.items():
        if name in values:
            if not _is_argument(values[name]):
                report(f"`{name}` is neither a value nor a list of values", values[name])
                values[name] = _unknown(values[name])
        elif default is not None:
            values[name] = default
        else:
            report(f"`{block.name}` needs `{name}`", place, f"add `{name}: …`")
            values[name] = _unknown(place)
    return Scope(values, params, block.used)


def _unknown(node: Node) -> Node:
    return node.with_value(None, style="unknown")


def _is_argument(node: Node) -> bool:
    """Whether the node is a scalar or a short list of scalars, so that copies stay small."""
    if isinstance(node.value, list):
        return len(node.value) <= MAX_ITEMS and all(item.is_scalar for item in node.value)
    return node.is_scalar
