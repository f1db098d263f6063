"""Problems of a spec, its data or a build: a code, a headline, a place and a remedy.

Code that judges a spec carries routes (paths into the YAML as the user wrote it). Only the
`Document` knows lines: it turns a route into a `Span` when an error is raised or rendered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kspec.spec.codes import RULES
from kspec.spec.rule import Severity

if TYPE_CHECKING:
    from kspec.spec.document import Document

Route = tuple[str | int, ...]
"""A path into the YAML as the user wrote it: `("network", 3, "conv2d", "filters")`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text. Lines and columns count characters from 1; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: what was found, where, and what to write instead."""

    code: str
    """A key of `kspec.spec.codes.RULES`, such as `KS101`."""
    message: str
    """The terse headline, in lower case: what was found."""
    route: Route = ()
    """The place as a path into the YAML; a `Document` converts it to a span."""
    span: Span | None = None
    """The place in the text, if it is known."""
    help: str | None = None
    """What to write instead."""
    calls: tuple[Route, ...] = ()
    """The block calls that led here, outermost first."""
    call_spans: tuple[Span, ...] = ()
    """The places of `calls`; set together with `span`."""
    uses: tuple[Span, ...] = ()
    """The places that use the value at `span`, if it belongs to a param or an argument."""
    is_strict: bool = False
    """Whether a warning counts as an error, by `--strict`."""

    @property
    def severity(self) -> Severity:
        """The rule's severity, unless `--strict` turns a warning into an error."""
        return "error" if self.is_strict else RULES[self.code].severity


class KspecError(Exception):
    """One or more problems that end a command.

    `diagnostics` have spans if their places are known; `sources` has the text of each file in
    these spans, so that a renderer can show the line.
    """

    def __init__(
        self,
        *diagnostics: Diagnostic,
        document: "Document | None" = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics
        self.sources: Mapping[str, str] = sources or {}
        if document is not None:
            self.diagnostics = tuple(document.locate(diagnostic) for diagnostic in diagnostics)
            self.sources = {**document.sources, **self.sources}
        super().__init__("\n".join(f"{each.code} {each.message}" for each in self.diagnostics))

    @property
    def exit_code(self) -> int:
        """The highest exit code of the errors; 70, a bug in kspec, if there are no errors."""
        return max((RULES[each.code].exit_code for each in errors(self.diagnostics)), default=70)


def errors(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics that are not warnings."""
    return tuple(each for each in diagnostics if each.severity == "error")
