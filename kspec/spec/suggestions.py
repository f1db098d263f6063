"""Did you mean …?"""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is most likely a slip of, or None."""
    words = list(dict.fromkeys(known))
    folded = {each.lower().replace("-", "_"): each for each in reversed(words)}
    found = get_close_matches(word[:64].lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


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
