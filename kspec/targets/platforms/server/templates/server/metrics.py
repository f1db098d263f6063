"""What Prometheus reads at /metrics."""

from __future__ import annotations

import time
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
OTHER = "other"
"""Stands for all paths that lead nowhere: there is no end of them."""


class Metrics:
    """Counts requests by route and status, and how long they take, around an application."""

    def __init__(self, app: ASGIApp, paths: frozenset[str]) -> None:
        self._app, self._paths = app, paths
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
        self._running = Gauge(
            "kspec_requests_running", "Requests not answered yet.", registry=self._registry
        )
        ProcessCollector(registry=self._registry)
        self._known: dict[tuple[str, int], tuple[Any, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else OTHER
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        self._running.inc()
        try:
            await self._app(scope, receive, watch)
        finally:
            self._running.dec()
            count, seconds = self._known.get((path, status)) or self._series(path, status)
            count.inc()
            seconds.observe(time.perf_counter() - started)

    def _series(self, path: str, status: int) -> tuple[Any, Any]:
        """Found once: looking a series up costs as much as counting."""
        found = self._requests.labels(path, status), self._seconds.labels(path)
        self._known[path, status] = found
        return found

    async def show(self, _request: Request) -> Response:
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
