"""From the signal to end to the end: no request that was accepted goes without its answer."""

from __future__ import annotations

import asyncio
import socket
from types import FrameType

import uvicorn

from .app import App

LINGER = 0.5
"""Seconds in which what is on its way on connections that are open already may still arrive."""


class Server(uvicorn.Server):
    """On the first signal the server says that it is not ready, goes on answering for as long as it
    was told to, each answer the last of its connection, and only then stops listening. A second
    signal makes it stop at once."""

    def __init__(self, app: App, config: uvicorn.Config, drain: float) -> None:
        super().__init__(config)
        self._app, self._drain = app, drain
        self._until: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._app.draining:
            super().handle_exit(sig, frame)
        self._app.draining = True

    async def on_tick(self, counter: int) -> bool:
        if await super().on_tick(counter):
            return True
        now = asyncio.get_running_loop().time()
        if self._app.draining and self._until is None:
            self._until = now + self._drain
        return self._until is not None and now >= self._until

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await asyncio.sleep(LINGER)
        await super().shutdown(sockets)
