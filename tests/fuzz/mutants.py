"""`python -m tests.fuzz.mutants --count 5000 --seed 1`: check specs with one mistake each.

A sound spec is written in block style, one key or item per line, so that the line of each node is
known. One node is replaced by a value of a wrong kind, renamed, deleted, duplicated or moved; then
the mutant is checked as `kspec check` does it, in this process. A mutant ends with the exit code of
the command: 0 for a spec that is still sound, 2 for a refused spec, and 70 for any exception except
KspecError, which is a bug. A refusal counts as located if at least one diagnostic is on a line of
the mutation.
"""

from __future__ import annotations

import argparse
import copy
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kspec.pipeline.check import load_checked
from kspec.spec.diagnostics import KspecError
from kspec.spec.node import Node
from kspec.spec.reader import read
from kspec.spec.render import render
from tests.fuzz.specs import SPECS, write_data

LEAST = 0.95
"""The least share of refusals with a diagnostic on a line of the mutation."""
WRONG: Mapping[str, str] = {
    "null": "null",
    "a bool": "true",
    "zero": "0",
    "a negative number": "-1",
    "a fraction": "0.37",
    "an integer beyond 64 bits": "1" + "0" * 30,
    "a large integer": str(2**62),
    "a number beyond float64": "1e400",
    "not a number": ".nan",
    "a word": "wrong",
    "a quoted number": '"12"',
    "empty text": '""',
    "long text": "x" * 3000,
    "text of many scripts": '"né 數 \\U0001F600"',
    "an escaped control character": '"a\\x1b\\u202eb"',
    "an empty list": "[]",
    "a list": "[1, two, null]",
    "a nested list": "[[[1], [2, []]], []]",
    "an empty mapping": "{}",
    "a mapping": "{one: 1, two: [2]}",
    "a nested mapping": "{one: {two: {three: null}}}",
    "a date": "2024-01-31",
    "a time": "12:30:45",
    "an expression": '"${missing + 1}"',
    "a broken expression": '"${2 *}"',
    "a division by zero": '"${1 / 0}"',
    "arithmetic": "1/0",
    "a comparison": '">= 1e999"',
    "a path out of the folder": "../../etc/passwd",
}
KEYS = ("wrong", '""', "12", "null", '"né"', "x" * 300, '"a.b[0]*"', '"a b"', "${missing}")


@dataclass(slots=True)
class Part:
    """A node of a spec in block style."""

    key: str | None
    """The key as written; None for an item of a list and for the root."""
    scalar: str = ""
    """The text of a value on the line of its key."""
    kind: str = "scalar"
    parts: list[Part] = field(default_factory=list)
    lines: tuple[int, int] = (0, 0)
    """The first and the last line, from 1, known after the text is written."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spec with one mistake, and the place of the mistake."""

    seed: str
    text: str
    mutation: str
    lines: frozenset[int]


@dataclass(slots=True)
class Tally:
    """The ends of mutants."""

    codes: Counter[int] = field(default_factory=Counter)
    located: int = 0
    sound: list[Mutant] = field(default_factory=list)
    crashed: list[tuple[Mutant, str]] = field(default_factory=list)
    elsewhere: list[tuple[Mutant, KspecError]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of located refusals."""
        return self.located / max(1, self.located + len(self.elsewhere))


def parsed(text: str) -> Part:
    """Return the parts of a sound spec."""
    root, problems = read(text, "seed.yaml")
    assert not problems
    return _part(root, text.split("\n"))


def _part(node: Node, lines: list[str]) -> Part:
    key = None
    if node.key is not None:
        key = lines[node.key.line - 1][node.key.column - 1 : node.key.end_column - 1]
    if not node.is_scalar and not (node.mapping or node.items):
        return Part(key, "{}" if isinstance(node.value, dict) else "[]")
    if node.is_scalar:
        span = node.span
        assert span.line == span.end_line
        return Part(key, lines[span.line - 1][span.column - 1 : span.end_column - 1])
    kind = "mapping" if node.mapping else "list"
    return Part(key, "", kind, [_part(each, lines) for each in node.children()])


def written(root: Part) -> str:
    """Return the text of the parts; set their lines."""
    lines: list[str] = []
    root.lines = (1, 1)
    _write(root.parts, lines, "")
    return "\n".join(lines) + "\n"


def _write(parts: Iterable[Part], lines: list[str], indent: str, lead: str | None = None) -> None:
    """Write the parts; the first one follows `lead`, the dash of a list item."""
    for part in parts:
        start = (indent if lead is None else lead) + ("- " if part.key is None else f"{part.key}:")
        lead = None
        first = len(lines) + 1
        if part.kind == "scalar":
            lines.append((start + " " * bool(part.key) + part.scalar).rstrip())
        elif part.key is None:
            _write(part.parts, lines, indent + "  ", start)
        else:
            lines.append(start)
            _write(part.parts, lines, indent + "  ")
        part.lines = (first, len(lines))


def _walk(part: Part) -> Iterator[tuple[Part, int]]:
    """Yield each parent with the index of a child, in the order of the text."""
    for index, each in enumerate(part.parts):
        yield part, index
        yield from _walk(each)


Mutation = Callable[[random.Random, Part, int], tuple[str, Callable[[], Iterable[int]]]]
"""Change the child of a parent; return the change, and its lines once the text is written."""


def _replace(drawn: random.Random, parent: Part, index: int) -> tuple[str, Callable[[], set[int]]]:
    part, (name, text) = parent.parts[index], drawn.choice(list(WRONG.items()))
    part.scalar, part.kind, part.parts = text, "scalar", []
    return f"becomes {name}", lambda: {part.lines[0]}


def _rename(drawn: random.Random, parent: Part, index: int) -> tuple[str, Callable[[], set[int]]]:
    part = parent.parts[index]
    if part.key is None:
        return _replace(drawn, parent, index)
    plain = part.key.strip('"')
    before, part.key = part.key, drawn.choice([*KEYS, plain[:-1] or "x", plain + "s"])
    return f"key `{before}` becomes `{part.key[:40]}`", lambda: {part.lines[0]}


def _delete(_drawn: random.Random, parent: Part, index: int) -> tuple[str, Callable[[], set[int]]]:
    del parent.parts[index]
    if not parent.parts:
        parent.kind = "scalar"
    after = parent.parts[index : index + 1]
    return "is deleted", lambda: {parent.lines[0], *(each.lines[0] for each in after)}


def _double(_drawn: random.Random, parent: Part, index: int) -> tuple[str, Callable[[], set[int]]]:
    part = parent.parts[index]
    parent.parts.insert(index + 1, other := copy.deepcopy(part))
    return "is written twice", lambda: _all(part, other)


def _move(drawn: random.Random, parent: Part, index: int) -> tuple[str, Callable[[], set[int]]]:
    if len(parent.parts) == 1:
        return _replace(drawn, parent, index)
    other = index + 1 if index + 1 < len(parent.parts) else index - 1
    parts = parent.parts
    parts[index], parts[other] = parts[other], parts[index]
    after = parts[max(index, other) + 1 :][:1]
    return "changes places with its neighbour", lambda: _all(parts[index], parts[other], *after)


def _all(*parts: Part) -> set[int]:
    return {line for part in parts for line in range(part.lines[0], part.lines[1] + 1)}


MUTATIONS: tuple[Mutation, ...] = (_replace,) * 6 + (_rename, _delete, _double, _move)


def mutants(count: int, seed: int) -> Iterator[Mutant]:
    """Yield that many mutants, equal for equal seeds."""
    drawn = random.Random(seed)  # noqa: S311
    seeds = {name: parsed(text) for name, text in SPECS.items()}
    places = {name: len(list(_walk(root))) for name, root in seeds.items()}
    names = list(seeds)
    for number in range(count):
        name = names[number % len(names)]
        root = copy.deepcopy(seeds[name])
        parent, index = list(_walk(root))[drawn.randrange(places[name])]
        where = parent.parts[index].key or f"item {index}"
        done, lines = drawn.choice(MUTATIONS)(drawn, parent, index)
        text = written(root)
        yield Mutant(name, text, f"`{where}` {done}", frozenset(lines()))


def judge(mutant: Mutant, folder: Path, tally: Tally) -> None:
    """Check the mutant in its folder, and count its end."""
    path = folder / mutant.seed / "model.yaml"
    path.write_text(mutant.text, encoding="utf-8")
    try:
        try:
            load_checked(path)
        except KspecError as error:
            for output in ("text", "json"):
                render(error, output)
            tally.codes[error.exit_code] += 1
            _locate(mutant, error, tally)
            return
    except Exception:  # noqa: BLE001 - what the command line calls a bug
        tally.codes[70] += 1
        tally.crashed.append((mutant, traceback.format_exc(limit=-3)))
        return
    tally.codes[0] += 1
    tally.sound.append(mutant)


def _locate(mutant: Mutant, error: KspecError, tally: Tally) -> None:
    lines = {each.span.line for each in error.diagnostics if each.span is not None}
    if lines & mutant.lines:
        tally.located += 1
    else:
        tally.elsewhere.append((mutant, error))


def run(count: int, seed: int, folder: Path) -> Tally:
    """Judge that many mutants of all specs, whose data is written into `folder`."""
    tally = Tally()
    for name in SPECS:
        write_data(folder / name)
    for mutant in mutants(count, seed):
        judge(mutant, folder, tally)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=5000, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="where to start")
    parser.add_argument("--show", action="store_true", help="list refusals on other lines")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = run(chosen.count, chosen.seed, Path(folder))
    for mutant, told in tally.crashed:
        print(f"exit 70: {mutant.seed}: {mutant.mutation}\n{told}")  # noqa: T201
    if chosen.show:
        for mutant in tally.sound:
            print(f"sound: {mutant.seed}: {mutant.mutation}")  # noqa: T201
        for mutant, error in tally.elsewhere:
            first = error.diagnostics[0]
            line = first.span.line if first.span else None
            print(  # noqa: T201
                f"elsewhere: {mutant.seed}: {sorted(mutant.lines)} {mutant.mutation}:"
                f" line {line}: {first.code} {first.message[:150]}"
            )
    codes = ", ".join(f"exit {code}: {times}" for code, times in sorted(tally.codes.items()))
    refused = tally.located + len(tally.elsewhere)
    print(f"{chosen.count} mutants, seed {chosen.seed}: {codes}")  # noqa: T201
    print(f"{tally.located} of {refused} refusals on the line: {tally.share:.2%}")  # noqa: T201
    return 1 if tally.crashed or tally.share < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
