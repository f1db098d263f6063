"""The limits of the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits, each with a command-line flag of its name: ``python -m server --rows 64``."""

    body: int = 16 << 20
    """Bytes of a request's body."""
    depth: int = 32
    """Nesting depth of lists and objects in JSON."""
    rows: int = 1024
    """Rows in a request."""
    seconds: float = 30.0
    """Seconds to receive a request, and the same again to answer it."""
    header_timeout: float = 10.0
    """Seconds from the start of a connection, or from the first byte of a later request, to the end
    of the request's header; after that the connection is closed."""
    connections: int = 1024
    """Connections at once; a further connection is answered 503."""
    waiting: int = 64
    """Long calls that run or wait for a worker; a further call is refused with 503."""
    workers: int = 2
    """Threads for long calls; short calls are answered at once."""
    threads: int = 1
    """Threads of ONNX Runtime within a call."""
    drain: float = 5.0
    """Seconds between the signal to end and the end of listening, in which the server reports that
    it is not ready but still answers."""
