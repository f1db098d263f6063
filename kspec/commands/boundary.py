"""Where every command ends."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from kspec.training.interrupts import terminable


class GuardedCommand(TyperCommand):
    """A command whose errors are told in the output format that it was asked for."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; raises nothing but `typer.Exit`, and what a closed pipe raises."""
        with terminable():
            try:
                return super().invoke(ctx)
            except (typer.Exit, typer.Abort, BrokenPipeError):
                raise
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last resort
                # Loads the codes of all rules: --help does without.
                from kspec.commands.failures import tell

                code = tell(
                    error,
                    command=ctx.command.name,
                    output_format=ctx.params.get("output_format", "text"),
                    with_traceback=ctx.find_root().params.get("traceback", False),
                )
                raise typer.Exit(code) from None
