"""The web service as a process on loopback: its end under load, its memory, slow clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.platforms import load, service

PATH = "/v1/models/digits:predict"
MIB = 1 << 20


@pytest.fixture(scope="module")
def digits(bundles: Path) -> Path:
    return bundles / "digits/server"


@pytest.fixture(scope="module")
def body(digits: Path) -> bytes:
    row = load_file(digits / "golden/golden.safetensors")["input/pixels"][:1]
    return json.dumps({"instances": row.tolist()}).encode()


@pytest.mark.parametrize("keep", [True, False], ids=["kept connections", "fresh connections"])
def test_the_end_under_load_loses_no_request(digits: Path, body: bytes, *, keep: bool) -> None:
    """Clients that go on until nobody listens: each request is answered, or never was sent."""

    async def end(server: service.Service) -> load.Fates:
        content = load.request(PATH, body)
        clients = load.storm(server.port, content, clients=16, count=100_000, keep=keep)
        running = asyncio.create_task(clients)
        await asyncio.sleep(0.7)
        server.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(running, 30)

    with service.serving(digits, "--drain", "1") as server:
        fates = asyncio.run(end(server))
        assert server.process.wait(10) == 0
    assert fates.lost == 0
    assert fates.refused == 16
    assert fates.answered.keys() == {200}
    assert fates.answered[200] > 100


def test_memory_stays_flat(digits: Path, body: bytes) -> None:
    """A short form of what `make bench-server` does with 100,000 requests."""
    wrong = body.replace(b"instances", b"instance")
    with service.serving(digits) as server:
        sizes = []
        for _ in range(4):
            for content in (body, wrong):
                requests = load.storm(
                    server.port, load.request(PATH, content), clients=8, count=60, keep=True
                )
                asyncio.run(requests)
            sizes.append(server.resident)
    assert sizes[-1] - sizes[1] < 4 * MIB, sizes


def test_a_client_that_dawdles_is_dropped(digits: Path) -> None:
    with service.serving(digits, "--seconds", "0.3") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n".encode())
            slow.settimeout(60)
            answer = slow.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 ")


READY = b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n"
OPENINGS = {
    "nothing": b"",
    "one letter": b"G",
    "empty lines": b"\r\n\r\n",
    "half a line": b"GET / HTTP/1.1",
    "half a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "half a header, after a request": READY + b"GET / HTTP/1.1\r\nHost:",
    "empty lines, after a request": READY + b"\r\n",
}


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(4096), b""))


def test_connections_without_a_request_are_closed(digits: Path) -> None:
    """As many as the server takes: afterwards it answers others again."""
    # Long enough for a busy machine to answer the requests that are whole.
    flags = ("--header-timeout", "4", "--connections", str(2 * len(OPENINGS) + 1))
    with service.serving(digits, *flags) as server, contextlib.ExitStack() as stack:
        found = {}
        for name in (*OPENINGS, *OPENINGS):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
            stack.enter_context(client).sendall(OPENINGS[name])
            found[client] = name
        for client, name in found.items():
            answer = read_all(client)
            assert answer.startswith(b"HTTP/1.1 200 ") == ("after" in name), (name, answer)
        assert httpx.get(f"{server.url}/v2/health/ready", trust_env=False).status_code == 200


def test_a_header_that_trickles_in_is_not_waited_for(digits: Path) -> None:
    """Each byte comes in time, the header does not. Requests on other connections are answered."""
    with (
        service.serving(digits, "--header-timeout", "0.5") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as slow,
    ):
        slow.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        end = time.monotonic() + 60
        with contextlib.suppress(ConnectionError):
            while not select.select([slow], [], [], 0.02)[0] and time.monotonic() < end:
                slow.sendall(b"a")
        with contextlib.suppress(ConnectionError):
            assert slow.recv(4096) == b""
        assert httpx.get(f"{server.url}/v2/health/ready", trust_env=False).status_code == 200


def test_an_answer_that_nobody_reads_is_dropped(digits: Path) -> None:
    """The answers fill the buffers of both systems, and the client reads none of them."""
    rows = np.zeros((1024, 8, 8, 1), np.int32).tolist()
    content = load.request(PATH, json.dumps({"instances": rows}).encode())
    with (
        service.serving(digits, "--seconds", "1") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as deaf,
    ):
        with pytest.raises(ConnectionError):
            deaf.sendall(1000 * content)
        assert httpx.get(f"{server.url}/v2/health/ready", trust_env=False).status_code == 200


def test_many_rows_do_not_hold_up_others(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a worker computes a large batch, the server answers for its state."""
    app = service.application(digits, "server_held")
    run = app.engine._run
    computing, release = threading.Event(), threading.Event()

    def held(*arguments: object) -> object:
        computing.set()
        assert release.wait(60)
        return run(*arguments)

    async def ask() -> None:
        rows = np.zeros((1024, 8, 8, 1), np.int32).tolist()
        async with service.client(app) as client:
            heavy = asyncio.create_task(client.post(PATH, json={"instances": rows}))
            assert await asyncio.to_thread(computing.wait, 60)
            assert (await client.get("/v2/health/live")).status_code == 200
            assert not heavy.done()
            release.set()
            assert (await heavy).status_code == 200

    monkeypatch.setattr(app.engine, "_run", held)
    asyncio.run(ask())
