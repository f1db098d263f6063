"""The options of the Android bundle."""

from __future__ import annotations

from typing import Literal

from kspec.targets.formats.tflite.options import TFLiteOptions

Accelerator = Literal["cpu", "gpu", "npu"]


class AndroidOptions(TFLiteOptions):
    """Options of the Android bundle: the options of its TFLite artifact, and the accelerator."""

    accelerator: Accelerator = "cpu"
    """The accelerator of the model unless the app chooses another. `gpu` adds LiteRT's GPU library
    to the app; an NPU needs its vendor's library. Both compute in half precision; operators that
    they lack run on the CPU."""
