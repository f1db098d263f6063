"""What a user may choose for ONNX."""

from __future__ import annotations

from kspec.schemas.base import Model


class OnnxOptions(Model):
    """ONNX has no options: float32, dynamic dimensions kept, one operator set for every engine."""
