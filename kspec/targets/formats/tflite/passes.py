"""The passes of the format."""

from __future__ import annotations

from kspec.compiler import ops
from kspec.compiler.passes import Pass
from kspec.compiler.passes.decompose import decompose
from kspec.compiler.passes.fuse_activations import fuse_activations
from kspec.compiler.passes.loops import loops
from kspec.compiler.passes.multiply_reciprocals import multiply_reciprocals
from kspec.targets.formats.tflite.rules.recurrent import is_native

PASSES: tuple[Pass, ...] = (
    loops(is_native),
    decompose(
        ops.LayerNorm,
        ops.Log1p,
        ops.Mish,
        ops.Reciprocal,
        ops.Rsqrt,  # XNNPACK's own gives NaN at 0
        ops.Silu,
        ops.Softplus,
        ops.Softsign,
        ops.Tan,
    ),
    multiply_reciprocals,  # LiteRT.js on WebGPU gives NaN for a DIV before a FULLY_CONNECTED
    fuse_activations,
)
