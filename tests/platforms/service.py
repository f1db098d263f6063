"""The web service of a server's bundle, in this process and in one of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

PATIENCE = 60.0


def load(bundle: Path, name: str) -> ModuleType:
    """The package ``server`` of a bundle, under another name: a process may hold several."""
    place = bundle / "server/__init__.py"
    spec = importlib.util.spec_from_file_location(
        name, place, submodule_search_locations=[str(place.parent)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def part(package: ModuleType, name: str) -> Any:
    """One of its modules."""
    return importlib.import_module(f"{package.__name__}.{name}")


def application(bundle: Path, name: str, **settings: Any) -> Any:
    """The ASGI application of a bundle."""
    package = load(bundle, name)
    chosen = part(package, "settings").Settings(**settings)
    return part(package, "app").App(part(package, "model").MODEL, bundle, chosen)


@contextlib.asynccontextmanager
async def client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Requests to an application in this process; its exceptions are raised here."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bundle") as found:
        yield found


@dataclass(frozen=True, slots=True)
class Service:
    """A process that serves a bundle on loopback."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def resident(self) -> int:
        """Bytes of memory."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * 4096

    @property
    def seconds(self) -> float:
        """Of CPU, so far."""
        ticks = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(ticks[11]) + int(ticks[12])) / 100


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(
    bundle: Path,
    *flags: str,
    command: Sequence[str] = (sys.executable, "-m", "server"),
) -> Iterator[Service]:
    """A server that runs in the bundle, once it is ready; ended at the end, if need be."""
    port = free_port()
    process = subprocess.Popen(
        [*command, "--port", str(port), *flags],
        cwd=bundle,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/v2/health/ready")
        yield Service(process, port)
    finally:
        process.kill()
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not become ready")
