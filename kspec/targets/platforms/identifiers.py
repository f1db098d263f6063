"""Names for what a client hands over and gets back: of kinds and positions alone, never of what a
spec calls its inputs and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kspec.targets.platforms.templates import Verbatim


def identifiers(kinds: Iterable[str]) -> Iterator[Verbatim]:
    """``image``, ``values``, ``image2``: a kind, and its number from the second of it on."""
    met: Counter[str] = Counter()
    for kind in kinds:
        met[kind] += 1
        yield Verbatim(kind if met[kind] == 1 else f"{kind}{met[kind]}")
