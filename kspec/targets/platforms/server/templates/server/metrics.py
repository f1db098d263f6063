"""The metrics for Prometheus at /metrics."""

from __future__ import annotations

import time

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
OTHER = "other"
"""The label of all paths without a route, whose number is unbounded."""


class Metrics:
    """Counts and durations of requests, by route and status."""

    def __init__(self, paths: frozenset[str]) -> None:
        self._paths = paths
        self._running = 0
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "kspec_requests", "Requests answered.", ("path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "kspec_request_seconds",
            "Time to the answer.",
            ("path",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        running = Gauge(
            "kspec_requests_running", "Requests not answered yet.", registry=self._registry
        )
        running.set_function(lambda: self._running)
        ProcessCollector(registry=self._registry)
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def measured(self, path: str) -> Measure:
        """Count the block as a request."""
        return Measure(self, path if path in self._paths else OTHER)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return an application that counts its requests."""

        async def measured(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            with self.measured(scope["path"]) as measure:

                async def watch(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        measure.status = message["status"]
                    await send(message)

                await app(scope, receive, watch)

        return measured

    def show(self) -> Response:
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def begin(self) -> None:
        self._running += 1

    def end(self, path: str, status: int, seconds: float) -> None:
        self._running -= 1
        count, histogram = self._known.get((path, status)) or self._series(path, status)
        count.inc()
        histogram.observe(seconds)

    def _series(self, path: str, status: int) -> tuple[Counter, Histogram]:
        """Return a cached series: looking it up takes as long as counting."""
        found = self._requests.labels(path, status), self._seconds.labels(path)
        self._known[path, status] = found
        return found


class Measure:
    """One request."""

    __slots__ = ("_metrics", "_path", "_started", "status")

    def __init__(self, metrics: Metrics, path: str) -> None:
        self._metrics, self._path = metrics, path
        self.status = 500

    def __enter__(self) -> Measure:
        self._metrics.begin()
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._metrics.end(self._path, self.status, time.perf_counter() - self._started)
