"""TFLite, written from the IR; importing this package imports neither ``flatbuffers`` nor
LiteRT."""

from __future__ import annotations

from kspec.targets.formats.tflite.format import TFLite

__all__ = ["TFLite"]
