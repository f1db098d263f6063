"""The search for networks whose results differ, in chunks."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.generator import networks
from tests.fuzz.judge import judge
from tests.fuzz.network import Network


@dataclass(slots=True)
class Tally:
    """The results of the networks of a chunk."""

    judged: int = 0
    ill_conditioned: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Network, tuple[str, ...]]] = field(default_factory=list)


SHRINKING = 60.0
"""The time in seconds after which shrinking a failure stops."""


class Enough(BaseException):
    """The failure is small enough."""


class DiffersError(AssertionError):
    """A network with unexplained differences."""


def search(start: int, count: int) -> Tally:
    """Judge random networks; the tally contains the smallest failure of the chunk."""
    tally = Tally()
    smallest: list[tuple[Network, tuple[str, ...]]] = []
    found: list[float] = []

    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(networks())
    def check(network: Network) -> None:
        if found and time.monotonic() - found[0] > SHRINKING:
            raise Enough
        verdict = judge(network)
        if not smallest:
            tally.judged += not verdict.ill_conditioned and "trace" not in verdict.refusals
            tally.ill_conditioned += verdict.ill_conditioned
            tally.refusals.update(f"{who}: {why}" for who, why in verdict.refusals.items())
        if verdict.problems:
            found.append(time.monotonic())
            smallest[:] = [(network, verdict.problems)]
            raise DiffersError(verdict.problems)

    try:
        check()
    except (DiffersError, Enough):
        tally.failures = smallest
    return tally
