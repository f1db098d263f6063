"""Runs a stage, unless the store has what it would give, and says why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kspec.pipeline.results import StageRun
from kspec.pipeline.store.content import Store
from kspec.pipeline.store.keys import Key

Notify = Callable[[StageRun], None]
"""Told of each stage when it is done."""


@dataclass(slots=True)
class Stages:
    """The stages of one command, over a store."""

    store: Store
    model: str
    notify: Notify
    done: list[StageRun] = field(default_factory=list)

    def run(self, key: Key, make: Callable[[Path], None]) -> Path:
        """The folder of a stage's result, which ``make`` fills if it is not there yet."""
        started, reason, ran = time.perf_counter(), self.reason(key), False
        if not self.has(key):
            with self.store.writing(key.stage, key.digest) as fresh:
                if fresh is not None:
                    make(fresh)
                    ran = True
        self.store.remember(self.model, key.slot, _plain(key))
        self._tell(StageRun(key.name, key.digest, ran, reason, time.perf_counter() - started))
        return self.path(key)

    def has(self, key: Key) -> bool:
        """Whether the stage has a result."""
        return self.store.has(key.stage, key.digest)

    def path(self, key: Key) -> Path:
        """Where the stage's result lies, or would."""
        return self.store.path(key.stage, key.digest)

    def reason(self, key: Key) -> str:
        """Why a stage runs, or that it does not."""
        if self.has(key):
            return "unchanged"
        last = self.store.remembered(self.model, key.slot)
        if last is None:
            return "first build"
        parts = _plain(key)
        changed = sorted(name for name in parts.keys() | last if parts.get(name) != last.get(name))
        return f"changed: {', '.join(changed)}" if changed else "no result in the store"

    def foreseen(self, keys: Iterable[Key]) -> tuple[StageRun, ...]:
        """Stages as they would go."""
        return tuple(
            StageRun(key.name, key.digest, not self.has(key), self.reason(key), 0.0) for key in keys
        )

    def _tell(self, run: StageRun) -> None:
        self.done.append(run)
        self.notify(run)


def _plain(key: Key) -> dict[str, object]:
    """The parts as they come back from JSON."""
    plain: dict[str, object] = json.loads(json.dumps(dict(key.decides)))
    return plain
