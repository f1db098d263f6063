"""Commands for specs and their language: init, check, schema, rule. None imports TensorFlow."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kspec.commands.options import AllowPython, ReportFormat, Roots, Settings, Strict, overrides
from kspec.commands.output import print_json, table, wants_color

if TYPE_CHECKING:
    from kspec.spec.diagnostics import Diagnostic
    from kspec.spec.rule import Rule

AnyFormat = Literal["text", "json", "github", "junit", "sarif"]
"""The same as `kspec.spec.render.Format`, which --help does not import."""


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Made if it is not there.")
    ] = Path(),
) -> None:
    """Write a small complete spec with its data, ready to build."""
    from kspec.pipeline.starter import write_starter

    spec = write_starter(folder)
    typer.echo(f"{spec}\n\nnext: kspec check {spec}\n      kspec build {spec}")


def check(
    specs: Annotated[list[Path], typer.Argument(metavar="SPEC...", help="The YAML files.")],
    settings: Settings = None,
    allow_python: AllowPython = False,  # noqa: FBT002 - as Typer reads it
    roots: Roots = None,
    strict: Strict = False,  # noqa: FBT002
    output_format: Annotated[AnyFormat, typer.Option(help="How problems are written.")] = "text",
) -> None:
    """Say everything that is wrong with specs, with line, column and a way out; quickly."""
    from kspec.pipeline.check import load_checked
    from kspec.spec.diagnostics import KspecError, errors
    from kspec.spec.render import render
    from kspec.spec.render.machine import as_data

    problems: list[Diagnostic] = []
    sources: dict[str, str] = {}
    sound: list[Path] = []
    for spec in specs:
        try:
            document = load_checked(
                spec,
                overrides=overrides(settings),
                allow_python=allow_python,
                roots=roots or (),
                strict=strict,
            )
            problems += document.warnings
            sources |= document.sources
            sound.append(spec)
        except KspecError as error:
            problems += error.diagnostics
            sources |= error.sources
    found = KspecError(*problems, sources=sources)
    if output_format == "text":
        for spec in sound:
            typer.echo(f"{spec}: ok")
    if output_format == "json":
        print_json("check", {"diagnostics": [as_data(each) for each in problems]})
    elif problems or output_format != "text":
        typer.echo(render(found, output_format, color=wants_color(sys.stdout)))
    if errors(problems):
        raise typer.Exit(found.exit_code)


def schema() -> None:
    """Print the JSON Schema of the spec language, for editors, with the options of all targets."""
    from kspec.schemas.json_schema import render as render_schema
    from kspec.targets.registry import target_options

    typer.echo(render_schema(target_options()), nl=False)


def rule(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="KS and three digits; all without one.")
    ] = None,
    output_format: ReportFormat = "text",
) -> None:
    """Explain a diagnostic's code, or list all of them."""
    from kspec.spec.codes import RULES

    chosen = list(RULES.values()) if code is None else [_rule(code)]
    if output_format == "json":
        print_json("rule", {"rules": [asdict(each) for each in chosen]})
    elif code is None:
        rows = [
            [each.code, str(each.exit_code) if each.severity == "error" else "–", each.title]
            for each in chosen
        ]
        typer.echo(table(["code", "exit", "rule"], rows))
    else:
        typer.echo(_explained(chosen[0]))


def _rule(code: str) -> Rule:
    from kspec.spec.codes import RULES
    from kspec.spec.diagnostics import Diagnostic, KspecError
    from kspec.spec.suggestions import suggest

    found = RULES.get(code.upper())
    if found is None:
        help_ = suggest(code.upper(), RULES)
        raise KspecError(Diagnostic("KS911", f"no diagnostic has the code `{code}`", help=help_))
    return found


def _explained(rule_: Rule) -> str:
    code = f"exit code {rule_.exit_code}"
    kind = code if rule_.severity == "error" else f"a warning; {code} with --strict"
    wrong, right = (text.replace("\n", "\n    ") for text in (rule_.wrong, rule_.right))
    return (
        f"{rule_.code} {rule_.title}   ({kind})\n\n{rule_.explanation}\n\n"
        f"wrong:\n    {wrong}\n\nright:\n    {right}"
    )
