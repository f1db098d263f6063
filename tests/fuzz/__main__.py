"""`python -m tests.fuzz --count 1000 --seed 7`: judge that many random networks.

Prints the count, the seed, the refusals and each failure. A failure is shrunk and written to
tests/fuzz/failures/, where the tests replay it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.fuzz.network import Network
from tests.fuzz.search import Tally, search

FAILURES = Path(__file__).parent / "failures"
CHUNK = 20
"""The number of networks in a chunk: a failure ends its chunk."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many networks")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="where to start")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    chosen = parser.parse_args()
    total, wanted = Tally(), range(0, chosen.count, CHUNK)
    print(f"{chosen.count} networks, seed {chosen.seed}")  # noqa: T201
    with ProcessPoolExecutor(chosen.jobs, mp_context=get_context("spawn")) as pool:
        chunks = [
            pool.submit(search, chosen.seed * 100_003 + at, min(CHUNK, chosen.count - at))
            for at in wanted
        ]
        for chunk in chunks:
            tally = chunk.result()
            total.judged += tally.judged
            total.ill_conditioned += tally.ill_conditioned
            total.refusals.update(tally.refusals)
            total.failures += tally.failures
            for network, problems in tally.failures:
                print(f"failure: {_write(network)}", *problems, sep="\n  ", flush=True)  # noqa: T201
    print(  # noqa: T201
        f"{total.judged} judged, {total.ill_conditioned} ill-conditioned,"
        f" {sum(total.refusals.values())} refusals, {len(total.failures)} failures"
    )
    for reason, times in total.refusals.most_common():
        print(f"{times:6} {reason}")  # noqa: T201
    return 1 if total.failures else 0


def _write(network: Network) -> Path:
    text = network.text()
    path = FAILURES / f"{hashlib.sha256(text.encode()).hexdigest()[:10]}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())
