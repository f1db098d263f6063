"""The web service of a server's bundle: cost beside KServe's SDK, memory, its end, odd requests.

    make bench-server            everything, into docs/server.md
    python -m benchmarks.server --peers VENV [--requests 3000] [--steady 100000]

VENV is an environment of ``benchmarks/server.lock``; both servers run in it, each on one core and
in turns, with the digits network and the load of one process on another core. All of it stays on
loopback, and each loop has an end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

import kspec
from tests.platforms import load
from tests.platforms.service import Service, serving

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "server.md"
EXAMPLE = ROOT / "examples" / "digits"
CLIENTS, TURNS, ENDINGS, CASES = 32, 5, 10, 2000
MOST = 0.4
"""Of what KServe's SDK costs."""
MIB = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.server", description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, required=True, metavar="VENV")
    parser.add_argument("--requests", type=int, default=3000, help="of each turn")
    parser.add_argument("--steady", type=int, default=100_000, help="requests for the memory")
    chosen = parser.parse_args()
    python = str((chosen.peers / "bin/python").absolute())
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        kspec.build(kspec.load(EXAMPLE / "model.yaml"), out=Path(folder, "dist"))
        bench = Bench(Path(folder, "dist/server"), python)
        parts: Mapping[str, Callable[[], dict[str, Any]]] = {
            "cost": lambda: bench.cost(chosen.requests),
            "client": bench.client,
            "memory": lambda: bench.memory(chosen.steady),
            "end": bench.endings,
            "odd": bench.odd_requests,
        }
        found = {}
        for name, part in parts.items():
            found[name] = part()
            print(name, json.dumps(found[name]), flush=True)
    PAGE.write_text(page(found), encoding="utf-8")
    raise SystemExit(1 if failures(found) else 0)


class Bench:
    """What is measured of one bundle."""

    def __init__(self, bundle: Path, python: str) -> None:
        self.bundle, self.python = bundle, python
        rows = load_file(bundle / "golden/golden.safetensors")["input/pixels"][:1]
        tensor = {"name": "pixels", "shape": list(rows.shape), "datatype": "FP32"}
        flat = {**tensor, "data": rows.reshape(-1).tolist()}
        self.requests = {
            "v1": load.request("/v1/models/digits:predict", dump({"instances": rows.tolist()})),
            "v2": load.request("/v2/models/digits/infer", dump({"inputs": [flat]})),
        }

    @contextmanager
    def ours(self, *flags: str) -> Iterator[Service]:
        command = ("taskset", "-c", "0", self.python, "-m", "server")
        with serving(self.bundle, *flags, command=command) as found:
            yield found

    @contextmanager
    def kserve(self, *flags: str) -> Iterator[Service]:
        module = ("-m", "benchmarks.kserve_peer", "serve", str(self.bundle))
        os.environ["PYTHONPATH"] = str(ROOT)
        command = ("taskset", "-c", "0", self.python, *module)
        with serving(self.bundle, *flags, command=command) as found:
            yield found

    def cost(self, requests: int) -> dict[str, Any]:
        """CPU microseconds of the server for a request, the median of turns."""
        with self.ours() as ours, self.kserve() as kserve, self.kserve("--quiet") as quiet:
            servers = {"kspec": ours, "kserve": kserve, "quiet": quiet}
            for server in servers.values():  # what is loaded late is loaded before it counts
                for content in self.requests.values():
                    pressed(server, content, requests // 10)
            found: dict[str, dict[str, list[float]]] = {
                each: {name: [] for name in servers} for each in self.requests
            }
            for turn in range(TURNS):
                for protocol, content in self.requests.items():
                    for name in sorted(servers, reverse=bool(turn % 2)):
                        seconds = pressed(servers[name], content, requests)
                        found[protocol][name].append(1e6 * seconds / requests)
        return {
            protocol: {
                **{name: round(statistics.median(each)) for name, each in sides.items()},
                "ratio": round(ratio(sides, "kserve"), 3),
                "quiet ratio": round(ratio(sides, "quiet"), 3),
            }
            for protocol, sides in found.items()
        }

    def client(self) -> dict[str, Any]:
        """What KServe's own client gets from our server."""
        with self.ours() as server:
            module = ["-m", "benchmarks.kserve_peer", "ask", str(self.bundle), server.url]
            done = run([self.python, *module])
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def memory(self, requests: int) -> dict[str, Any]:
        """MiB after each tenth of the requests: both protocols, and errors between them."""
        wrong = load.request("/v1/models/digits:predict", b'{"instances": [[1, 2, 3]]}')
        kinds = (*self.requests.values(), wrong)
        sizes = []
        with self.ours() as server:
            for _ in range(10):
                for content in kinds:
                    pressed(server, content, requests // 10 // len(kinds))
                sizes.append(round(server.resident / MIB, 1))
        return {"requests": requests, "sizes": sizes, "growth": round(sizes[-1] - sizes[0], 1)}

    def endings(self) -> dict[str, Any]:
        """SIGTERM in the midst of clients that go on until nobody listens."""
        total = load.Fates()
        for turn in range(ENDINGS):
            with self.ours("--drain", "1") as server:
                fates = asyncio.run(self._end(server, keep=bool(turn % 2)))
                if server.process.wait(30) != 0:
                    raise RuntimeError("the server did not end by itself")
            total.answered += fates.answered
            total.lost += fates.lost
            total.stale += fates.stale
        return {
            "rounds": ENDINGS,
            "answered": dict(total.answered),
            "lost": total.lost,
            "stale": total.stale,
        }

    async def _end(self, server: Service, *, keep: bool) -> load.Fates:
        clients = load.storm(
            server.port, self.requests["v1"], clients=CLIENTS, count=1_000_000, keep=keep
        )
        running = asyncio.create_task(clients)
        await asyncio.sleep(1)
        server.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(running, 60)

    def odd_requests(self) -> dict[str, Any]:
        """Schemathesis, on the service's own description of itself. A request that the schema
        allows may still be refused: numbers near the end of float32 have no finite answer."""
        tool = str(Path(self.python).with_name("schemathesis"))
        how = ["--max-examples", str(CASES // 8), "--seed", "1", "--mode", "all"]
        how += [
            "--exclude-checks",
            "positive_data_acceptance",
            "--no-color",
            "--continue-on-failure",
        ]
        with self.ours() as server:
            done = run([tool, "run", f"{server.url}/openapi.json", *how], check=False)
            counted = statuses(server)
        match = re.search(r"(\d+) generated", done.stdout)
        return {
            "cases": int(match[1]) if match else 0,
            "passed": done.returncode == 0,
            "5xx": sum(count for status, count in counted.items() if status >= "5"),
            "statuses": counted,
        }


def pressed(server: Service, content: bytes, requests: int) -> float:
    """CPU seconds of a server for so many requests over connections that stay open."""
    before = server.seconds
    each = requests // CLIENTS
    fates = asyncio.run(load.storm(server.port, content, clients=CLIENTS, count=each, keep=True))
    if sum(fates.answered.values()) != each * CLIENTS:
        raise RuntimeError(f"not every request was answered: {fates}")
    return (server.seconds - before) * requests / (each * CLIENTS)


def ratio(sides: Mapping[str, Sequence[float]], peer: str) -> float:
    """The median of the turns' ratios: what disturbs a turn disturbs both sides."""
    pairs = zip(sides["kspec"], sides[peer], strict=True)
    return statistics.median(ours / theirs for ours, theirs in pairs)


def statuses(server: Service) -> dict[str, int]:
    """How many answers had each status, as the service itself counted them."""
    import httpx

    found: dict[str, int] = {}
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    for status, count in re.findall(
        r'^kspec_requests_total{.*status="(\d+)"} ([\d.]+)', text, re.M
    ):
        found[status] = found.get(status, 0) + int(float(count))
    return dict(sorted(found.items()))


def run(command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=check, capture_output=True, text=True, timeout=1200, cwd=ROOT
    )


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def failures(found: Mapping[str, Any]) -> list[str]:
    """What does not hold."""
    checks = {
        "cost": all(each["ratio"] <= MOST for each in found["cost"].values()),
        "memory": found["memory"]["growth"] < 4,
        "end": found["end"]["lost"] == 0,
        "odd requests": found["odd"]["passed"] and found["odd"]["cases"] >= CASES,
    }
    return [name for name, right in checks.items() if not right]


def page(found: Mapping[str, Any]) -> str:
    cost, client, memory = found["cost"], found["client"], found["memory"]
    end, odd = found["end"], found["odd"]
    rows = "\n".join(
        f"| {protocol} | {each['kspec']} | {each['kserve']} | {each['ratio']:.2f} "
        f"| {each['quiet']} | {each['quiet ratio']:.2f} |"
        for protocol, each in cost.items()
    )
    errors = ", ".join(f"{key} {client[key]:.1e}" for key in ("v1", "v2 JSON", "v2 binary"))
    answered = f"{sum(end['answered'].values()):,} requests answered, {end['lost']} lost"
    facts = {
        "KServe's own client, largest difference from the reference": errors,
        f"memory, MiB, after each tenth of {memory['requests']:,} requests": ", ".join(
            map(str, memory["sizes"])
        ),
        f"SIGTERM under load, {end['rounds']} times": answered,
        "cases of schemathesis, from the service's OpenAPI document": (
            f"{odd['cases']:,}, of which {odd['5xx']} were answered 5xx"
        ),
    }
    listed = "\n".join(f"| {what} | {figure} |" for what, figure in facts.items())
    return f"""# The server's web service, measured

Written by `make bench-server`, which fails if a figure exceeds its limit. One core for the server,
{CLIENTS} connections, the digits network, ONNX Runtime {version("onnxruntime")}, Python
{platform.python_version()}, {platform.machine()}; both servers in one environment, with uvloop and
httptools. The machine was shared: rely on the ratios only.

## CPU microseconds a request

The median of {TURNS} turns of each server. KServe's SDK is measured as its documentation sets it
up, with a line or two of log for each request, and again without this log.

| protocol | kspec | KServe's SDK | ratio, at most {MOST} | without its log | ratio |
|---|--:|--:|--:|--:|--:|
{rows}

## The rest

| what | figure |
|---|---|
{listed}
"""


if __name__ == "__main__":
    main()
