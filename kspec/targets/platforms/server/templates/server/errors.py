"""What a client is told when its request cannot be answered."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 200
"""Characters of a message: parts of a request are quoted in it."""


class RequestError(Exception):
    """An answer that is an error: its status, and one sentence."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
        self.headers = headers
