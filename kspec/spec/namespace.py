"""The names of a network that is being expanded, and the step that each name means."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice


@dataclass(frozen=True, slots=True)
class Call:
    """The steps and names that one call of a layer or block added to the network."""

    steps: slice
    """The call's range of all steps."""
    names: slice
    """The call's range of all names, in the order in which they were added."""


@dataclass(slots=True)
class Namespace:
    """Full names such as `call/step`. The cost of an operation depends on the names that it reads
    or adds, not on the number of all names."""

    meanings: dict[str, str | None] = field(default_factory=dict)
    """The step that each full name means; None if that step is unknown."""
    order: list[str] = field(default_factory=list)
    """The names in the order in which they were added."""
    calls: dict[str, Call] = field(default_factory=dict)
    """Each call of a layer or block by its full name."""

    def add(self, name: str, step: str | None) -> None:
        """Let `name` mean `step`."""
        if name not in self.meanings:
            self.order.append(name)
        self.meanings[name] = step

    def rename(self, step: str, new: str, start: int) -> None:
        """Let the names that were added from place `start` on mean `new` if they mean `step`."""
        for name in self.order[start:]:
            if self.meanings[name] == step:
                self.meanings[name] = new

    def repeat(
        self, target: str, copy: str, step_of: Callable[[str], str | None], *, inside: bool
    ) -> None:
        """Add the name of a call, and the names `inside` of it, for a copy of the call.

        `step_of` returns the copy of a step.
        """
        names = [target]
        if inside:
            added = self.order[self.calls[target].names]
            names += [name for name in added if name.startswith(f"{target}/")]
        for name in names:
            meaning = self.meanings[name]
            self.add(copy + name.removeprefix(target), meaning and step_of(meaning))

    def newest(self, prefix: str, count: int) -> list[str]:
        """Return the newest names of known steps that begin with `prefix`, without `prefix`."""
        return list(islice(self._known(prefix), count))

    def _known(self, prefix: str) -> Iterator[str]:
        for name in reversed(self.order):
            if name.startswith(prefix) and self.meanings[name] is not None:
                yield name.removeprefix(prefix)
