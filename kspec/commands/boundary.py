"""The class of all commands: it turns errors into messages and exit codes."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from kspec.training.interrupts import terminable


class GuardedCommand(TyperCommand):
    """A command that reports its errors in the output format that the user chose."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Raises only `typer.Exit`, `typer.Abort` and BrokenPipeError."""
        with terminable():
            try:
                return super().invoke(ctx)
            except (typer.Exit, typer.Abort, BrokenPipeError):
                raise
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last resort
                # Imports the codes of all rules, which --help does not need.
                from kspec.commands.failures import tell

                code = tell(
                    error,
                    command=ctx.command.name,
                    output_format=ctx.params.get("output_format", "text"),
                    with_traceback=ctx.find_root().params.get("traceback", False),
                )
                raise typer.Exit(code) from None
