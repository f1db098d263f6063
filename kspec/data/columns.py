"""Which columns of the data each input and output reads."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kspec.schemas import Spec
from kspec.schemas.features import Input, Numbers, Output
from kspec.spec.diagnostics import Diagnostic, KspecError, Route

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of each input and output by name, globs worked out."""

    inputs: dict[str, tuple[str, ...]]
    outputs: dict[str, tuple[str, ...]]


def bind_columns(spec: Spec, names: Sequence[str]) -> Columns:
    """Find the columns that the spec asks for among those of the data.

    Raises KspecError with all problems: KS510 a column that is not there, KS512 an input that
    reads the label it is to predict.
    """
    problems: list[Diagnostic] = []
    inputs = {
        name: tuple(_match(_written(name, item), names, _route("inputs", name, item), problems))
        for name, item in spec.inputs.items()
    }
    outputs = {
        name: tuple(_match(_written(name, item), names, _route("outputs", name, item), problems))
        for name, item in spec.outputs.items()
    }
    problems += _leaks(spec, inputs, outputs)
    problems += _split_columns(spec, names)
    if problems:
        raise KspecError(*problems)
    return Columns(inputs, outputs)


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts `pixel_10` after `pixel_9`: runs of digits count as numbers."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((int(p), "") if p.isascii() and p.isdigit() else (0, p) for p in parts)


def _written(name: str, item: Input | Output) -> tuple[str, ...]:
    if isinstance(item, Output) and item.column is not None:
        return (item.column,)
    return item.columns or (name,)


def _route(section: str, name: str, item: Input | Output) -> Route:
    key = "column" if isinstance(item, Output) and item.column is not None else "columns"
    return (section, name, key)


def _match(
    written: Sequence[str], names: Sequence[str], route: Route, problems: list[Diagnostic]
) -> Iterator[str]:
    """The names that each pattern stands for, none twice; a name that is there is no glob."""
    seen: set[str] = set()
    for pattern in written:
        found = [pattern] if pattern in names else fnmatch.filter(names, pattern)
        if not found:
            problems.append(_absent(pattern, names, route))
            continue
        fresh = [name for name in sorted(found, key=natural_key) if name not in seen]
        seen.update(fresh)
        yield from fresh


def _absent(name: str, names: Sequence[str], route: Route) -> Diagnostic:
    near = difflib.get_close_matches(name, names, n=1)
    shown = ", ".join(sorted(names, key=natural_key)[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return Diagnostic(
        "KS510",
        f"the data has no column {name!r}",
        route,
        help=f"did you mean {near[0]!r}?" if near else f"the columns are {shown}{more}",
    )


def _leaks(
    spec: Spec, inputs: dict[str, tuple[str, ...]], outputs: dict[str, tuple[str, ...]]
) -> Iterator[Diagnostic]:
    for output, columns in outputs.items():
        # A number may well be asked for at the input too: an autoencoder does.
        if isinstance(spec.outputs[output].kind, Numbers):
            continue
        for name, read in inputs.items():
            for column in set(columns) & set(read):
                yield Diagnostic(
                    "KS512",
                    f"the input {name!r} reads {column!r}, the truth of the output {output!r}",
                    _route("inputs", name, spec.inputs[name]),
                    help="name the columns so that it is left out",
                )


def _split_columns(spec: Spec, names: Sequence[str]) -> Iterator[Diagnostic]:
    if spec.data is None:
        return
    for key in ("column", "stratify"):
        column = getattr(spec.data.split, key)
        if column is not None and column not in names:
            yield _absent(column, names, ("data", "split", key))
