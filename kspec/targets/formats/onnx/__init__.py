"""ONNX, written from the IR; importing this package does not import ``onnx``."""

from __future__ import annotations

from kspec.targets.formats.onnx.format import Onnx

__all__ = ["Onnx"]
