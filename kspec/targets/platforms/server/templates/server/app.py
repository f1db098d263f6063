"""The application: routes, errors and readiness."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import answer, refuse
from .description import Model
from .engine import Engine
from .errors import RequestError
from .inference import Inference
from .metrics import Metrics
from .openapi import document
from .serving import Serving
from .settings import Settings

Handler = Callable[[Request], Awaitable[Response]]
FAILED = answer({"error": "the server failed"}, 500)


class App:
    """The ASGI application."""

    def __init__(self, model: Model, folder: Path, settings: Settings) -> None:
        self.engine = Engine(model, folder, settings)
        self.draining = False
        """Whether the server is shutting down: it still answers requests, but reports that it is
        not ready, and closes each connection after its answer."""
        self._serving = Serving(self.engine, settings)
        self._inference = Inference(self.engine, settings)
        self._document = document(
            model, settings, self._serving.classified, self._serving.regressed
        )
        self._hot = dict(self._predictions())
        hot = (Route(path, handler, methods=["POST"]) for path, handler in self._hot.items())
        routes = [*hot, *self._cold(), Route("/metrics", self._show_metrics)]
        self._starlette = Starlette(
            routes=routes,
            exception_handlers={HTTPException: _missed, Exception: _failed},
            lifespan=self._lifespan,
        )
        self._metrics = Metrics(frozenset(route.path for route in routes))
        self._measured = self._metrics.around(self._starlette)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.draining:
            send = closing(send)
        hot = scope["type"] == "http" and scope["method"] == "POST"
        handler = self._hot.get(scope["path"]) if hot else None
        if handler is None:
            await self._measured(scope, receive, send)
        else:
            await self._predict(handler, scope, receive, send)

    async def _predict(self, handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer without Starlette's routes, which take as long as a small network. An error of the
        server itself is answered, and raised again for the ASGI server, which logs it."""
        response = FAILED
        with self._metrics.measured(scope["path"]) as measure:
            try:
                response = await handler(Request(scope, receive))
            except RequestError as error:
                response = refuse(error)
            finally:
                measure.status = response.status_code
                await response(scope, receive, send)

    def _predictions(self) -> Iterator[tuple[str, Handler]]:
        serving = {"predict": self._serving.predict}
        if self._serving.classified is not None:
            serving["classify"] = self._serving.classify
        if self._serving.regressed is not None:
            serving["regress"] = self._serving.regress
        for version in self._versions():
            yield f"/v2/models/{version}/infer", self._inference.infer
            for verb, handler in serving.items():
                yield f"/v1/models/{version}:{verb}", handler

    def _cold(self) -> Iterator[Route]:
        for version in self._versions():
            yield Route(f"/v1/models/{version}", self._serving.status)
            yield Route(f"/v1/models/{version}/metadata", self._serving.metadata)
            yield Route(f"/v2/models/{version}", self._inference.metadata)
            yield Route(f"/v2/models/{version}/ready", self._inference.model_ready)
        yield Route("/v1/models", self._serving.models)
        yield Route("/v2", self._inference.server)
        yield Route("/v2/health/live", self._inference.live)
        yield Route("/v2/health/ready", self._ready)
        yield Route("/openapi.json", self._openapi)

    def _versions(self) -> tuple[str, str]:
        model = self.engine.model
        return model.name, f"{model.name}/versions/{model.version}"

    async def _ready(self, _request: Request) -> Response:
        return answer({"ready": not self.draining}, 503 if self.draining else 200)

    async def _openapi(self, _request: Request) -> Response:
        return answer(self._document)

    async def _show_metrics(self, _request: Request) -> Response:
        return self._metrics.show()

    @asynccontextmanager
    async def _lifespan(self, _app: ASGIApp) -> AsyncIterator[None]:
        yield
        self.engine.close()


def closing(send: Send) -> Send:
    """Return a sender whose answers close their connection."""

    async def last(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        await send(message)

    return last


async def _missed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer({"error": error.detail}, error.status_code, error.headers)


async def _failed(_request: Request, _error: Exception) -> Response:
    """Answer 500. The exception propagates to the ASGI server, which logs it."""
    return FAILED
