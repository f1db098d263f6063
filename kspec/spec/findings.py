"""The list of a spec's problems: with places, ordered, without duplicates, bounded."""

from collections.abc import Iterable
from dataclasses import replace

from kspec.spec.diagnostics import Diagnostic, Span, errors
from kspec.spec.document import locate
from kspec.spec.node import Node
from kspec.spec.overrides import OVERRIDES

MAX_LISTED = 500
"""Maximum number of listed problems of one spec."""


class TooManyProblemsError(Exception):
    """The spec has more than `MAX_LISTED` problems, so that further checks are of no use."""


class Problems(list[Diagnostic]):
    """The problems and warnings of a spec that is being read.

    `append` and `extend` raise TooManyProblemsError when more than `MAX_LISTED` problems were added
    to the initial list.
    """

    def __init__(self, found: Iterable[Diagnostic] = ()) -> None:
        super().__init__(found)
        self._most = len(self) + MAX_LISTED

    def append(self, problem: Diagnostic) -> None:
        """Add a problem."""
        self.extend((problem,))

    def extend(self, problems: Iterable[Diagnostic]) -> None:
        """Add problems."""
        super().extend(problems)
        if len(self) > self._most:
            raise TooManyProblemsError


def in_order(problems: Iterable[Diagnostic], root: Node) -> list[Diagnostic]:
    """Return the problems with their places, in the order of the text, each once.

    Problems that differ only in `uses` become one. Beyond `MAX_LISTED`, warnings are left out
    before errors, and KS116 says so.
    """
    placed: dict[object, Diagnostic] = {}
    uses: dict[object, dict[Span, None]] = {}
    for problem in problems:
        found = locate(root, problem)
        same = (found.code, found.message, found.span)
        placed.setdefault(same, found)
        uses.setdefault(same, {}).update(dict.fromkeys(found.uses))
    merged = [replace(found, uses=tuple(uses[same])) for same, found in placed.items()]
    return _bounded(sorted(merged, key=_position))


def _bounded(found: list[Diagnostic]) -> list[Diagnostic]:
    if len(found) <= MAX_LISTED:
        return found
    failed = errors(found)[:MAX_LISTED]
    warned = [each for each in found if each.severity == "warning"]
    kept = sorted([*failed, *warned[: MAX_LISTED - len(failed)]], key=_position)
    more = f"more than {MAX_LISTED} problems; those after these are not listed"
    return [*kept, Diagnostic("KS116", more, span=kept[-1].span)]


def _position(problem: Diagnostic) -> tuple[bool, int, int]:
    span = problem.span
    if span is None:
        return (False, 0, 0)
    return (span.file != OVERRIDES, span.line, span.column)
