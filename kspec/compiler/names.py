"""Unique names."""

from __future__ import annotations

from collections.abc import Iterable


class Names:
    """A set of names in use. ``fresh`` adds the wanted name, or ``<name>_2``, ``<name>_3``, … if
    that name is in use."""

    __slots__ = ("_last", "_taken")

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._last: dict[str, int] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._taken

    def take(self, *names: str) -> None:
        """Mark names as used."""
        self._taken.update(names)

    def fresh(self, wanted: str, longest: int | None = None) -> str:
        """Return an unused name of at most ``longest`` characters and mark it as used."""
        name = wanted[:longest]
        stem, number = name, self._last.get(name, 1)
        while name in self._taken:
            number += 1
            suffix = f"_{number}"
            kept = None if longest is None else longest - len(suffix)
            name = stem[:kept] + suffix
        self._last[stem] = number
        self._taken.add(name)
        return name
