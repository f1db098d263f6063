"""Errors of requests, with the status and the message for the client."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 200
"""The most characters of a message, which quotes parts of a request."""


class RequestError(Exception):
    """A request that gets an error as its answer: the status, and one sentence."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
        self.headers = headers
