"""The columns of the data that each input and output reads."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from kspec.data.faults import MAX_REPORTED, ROUTE
from kspec.data.header import Header, TooManyComparisonsError, natural_key
from kspec.features.kinds import Shape, input_kind, labels_of, output_kind
from kspec.schemas import Spec
from kspec.schemas.features import Input, Output
from kspec.spec.diagnostics import Diagnostic, KspecError, Route
from kspec.spec.suggestions import nearest

_SHOWN = 8
_COMPARED = 2_000
"""Maximum number of columns with which a misspelt name is compared."""
_SEPARATORS: Mapping[str, str] = MappingProxyType({";": "semicolons", "\t": "tabs", "|": "bars"})
_ESCAPED: Mapping[str, str] = MappingProxyType({";": ";", "\t": "\\t", "|": "|"})


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of each input and output by name, with globs expanded."""

    inputs: dict[str, tuple[str, ...]]
    outputs: dict[str, tuple[str, ...]]
    split: tuple[str, ...] = ()
    """The columns by which rows are split."""
    incomplete: frozenset[Route] = frozenset()
    """The inputs and outputs that lack a column in the data: `("inputs", "x")`."""
    problems: tuple[Diagnostic, ...] = ()
    """KS510: the data does not have a column. KS512: an input reads the truth of an output. KS551:
    the separator is not a comma."""

    @property
    def is_readable(self) -> bool:
        """Whether reading rows is useful: a column exists, and the file is comma-separated."""
        found = (*self.inputs.values(), *self.outputs.values())
        return any(found) and all(each.code != "KS551" for each in self.problems)


def bind_columns(spec: Spec, names: Sequence[str]) -> Columns:
    """Return `find_columns`; raise KspecError with all problems if there are any."""
    found = find_columns(spec, names)
    if found.problems:
        raise KspecError(*found.problems)
    return found


def find_columns(spec: Spec, names: Sequence[str]) -> Columns:
    """Return the columns that the spec requests, with a problem for each that the data lacks."""
    header = Header.of(names)
    absent: dict[str, list[Diagnostic]] = {}

    def match(section: str, name: str, item: Input | Output) -> tuple[str, ...]:
        route = _route(section, name, item)
        return tuple(_match(_written(name, item), header, route, absent))

    inputs = {name: match("inputs", name, item) for name, item in spec.inputs.items()}
    outputs = {name: match("outputs", name, item) for name, item in spec.outputs.items()}
    for column, route in _split_columns(spec):
        if column not in header.ranks:
            absent.setdefault(column, []).append(_absent(column, header, route, len(absent)))
    split = tuple(column for column, _ in _split_columns(spec) if column in header.ranks)
    odd = _other_separator(names, absent)
    problems = odd or [each for told in absent.values() for each in told]
    incomplete = frozenset(each.route[:2] for told in absent.values() for each in told)
    problems += leaks(spec, inputs, outputs)
    return Columns(inputs, outputs, split, incomplete, tuple(problems))


def _written(name: str, item: Input | Output) -> tuple[str, ...]:
    if isinstance(item, Output) and item.column is not None:
        return (item.column,)
    return item.columns or (name,)


def _route(section: str, name: str, item: Input | Output) -> Route:
    key = "column" if isinstance(item, Output) and item.column is not None else "columns"
    return (section, name, key)


def _match(
    written: Sequence[str], header: Header, route: Route, absent: dict[str, list[Diagnostic]]
) -> Iterator[str]:
    """Yield the names that match the patterns, each once."""
    seen: set[str] = set()
    for place, pattern in enumerate(written):
        try:
            found = header.match(pattern)
        except TooManyComparisonsError:
            message = f"too many globs for {len(header.ranks):,} columns"
            help_ = "name the columns, or write fewer globs that begin with more letters"
            raise KspecError(Diagnostic("KS553", message, (*route, place), help=help_)) from None
        if not found:
            problem = _absent(pattern, header, (*route, place), len(absent))
            absent.setdefault(pattern, []).append(problem)
        fresh = [name for name in found if name not in seen]
        seen.update(fresh)
        yield from fresh


def _absent(name: str, header: Header, route: Route, before: int) -> Diagnostic:
    """Return the diagnostic for a missing column; `before` is the number of earlier ones.

    A suggestion costs a comparison with each column, so only diagnostics that are shown have one.
    """
    names = header.names
    near = nearest(name, names[:_COMPARED]) if before < MAX_REPORTED else None
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return Diagnostic(
        "KS510",
        f"the data has no column {name!r}",
        route,
        help=f"did you mean {near!r}?" if near else f"the columns are {shown}{more}",
    )


def _other_separator(names: Sequence[str], absent: Collection[str]) -> list[Diagnostic]:
    """Return KS551 if the header's cells are separated by another character than a comma."""
    for separator, word in _SEPARATORS.items():
        cells = [cell.strip(' "') for cell in ",".join(names).split(separator)]
        patterns = islice(absent, MAX_REPORTED)
        if len(cells) > 1 and any(fnmatch.filter(cells, pattern) for pattern in patterns):
            message = f"the cells of the data are separated by {word}, not by commas"
            help_ = f'write it with commas: `pandas.read_csv(file, sep="{_ESCAPED[separator]}")`'
            return [Diagnostic("KS551", message, ROUTE, help=f"{help_}, then `.to_csv`")]
    return []


def leaks(
    spec: Spec, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, Sequence[str]]
) -> Iterator[Diagnostic]:
    """Yield KS512 for each input that reads a column of the truth. An autoencoder is excepted: its
    output is compared with all columns of its input."""
    for output, columns in outputs.items():
        for name, read in inputs.items():
            if _is_reconstruction(spec.inputs[name], spec.outputs[output], columns, read):
                continue
            for column in sorted(set(columns) & set(read), key=natural_key)[:MAX_REPORTED]:
                item = spec.inputs[name]
                route = (*_route("inputs", name, item), _pattern_of(column, item, name))
                yield Diagnostic(
                    "KS512",
                    f"the input {name!r} reads {column!r}, the truth of the output {output!r}",
                    route,
                    help=f"name the columns of {name!r} so that {column!r} is left out",
                )


def _is_reconstruction(
    item: Input, output: Output, columns: Sequence[str], read: Sequence[str]
) -> bool:
    """Whether an output of several numbers is compared with all columns of an input."""
    if labels_of(output) or set(columns) != set(read):
        return False
    count = _count(output_kind(output.kind).shape(output.kind))
    return count != 1 and count == _count(input_kind(item.kind).shape(item.kind))


def _count(shape: Shape) -> int | Shape:
    """Return the number of elements of a row; the shape itself if it has a named dimension."""
    sizes = [size for size in shape if isinstance(size, int)]
    return math.prod(sizes) if len(sizes) == len(shape) else shape


def _pattern_of(column: str, item: Input, name: str) -> int:
    """Return the index, in an input's list, of the name or glob that matches a column."""
    written = _written(name, item)
    fits = (i for i, pattern in enumerate(written) if fnmatch.fnmatch(column, pattern))
    return written.index(column) if column in written else next(fits, 0)


def _split_columns(spec: Spec) -> Iterator[tuple[str, Route]]:
    if spec.data is None:
        return
    for key in ("column", "stratify"):
        column = getattr(spec.data.split, key)
        if column is not None:
            yield column, ("data", "split", key)
