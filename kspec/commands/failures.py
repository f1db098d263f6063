"""Turns the exceptions of all commands into diagnostics and exit codes."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Mapping
from types import MappingProxyType

import typer

from kspec.commands.output import print_json, wants_color
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.render import Format, render
from kspec.spec.render.machine import as_data
from kspec.spec.system_errors import system_error
from kspec.training.interrupts import Terminated

TERMINATED = 143
_BY_ERRNO: Mapping[int | None, str] = MappingProxyType(
    {
        errno.ENOSPC: "KS901",
        errno.EDQUOT: "KS901",
        errno.EFBIG: "KS901",
        errno.EACCES: "KS902",
        errno.EPERM: "KS902",
        errno.EROFS: "KS902",
        errno.ENOMEM: "KS905",
    }
)


def tell(
    error: BaseException, *, command: str | None, output_format: Format, with_traceback: bool
) -> int:
    """Write the diagnostics, as text to stderr or in a machine format to stdout; return the exit
    code."""
    failed = error if isinstance(error, KspecError) else KspecError(diagnose(error))
    if with_traceback:
        traceback.print_exception(error)
    if output_format == "json":
        print_json(command, {"diagnostics": [as_data(each) for each in failed.diagnostics]})
    elif output_format == "text":
        typer.echo(render(failed, color=wants_color(sys.stderr)), err=True)
    else:
        typer.echo(render(failed, output_format))
    return TERMINATED if isinstance(error, Terminated) else failed.exit_code


def diagnose(error: BaseException) -> Diagnostic:
    """Return the diagnostic of an unexpected exception: a fault of the environment or of kspec."""
    match error:
        case KeyboardInterrupt():
            # The interrupted code attaches a note if it kept results; otherwise none is claimed.
            kept = "; ".join(getattr(error, "__notes__", ()))
            return Diagnostic("KS930", "interrupted", help=kept or None)
        case OSError() if error.errno is None and (told := system_error(str(error))) is not None:
            return diagnose(told)  # shutil.Error lists the errors of all files of a folder
        case OSError():
            place = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
            reason = (error.strerror or str(error) or type(error).__name__).lower()
            return Diagnostic(_BY_ERRNO.get(error.errno, "KS903"), f"{place}{reason}")
        case ImportError() if not _ours(error.name):
            missing = f"{error.name} is not installed" if error.name else str(error)
            return Diagnostic("KS904", missing, help="`kspec doctor` lists what is missing")
        case MemoryError():
            return Diagnostic("KS905", str(error) or "out of memory", help="a smaller batch_size")
    if (told := system_error(str(error))) is not None:  # safetensors writes files in Rust
        return diagnose(told)
    return Diagnostic(
        "KS970",
        f"a bug of kspec's: {type(error).__name__}: {error}",
        help="please report it, with what `kspec --traceback` before the command shows",
    )


def _ours(module: str | None) -> bool:
    return (module or "").partition(".")[0] == "kspec"
