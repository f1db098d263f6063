"""Suggestions for unknown names: known names that differ by a typing error."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

COMPARED = 64
"""Maximum number of compared characters of a name."""
CANDIDATES = 16
"""Maximum number of known names that are examined; `difflib` chooses them."""
MAX_KNOWN = 1_000
"""Maximum number of known names from which `difflib` chooses."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to `word`, or None. Case, `-` and `_` are ignored.

    Two names are similar if they differ by at most one edit for each four characters, where an edit
    adds, drops, replaces or swaps characters; or if one abbreviates the other to at least half its
    length, as `batchnorm` does `batch_normalization`.
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
    """Return the help for an unknown `word`: the nearest known name, all names, or `none`."""
    words = list(dict.fromkeys(known))
    near = nearest(word, words)
    if near is not None:
        return f"did you mean `{near}`?"
    if not words:
        return none
    shown = ", ".join(f"`{each}`" for each in words[:12])
    return f"known here: {shown}" + (f" and {len(words) - 12} more" if len(words) > 12 else "")


def edits(one: str, other: str) -> int:
    """Return the optimal string alignment distance of two texts."""
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
