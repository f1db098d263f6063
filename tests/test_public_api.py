"""What other code may rely on, as it is written down in public_api.txt.

``python -m tests.test_public_api > tests/public_api.txt`` writes the list again. A line that goes
away or changes breaks someone's code: say so in the changelog.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import kspec
from kspec.pipeline.results import Artifact, BuildResult, GateResult, Plan, Progress, StageRun
from kspec.schemas.layers import Layer
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.document import Document, ResolvedStep
from kspec.targets.formats.format import Format, Runner, Tolerance
from kspec.targets.platforms.platform import Platform

LIST = Path(__file__).with_name("public_api.txt")
RESULTS = (Document, ResolvedStep, Plan, BuildResult, Artifact, GateResult, StageRun, Progress)
ERRORS = (KspecError, Diagnostic)
BASES = (Format, Runner, Tolerance, Platform, Layer)
"""What third-party layers, formats and platforms derive from."""


def lines() -> Iterator[str]:
    for name in sorted(kspec.__all__):
        found = getattr(kspec, name)
        yield f"kspec.{name}{inspect.signature(found) if callable(found) else ''}"
    for each in (*RESULTS, *ERRORS, *BASES):
        yield ""
        yield f"{each.__module__}.{each.__qualname__}"
        yield from sorted(f"    {member}" for member in _members(each))


def _members(found: type) -> Iterator[str]:
    fields: tuple[Any, ...] = dataclasses.fields(found) if dataclasses.is_dataclass(found) else ()
    yield from (f"{field.name}: {field.type}" for field in fields)
    names = {name for base in found.__mro__ for name in vars(base).get("__annotations__", {})}
    own = [base for base in found.__mro__ if base.__module__.startswith("kspec")]
    for name in sorted(names - {field.name for field in fields}):
        if not name.startswith("_") and any(
            name in vars(b).get("__annotations__", {}) for b in own
        ):
            yield name
    for base in own:
        for name, member in vars(base).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                yield f"{name}{inspect.signature(member)}"


def test_the_public_api_is_as_written_down() -> None:
    assert [*lines()] == LIST.read_text("utf-8").splitlines()


def test_the_groups_of_entry_points_are_those_that_the_docs_name() -> None:
    text = Path("CONTRIBUTING.md").read_text("utf-8")
    for group in ("kspec.layers", "kspec.formats", "kspec.platforms"):
        assert group in text
        assert not [each for each in entry_points(group=group) if each.value.startswith("kspec.")]


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in lines()))
