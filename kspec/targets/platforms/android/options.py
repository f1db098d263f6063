"""The options of the Android bundle."""

from __future__ import annotations

from typing import Literal

from kspec.targets.formats.tflite.options import TFLiteOptions

Accelerator = Literal["cpu", "gpu", "npu"]


class AndroidOptions(TFLiteOptions):
    """Options of the Android bundle: the options of its TFLite artifact, and where it runs."""

    accelerator: Accelerator = "cpu"
    """What runs the model unless the app says otherwise. `gpu` adds LiteRT's GPU library to the
    app; an NPU needs its vendor's. Both compute in half precision; what they cannot run, the CPU
    does."""
