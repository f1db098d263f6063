"""The passes of the format."""

from __future__ import annotations

from kspec.compiler.passes import Pass
from kspec.compiler.passes.channels_first import channels_first
from kspec.compiler.passes.join_repeats import join_repeats
from kspec.compiler.passes.loops import loops
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.targets.formats.onnx.directions import pair_directions
from kspec.targets.formats.onnx.rules.recurrent import is_native

PASSES: tuple[Pass, ...] = (
    loops(is_native),
    join_repeats,
    channels_first,
    remove_dead,
    pair_directions,
)
