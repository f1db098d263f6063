"""Runs the stages whose results the store lacks, and says why each one runs."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from kspec.pipeline.results import Progress, StageRun
from kspec.pipeline.store.content import Look, Store
from kspec.pipeline.store.key import Key
from kspec.pipeline.store.locks import Told
from kspec.spec.diagnostics import Diagnostic, KspecError

Notify = Callable[[Progress | StageRun], None]
"""Called when a piece of work begins and when a stage is done."""
Make = Callable[[Path], float | None]
"""Fills the folder of a stage's result. Stages that run in parallel return the CPU seconds of their
child processes."""


def silent(_event: Progress | StageRun) -> None:
    """Ignore the notification."""


@dataclass(slots=True)
class Stages:
    """The stages of one command over a store."""

    store: Store
    model: str
    notify: Notify
    done: list[StageRun] = field(default_factory=list)
    looks: dict[tuple[str, str], Look] = field(default_factory=dict)
    """The state of each result that was looked up."""

    def run(self, key: Key, make: Make) -> Path:
        """Return the folder of a stage's result; ``make`` fills it if the store lacks it."""
        run, _ = self._run(key, make, _cpu)
        self._tell(run)
        return self.path(key)

    def run_together(self, jobs: Sequence[tuple[Key, Make]]) -> tuple[Path, ...]:
        """`run` for independent stages that mostly wait for child processes, in parallel on all
        processors. Raises KspecError with the problems of all stages."""
        problems: list[Diagnostic] = []
        sources: dict[str, str] = {}
        with ThreadPoolExecutor(processors()) as pool:
            running = [pool.submit(self._run, *job, time.thread_time) for job in jobs]
            for each in running:
                try:
                    run, children = each.result()
                except KspecError as error:
                    problems += error.diagnostics
                    sources |= error.sources
                else:
                    self._tell(replace(run, cpu=run.cpu + children))
        if problems:
            raise KspecError(*problems, sources=sources)
        return tuple(self.path(key) for key, _ in jobs)

    def _run(self, key: Key, make: Make, clock: Callable[[], float]) -> tuple[StageRun, float]:
        started, before = time.perf_counter(), clock()
        reason, ran, children = self.reason(key), False, 0.0
        if not self.has(key):
            self.notify(Progress(key.title, reason))
            with self.store.writing(key.stage, key.digest, self._waiting(key)) as fresh:
                if fresh is not None:
                    children = make(fresh) or 0.0
                    ran = True
            self.looks[key.stage, key.digest] = Look(sound=True)
        self.store.remember(self.model, key.slot, _plain(key))
        seconds, cpu = time.perf_counter() - started, clock() - before
        return StageRun(key.title, key.digest, ran, reason, seconds, cpu), children

    def has(self, key: Key) -> bool:
        """Return whether the store has the stage's result."""
        return self._look(key).sound

    def _look(self, key: Key) -> Look:
        """Return the state of the result in the store; every byte is read, once."""
        place = (key.stage, key.digest)
        if place not in self.looks:
            self.looks[place] = self.store.look(*place)
        return self.looks[place]

    def path(self, key: Key) -> Path:
        """Return the folder of the stage's result, whether it exists or not."""
        return self.store.path(key.stage, key.digest)

    def reason(self, key: Key) -> str:
        """Return why the stage runs, or that it does not run."""
        found = self._look(key)
        if found.sound:
            return "unchanged"
        if found.damage is not None:
            return f"the stored result is not used: {found.damage}"
        last = self.store.remembered(self.model, key.slot)
        if last is None:
            return "first build"
        parts = _plain(key)
        changed = sorted(name for name in parts.keys() | last if parts.get(name) != last.get(name))
        return f"changed: {', '.join(changed)}" if changed else "no result in the store"

    def foreseen(self, keys: Iterable[Key]) -> tuple[StageRun, ...]:
        """Return the stages as a build would run them."""
        return tuple(
            StageRun(each.title, each.digest, not self.has(each), self.reason(each), 0.0)
            for each in keys
        )

    def wait(self, who: str) -> None:
        """Notify that this process waits for another one."""
        self.say("waiting", f"for {who}")

    def say(self, what: str, why: str) -> None:
        """Notify of work that is not a stage."""
        self.notify(Progress(what, why))

    def _waiting(self, key: Key) -> Told:
        return lambda who: self.wait(f"{who}, which runs {key.title}")

    def _tell(self, run: StageRun) -> None:
        self.done.append(run)
        self.notify(run)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu() -> float:
    """Return the CPU seconds of this process and of its ended children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _plain(key: Key) -> dict[str, object]:
    """Return the parts as reading them from JSON returns them."""
    plain: dict[str, object] = json.loads(json.dumps(dict(key.decides)))
    return plain
