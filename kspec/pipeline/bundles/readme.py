"""A bundle's ``README.md``: its files, how to call it, and how exact its artifacts are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kspec.features.description import Description
from kspec.features.signature import OutputPort
from kspec.pipeline import figures
from kspec.pipeline.store.targets import Target

TEMPLATES = Path(__file__).parent / "templates"
_MARKS = re.compile(
    r"""
    [\\`*_{}\[\]<>&|~$@]     # emphasis, code, links, HTML, entities, tables, mathematics
    | :(?=\S) | (?<=www)\.    # addresses that become links by themselves
    | ^[-+=\#] | (?<=^\d)[.)](?=\s|$) | (?<=^\d\d)[.)](?=\s|$)   # what begins a list or heading
""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Markdown:
    """Text that is already Markdown; the template escapes all other values."""

    text: str


def render_bundle_readme(target: Target, about: Description) -> str:
    """Return the README of one target's bundle; ``about`` is the content of
    ``kspec-bundle.json``."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - escaped for Markdown by ``finalize``
        loader=FileSystemLoader(TEMPLATES),
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    text = environment.get_template("bundle_readme.md.j2").render(
        about=about,
        figures=figures,
        title=target.platform.title,
        inputs=about.signature.inputs,
        outputs=about.signature.outputs,
        metric_names=tuple(dict.fromkeys(k for each in about.artifacts for k in each.metrics)),
        numpy_run=any(figures.is_numpy(each.runtime) for each in about.artifacts),
        usage=fence(target.platform.usage(about)),
        code=code,
        meaning=meaning,
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def meaning(output: OutputPort) -> Markdown:
    """Return what the values of an output mean."""
    decision = output.decision
    if decision is None:
        return Markdown("the number itself")
    score = "probability" if decision.scores == "probabilities" else "logit"
    if decision.threshold is None:
        return Markdown(f"a {score} for each label; the largest one decides")
    second = code(decision.labels[1]).text
    return Markdown(
        f"the {score} of the label {second}, which is the answer above {decision.threshold:g}"
    )


def escape(text: str) -> str:
    """Return text as Markdown on one line, without markup, HTML or links."""
    return _MARKS.sub(r"\\\g<0>", _one_line(text))


def code(text: object) -> Markdown:
    """Return a code span whose fence is longer than any run of backticks inside. A ``|`` cannot be
    in a code span within a table; such text becomes plain text."""
    line = _one_line(str(text))
    if not line or "|" in line:
        return Markdown(escape(line))
    ticks = "`" * (_longest(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markdown(f"{ticks}{pad}{line}{pad}{ticks}")


def fence(text: str) -> Markdown:
    """Return a block of code."""
    ticks = "`" * max(3, _longest(text) + 1)
    return Markdown(f"{ticks}\n{text.rstrip()}\n{ticks}")


def _finalize(value: object) -> str:
    return value.text if isinstance(value, Markdown) else escape(str(value))


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _longest(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
