"""The server: TensorFlow Serving, and a web service of its own over ONNX Runtime."""

from __future__ import annotations

from kspec.targets.platforms.server.platform import Server

__all__ = ["Server"]
