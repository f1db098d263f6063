"""Lines of JSON over a Unix socket: one row per line, one answer per line, in order."""

import json
import os
import signal
import socket
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingMixIn, UnixStreamServer
from threading import Thread
from types import FrameType
from typing import Any

from .client import Client
from .errors import InputError
from .rows import dump, parse

MAX_LINE = 32 << 20
"""The most bytes of one row."""
MAX_CONNECTIONS = 16
"""The most connections at once; further connections are refused."""
IDLE_SECONDS = 300
_FIRST_PASSED = 3
"""The number of the first file that systemd passes, sd_listen_fds(3)."""


def serve(model: Client[Any, Any], path: Path | None) -> None:
    """Answer until SIGTERM or SIGINT; rows that have arrived by then are still answered. Without a
    path, use the socket that systemd opened. Raises OSError if systemd opened none."""
    with _Server(model, _inherited() if path is None else _bound(path)) as server:

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            # `shutdown` waits for the loop, which this handler interrupts.
            Thread(target=server.shutdown).start()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        server.serve_forever()
        server.drain()


class _Server(ThreadingMixIn, UnixStreamServer):
    def __init__(self, model: Client[Any, Any], listening: socket.socket) -> None:
        super().__init__("", _Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.model = model
        self._open: set[socket.socket] = set()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        if len(self._open) < MAX_CONNECTIONS:
            self._open.add(request)
            return True
        request.sendall(b'{"error": "too many connections"}\n')
        return False

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drain(self) -> None:
        """Stop reading rows; `server_close` waits for the rows that are being answered."""
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                continue  # already closed


class _Connection(StreamRequestHandler):
    timeout = IDLE_SECONDS
    server: _Server

    def handle(self) -> None:
        try:
            while line := self.rfile.readline(MAX_LINE + 1):
                if len(line) > MAX_LINE:
                    self.wfile.write(b'{"error": "a line of more than 32 MiB"}\n')
                    return
                self.wfile.write(self._answer(line).encode() + b"\n")
        except (TimeoutError, ConnectionError):
            return

    def _answer(self, line: bytes) -> str:
        model = self.server.model
        try:
            return dump(model.predict(parse(model.spec, line)))
        except InputError as error:
            return json.dumps({"error": str(error)})


def _inherited() -> socket.socket:
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        raise OSError("systemd has not passed a socket: use --socket PATH")
    return socket.socket(fileno=_FIRST_PASSED)


def _bound(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    return listening
