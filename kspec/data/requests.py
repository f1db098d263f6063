"""The columns that a spec requests for its inputs, outputs and split, each with its sort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kspec.data.columns import Columns
from kspec.data.table import Request, Source
from kspec.features.kinds import Sort, input_kind, labels_of
from kspec.schemas import Spec
from kspec.schemas.features import Input
from kspec.spec.diagnostics import Diagnostic, Route

_WORDS = {"number": "numbers", "text": "text", "bytes": "files", "time": "times"}


def request_of(spec: Spec, columns: Columns, source: Source) -> Request:
    """Return the columns to read, without columns that the data lacks."""
    return Request.of(
        (column, sort)
        for _, _, wanted in _wishes(spec, columns, source)
        for column, sort in wanted
        if sort in source.sorts(column)
    )


def served(spec: Spec, columns: Columns, source: Source) -> Columns:
    """Return the columns with a problem (KS511, KS520) for each whose sort does not fit its input
    or output, which is then incomplete."""
    problems = list(columns.problems)
    incomplete = set(columns.incomplete)
    for route, owner, wanted in _wishes(spec, columns, source):
        for column, sort in wanted:
            held = source.sorts(column)
            if sort not in held:
                code = "KS511" if "bytes" in held else "KS520"
                words = " or ".join(_WORDS[each] for each in sorted(held))
                message = f"the column {column!r} holds {words}, the {owner} takes {_WORDS[sort]}"
                problems.append(Diagnostic(code, message, route, help=_way_out(held)))
                incomplete.add(route[:2])
    return replace(columns, incomplete=frozenset(incomplete), problems=tuple(problems))


def sort_of(item: Input, columns: Sequence[str], source: Source) -> Sort:
    """Return the sort of an input's columns: numbers for several columns; for a single column the
    first sort of the input's kind that the column has."""
    if len(columns) != 1:
        return "number"
    wanted, held = input_kind(item.kind).cell, source.sorts(columns[0])
    return next((sort for sort in wanted if sort in held), wanted[-1])


_Wish = tuple[Route, str, list[tuple[str, Sort]]]


def _wishes(spec: Spec, columns: Columns, source: Source) -> Iterator[_Wish]:
    """Yield the route and name of each input, output and split, and its columns with sorts."""
    for name, item in spec.inputs.items():
        sort = sort_of(item, columns.inputs[name], source)
        wanted = [(column, sort) for column in columns.inputs[name]]
        yield ("inputs", name, "columns"), f"input {name!r}", wanted
    for name, output in spec.outputs.items():
        sort = "text" if labels_of(output) else "number"
        key = "column" if output.column is not None else "columns"
        wanted = [(column, sort) for column in columns.outputs[name]]
        yield ("outputs", name, key), f"output {name!r}", wanted
    yield ("data", "split"), "split", [(column, "text") for column in columns.split]


def _way_out(held: frozenset[Sort]) -> str | None:
    return "pictures are read by an input of the kind image" if "bytes" in held else None
