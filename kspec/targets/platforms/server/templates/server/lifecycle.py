"""Shutdown after a signal: every accepted request gets its answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from types import FrameType
from typing import Any

import uvicorn

from .app import App

SETTLE, LINGER = 0.1, 2.0
"""Seconds after the end of listening in which data on open connections may arrive, and for which
the server waits for a connection without a request."""


class Server(uvicorn.Server):
    """A server that drains. After the first signal it reports that it is not ready, keeps answering
    for the configured time, closes each connection after its answer, and then stops listening. A
    second signal stops it at once."""

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
        # A second handle of each listener: closing the last one resets the connections that the
        # system has accepted and asyncio has not.
        listeners = [
            socket.socket(fileno=os.dup(each.fileno()))
            for server in self.servers
            for each in server.sockets
        ]
        for server in self.servers:
            server.close()
        for each in listeners:
            await self._take_over(each)
        await self._hear_out()
        await super().shutdown(sockets)

    async def _take_over(self, listener: socket.socket) -> None:
        """Serve the waiting connections, and stop listening."""
        waiting: list[socket.socket] = []
        listener.settimeout(0)
        with listener, contextlib.suppress(BlockingIOError):
            while True:
                waiting.append(listener.accept()[0])
        loop = asyncio.get_running_loop()
        for each in waiting:
            each.settimeout(0)
            await loop.connect_accepted_socket(self._protocol, each)

    async def _hear_out(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + LINGER
        await asyncio.sleep(SETTLE)
        while loop.time() < end and any(each.cycle is None for each in self._connections()):
            await asyncio.sleep(SETTLE)

    def _connections(self) -> set[Any]:
        return set(self.server_state.connections)

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        found: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return found
