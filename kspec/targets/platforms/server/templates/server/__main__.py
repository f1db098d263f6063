"""``python -m server``: serve the model, or test it with ``--self-test``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import fields
from pathlib import Path

import uvicorn

from .app import App
from .lifecycle import Server
from .model import MODEL
from .protocol import limited
from .settings import Settings

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the bundle."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="server", description=f"Serves {MODEL.name}.")
    parser.add_argument("--self-test", action="store_true", help="test the bundle, and exit")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    for each in fields(Settings):
        flag = "--" + each.name.replace("_", "-")
        parser.add_argument(flag, type=type(each.default), default=each.default, metavar="N")
    given = parser.parse_args()
    settings = Settings(**{each.name: getattr(given, each.name) for each in fields(Settings)})
    if given.self_test:
        from .self_test import report

        found = asyncio.run(report(MODEL, ROOT, settings))
        print(found.line())
        return 0 if found.passed else 1
    app = App(MODEL, ROOT, settings)
    config = uvicorn.Config(
        app,
        host=given.host,
        port=given.port,
        access_log=False,
        limit_concurrency=settings.connections,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(settings.seconds) + 1,
        ws="none",
        http=limited(settings.header_timeout, settings.seconds),
    )
    Server(app, config, settings.drain).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
