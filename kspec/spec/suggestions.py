"""Suggestions for names that are not known: only names that a slip of the hand explains."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

COMPARED = 64
"""Characters of a name that are compared."""
CANDIDATES = 16
"""Known names that are examined; `difflib` chooses them."""
MAX_KNOWN = 1_000
"""Known names from which `difflib` chooses."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` most likely stands for, or None. Case, `-` and `_` do not count.

    A name is near if one edit for each four characters makes it of the other, where an edit adds,
    drops, replaces or swaps characters; or if it shortens the other to no less than half, as
    `batchnorm` does `batch_normalization`.
    """
    folded: dict[str, str] = {}
    for each in islice(known, MAX_KNOWN):
        folded.setdefault(_fold(each), each)
    wanted = _fold(word)
    found = get_close_matches(wanted, folded, n=CANDIDATES, cutoff=0.6)
    near = [each for each in found if _is_near(wanted, each)]
    best = min(near, key=lambda each: edits(wanted, each), default=None)
    return None if best is None else folded[best]


def suggest(word: str, known: Iterable[str], *, none: str | None = None) -> str | None:
    """The help for an unknown `word`: the nearest known one, else all of them, else `none`."""
    words = list(dict.fromkeys(known))
    near = nearest(word, words)
    if near is not None:
        return f"did you mean `{near}`?"
    if not words:
        return none
    shown = ", ".join(f"`{each}`" for each in words[:12])
    return f"known here: {shown}" + (f" and {len(words) - 12} more" if len(words) > 12 else "")


def edits(one: str, other: str) -> int:
    """The edits that make one text of the other: the optimal string alignment distance."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        previous, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _fold(word: str) -> str:
    return word[:COMPARED].lower().replace("-", "").replace("_", "")


def _is_near(one: str, other: str) -> bool:
    if edits(one, other) <= max(1, min(len(one), len(other)) // 4):
        return True
    short, long = sorted((one, other), key=len)
    letters = iter(long)
    return (
        len(short) >= 4
        and 2 * len(short) >= len(long)
        and short[0] == long[0]
        and all(letter in letters for letter in short)
    )
