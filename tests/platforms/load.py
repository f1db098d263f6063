"""Load for a server on loopback: raw HTTP, so that each request's fate is known."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fates:
    """How requests ended."""

    answered: Counter[int] = field(default_factory=Counter)
    """By status."""
    refused: int = 0
    """Connections that were not taken: nothing was sent."""
    lost: int = 0
    """Requests that were sent on a fresh connection and got no whole answer."""
    stale: int = 0
    """Requests that were sent on a connection that was open before, and got not a byte: HTTP has
    clients send these again (RFC 9112, 9.3.1), and so does this one."""


def request(path: str, body: bytes, *, close: bool = False) -> bytes:
    last = "Connection: close\r\n" if close else ""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{last}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the connection ends with it. Raises EOFError when it is cut off."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().lower().splitlines()
    fields = dict(line.split(": ", 1) for line in lines[1:] if line)
    await reader.readexactly(int(fields["content-length"]))
    return int(lines[0].split()[1]), fields.get("connection") == "close"


async def press(port: int, content: bytes, fates: Fates, count: int, *, keep: bool) -> None:
    """One client: so many requests one after the other, or until nobody listens."""
    done, connection = 0, None
    while done < count:
        fresh = connection is None
        try:
            connection = connection or await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            fates.refused += 1
            return
        reader, writer = connection
        try:
            writer.write(content)
            status, last = await read_answer(reader)
        except (OSError, EOFError) as error:
            connection = None
            untouched = not (isinstance(error, asyncio.IncompleteReadError) and error.partial)
            if not fresh and untouched:
                fates.stale += 1
                continue
            fates.lost += 1
        else:
            fates.answered[status] += 1
            if last or not keep:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
                connection = None
        done += 1
    if connection is not None:
        connection[1].close()


async def storm(port: int, content: bytes, *, clients: int, count: int, keep: bool) -> Fates:
    """So many clients at once, each with so many requests at most."""
    fates = Fates()
    await asyncio.gather(*(press(port, content, fates, count, keep=keep) for _ in range(clients)))
    return fates
