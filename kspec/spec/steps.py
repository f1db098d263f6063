"""Parsing of one step: the layer's key, and `name`, `from` and `repeat` beside it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from kspec.schemas.layers.decided_out import reason
from kspec.spec.blocks import STEP_KEYS
from kspec.spec.diagnostics import Diagnostic, Route
from kspec.spec.node import Node
from kspec.spec.parameters import Scope, substitute
from kspec.spec.suggestions import nearest
from kspec.spec.words import describe

MAX_REPEAT = 10_000
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A parsed step; its arguments still contain `${…}`."""

    key: str
    is_known: bool
    """Whether a layer or a block has this key."""
    node: Node
    """The whole step."""
    body: Node | None
    """The value of the key; None for a bare key."""
    route: Route
    """The route of the layer, including its key if it is the key of a mapping."""
    name: str | None = None
    name_node: Node | None = None
    sources: tuple[Node, ...] | None = None
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class StepReader:
    """Parses the steps of a list, in the scope of that list."""

    scope: Scope
    problems: list[Diagnostic]
    calls: tuple[Route, ...]

    def read(self, node: Node, known: Collection[str]) -> Head | None:
        """Return the step; None, with a report, if it names no layer.

        `known` has the keys of all layers and blocks.
        """
        if node.is_scalar:
            return self._bare(node, known)
        others = [key for key in node.mapping if key not in STEP_KEYS]
        if not others:
            kind = "names no layer" if node.mapping else f"is {describe(node)}"
            help_ = "write a layer's key, and its arguments behind it: `- dense: {units: 10}`"
            self._report("KS311", f"the step {kind}", node, help_)
            return None
        key = next((key for key in others if key in known), others[0])
        beside = {name: node.mapping[name] for name in STEP_KEYS if name in node.mapping}
        for other in others:
            if other != key:
                meant = self._report_second(other, key, node, known)
                if meant is not None:
                    beside.setdefault(meant, node.mapping[other])
        body = node.mapping[key]
        if body.value is None and len(others) > 1:
            # Arguments without indentation are reported, and then read as arguments.
            stray = {other: node.mapping[other] for other in others if other not in known}
            body = body.with_value(stray, style="collection")
        return Head(
            key,
            self._check(key, body, known),
            node,
            body,
            (*node.route, key),
            self._name(beside.get("name")),
            beside.get("name"),
            self._sources(beside.get("from")),
            self._repeat(beside.get("repeat")),
        )

    def _bare(self, node: Node, known: Collection[str]) -> Head | None:
        value = substitute(node, self.scope, self.problems, self.calls)
        if value.style == "unknown":
            return None
        if not isinstance(value.value, str):
            message = f"a step is the key of a layer, found {describe(value)}"
            self._report("KS311", message, node, "write for example `- relu`")
            return None
        return Head(value.value, self._check(value.value, node, known), value, None, node.route)

    def _check(self, key: str, node: Node, known: Collection[str]) -> bool:
        if key in known:
            return True
        span = node.key if node.key is not None else node.point()
        why = reason(key)
        near = nearest(key, known) if why is None else None
        help_ = f"did you mean `{near}`?" if near else "`kspec schema` lists the layers"
        layer, _, arguments = key.partition(" ")
        if layer in known and arguments:
            help_ = f"write `- {layer}: {arguments}`"
        called, parenthesis, _ = key.partition("(")
        if parenthesis and (near := nearest(called, known)):
            help_ = f"write `- {near}: {{…}}`, with the arguments by name, as in `units: 8`"
        message = f"unknown layer or block `{key}`"
        if why is not None:
            message, help_ = f"the layer `{key}` of Keras is not available in a spec", why
        self.problems.append(Diagnostic("KS312", message, node.route, span, help_, self.calls))
        return False

    def _report_second(
        self, other: str, key: str, node: Node, known: Collection[str]
    ) -> str | None:
        """Report a key beside the layer's; return the step key that was probably meant."""
        place = node.mapping[other]
        near = nearest(other, STEP_KEYS) if other not in known else None
        if other in known:
            help_ = f"start a step of its own: `- {other}`"
        elif near is not None:
            help_ = f"did you mean `{near}`?"
        else:
            help_ = f"indent it below `{key}:` if it is an argument"
        message = f"`{other}` stands beside the layer `{key}`"
        self.problems.append(
            Diagnostic("KS311", message, place.route, place.key, help_, self.calls)
        )
        return near

    def _name(self, written: Node | None) -> str | None:
        if written is None:
            return None
        node = substitute(written, self.scope, self.problems, self.calls)
        if isinstance(node.value, str) and NAME.fullmatch(node.value):
            return node.value
        if isinstance(node.value, str):
            message = f"`{node.value}` cannot be a name"
            help_ = "names have letters, digits, - and _, and begin with a letter"
            self._report("KS207", message, node, help_)
        elif node.style != "unknown":
            self._report("KS203", f"expected a name, found {describe(node)}", node)
        return None

    def _sources(self, written: Node | None) -> tuple[Node, ...] | None:
        if written is None:
            return None
        node = substitute(written, self.scope, self.problems, self.calls)
        found = node.items if isinstance(node.value, list) else [node]
        for each in found:
            if not isinstance(each.value, str) and each.style != "unknown":
                message = f"expected a name or a list of names, found {describe(each)}"
                self._report("KS203", message, each)
                return ()
        if not found:
            self._report("KS203", "expected a name or a list of names, found an empty list", node)
        return tuple(found)

    def _repeat(self, written: Node | None) -> int:
        if written is None:
            return 1
        node = substitute(written, self.scope, self.problems, self.calls)
        if type(node.value) is int and 1 <= node.value <= MAX_REPEAT:
            return node.value
        if node.style != "unknown":
            message = f"expected a whole number from 1 to {MAX_REPEAT:,}, found {describe(node)}"
            self._report("KS314", message, node)
        return 1

    def _report(self, code: str, message: str, node: Node, help_: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, node.route, node.point(), help_, self.calls))
