"""Bodies of requests: received within bounds, and parsed as unambiguous JSON."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from .errors import RequestError
from .settings import Settings

_TEXTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(each for each in range(256) if each not in b"{}[]")


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object."""

    value: dict[str, Any]
    truths: bool
    """Whether ``true`` or ``false`` is among the values: NumPy reads both as numbers."""


async def receive(request: Request, settings: Settings) -> bytes:
    """Return the bytes of a body. Raises RequestError 408, 413 or 415 for a body that is too slow,
    too long or compressed."""
    headers = request.headers
    if headers.get("content-encoding", "identity") != "identity":
        raise RequestError(415, "compressed bodies are not read")
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > settings.body:
        raise _too_long(settings)
    parts: list[bytes] = []
    total = 0
    try:
        async with asyncio.timeout(settings.seconds):
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise RequestError(400, "the request ended before its body did")
                part = message.get("body", b"")
                total += len(part)
                if total > settings.body:
                    raise _too_long(settings)
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError:
        raise RequestError(408, f"the body did not arrive within {settings.seconds:g} s") from None


def parse(content: bytes, settings: Settings) -> Body:
    """Return the JSON object in a body. Raises RequestError 400 for another body, for numbers that
    are not finite, for lists that are too deep, and for a duplicate key in an object."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"the body is not JSON: {error}") from None
    if type(value) is not dict:
        raise RequestError(400, "the body is not a JSON object")
    # JSON without its texts consists of brackets, commas, colons, numbers and constants.
    bare = _TEXTS.sub(b"", content)
    brackets = bare.translate(_BRACKETS, _NOT_BRACKETS)
    for _ in range(settings.depth):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise RequestError(400, f"the JSON is deeper than {settings.depth} lists and objects")
    colons = bare.count(b":")
    if colons != len(value) and colons != _count_keys(value):
        raise RequestError(400, "an object has a duplicate key")
    return Body(value, b"true" in bare or b"false" in bare)


def _count_keys(value: Any) -> int:
    total, pending = 0, [value]
    while pending:
        each = pending.pop()
        if type(each) is dict:
            total += len(each)
            each = each.values()
        pending += [inner for inner in each if type(inner) is dict or type(inner) is list]
    return total


def _too_long(settings: Settings) -> RequestError:
    # The rest of the body is not read: the connection ends with the answer.
    message = f"the body is longer than {settings.body} bytes"
    return RequestError(413, message, {"connection": "close"})
