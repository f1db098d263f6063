"""Names for what a client hands over and gets back: of kinds and positions alone, never of what a
spec calls its inputs and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from kspec.targets.platforms.templates import Verbatim


def identifiers(kinds: Iterable[str]) -> Iterator[Verbatim]:
    """``image``, ``values``, ``image2``: a kind, and its number from the second of it on."""
    met: Counter[str] = Counter()
    for kind in kinds:
        met[kind] += 1
        yield Verbatim(kind if met[kind] == 1 else f"{kind}{met[kind]}")


def numbered(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Descriptions whose ``identifier`` is a kind, each with its place as ``index`` and an
    identifier of its own."""
    all_ = list(found)
    own = identifiers(each["identifier"] for each in all_)
    return [
        {**each, "index": index, "identifier": name}
        for index, (each, name) in enumerate(zip(all_, own, strict=True))
    ]
