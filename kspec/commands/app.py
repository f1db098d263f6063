"""The commands, in the order in which help shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from kspec import __version__
from kspec.commands import builds, bundles, installation, specs
from kspec.commands.boundary import GuardedCommand

COMMANDS: tuple[Callable[..., Any], ...] = (
    specs.init,
    specs.check,
    builds.plan,
    builds.build,
    builds.train,
    builds.emit,
    builds.import_,
    bundles.verify,
    bundles.predict,
    bundles.inspect,
    specs.schema,
    specs.rule,
    installation.doctor,
)

# Plain help: it is read in logs too, and loading rich would take as long as all the rest.
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every problem has a code that `kspec rule CODE` explains. Exit codes: 0 done, 1 a gate,"
    " parity or training failed, 2 wrong spec or usage, 3 the environment, 70 a bug of kspec's.",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if wanted:
        typer.echo(f"kspec {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and end."
        ),
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where in kspec an error came from.")
    ] = False,
) -> None:
    """One YAML to proven ONNX, Core ML, TF-Serving and TFLite artifacts."""


for command in COMMANDS:
    app.command(command.__name__.rstrip("_"), cls=GuardedCommand)(command)
