"""uvicorn's HTTP/1.1, with time limits for slow clients."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER = 1.0
"""Seconds in which a closing connection may still deliver written data."""


class Limited(HttpToolsProtocol):
    """A connection that ends if a request's header or the reading of an answer takes too long.

    uvicorn itself only limits the time between two requests: a connection that sends nothing, or
    half a header, would count against the number of connections forever.
    """

    header_timeout: ClassVar[float]
    stall_timeout: ClassVar[float]
    _header: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_header()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # uvicorn's timer between requests ends with the first byte of the next request.
        if self._header is None and self._idle() and self.timeout_keep_alive_task is None:
            self._await_header()

    def on_headers_complete(self) -> None:
        _cancel(self._header)
        self._header = None
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = self.loop.call_later(self.stall_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        _cancel(self._stall)
        self._stall = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(LINGER, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._header)
        _cancel(self._stall)
        super().connection_lost(exc)

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_header(self) -> None:
        self._header = self.loop.call_later(self.header_timeout, self._refuse)

    def _refuse(self) -> None:
        self._header = None
        if not self._idle():
            return  # an earlier request is being answered; its end starts uvicorn's timer
        self.transport.close()
        self.loop.call_later(LINGER, self.transport.abort)


def limited(header: float, stall: float) -> type[asyncio.Protocol]:
    """Return the protocol that closes a connection whose next header takes longer than ``header``
    seconds, or whose client reads nothing of an answer for ``stall`` seconds."""

    class Bounded(Limited):
        header_timeout = header
        stall_timeout = stall

    return Bounded


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
