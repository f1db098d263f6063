"""The column names of a source, and their search by globs."""

from __future__ import annotations

import fnmatch
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MAX_COMPARISONS = 5_000_000
"""Maximum number of comparisons of a glob with a name."""
_LAST = chr(0x10FFFF)
_LITERAL = re.compile(r"[^*?\[]*")
"""Matches the characters of a glob before its first wildcard."""


class TooManyComparisonsError(Exception):
    """The globs so far need more than `MAX_COMPARISONS` comparisons."""


@dataclass(slots=True)
class Header:
    """The columns of a source."""

    names: Sequence[str]
    """In natural order: `pixel_9` before `pixel_10`."""
    ranks: Mapping[str, int]
    """The place of each name in `names`."""
    alphabetical: Sequence[str]
    """Sorted by code points: names with the same beginning are neighbours."""
    comparisons: int = 0
    """Comparisons made so far."""

    @classmethod
    def of(cls, names: Iterable[str]) -> Header:
        """Return the header with these names."""
        ordered = sorted(names, key=natural_key)
        return cls(ordered, {name: i for i, name in enumerate(ordered)}, sorted(ordered))

    def match(self, pattern: str) -> list[str]:
        """Return the columns that match a name or glob, in natural order.

        A pattern that is itself a column matches that column alone. Only names that begin like
        the pattern are compared. Raises TooManyComparisonsError.
        """
        if pattern in self.ranks:
            return [pattern]
        found = _LITERAL.match(pattern)
        prefix = found[0] if found is not None else ""
        if prefix == pattern:
            return []
        first = bisect_left(self.alphabetical, prefix)
        last = bisect_left(self.alphabetical, prefix + _LAST, lo=first)
        self.comparisons += last - first
        if self.comparisons > MAX_COMPARISONS:
            raise TooManyComparisonsError(pattern)
        fits = re.compile(fnmatch.translate(pattern)).match
        return sorted(filter(fits, self.alphabetical[first:last]), key=self.ranks.__getitem__)


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key that puts `pixel_10` after `pixel_9`: digits compare as numbers."""
    parts = re.split(r"([0-9]+)", name)
    runs = (each.lstrip("0") if each.isascii() and each.isdigit() else each for each in parts)
    # Digits compare by length first, so that long runs need no conversion to integers.
    return tuple((len(run) if place % 2 else 0, run) for place, run in enumerate(runs))
