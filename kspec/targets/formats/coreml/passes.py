"""The passes of the format."""

from __future__ import annotations

from kspec.compiler.passes import Pass
from kspec.compiler.passes.channels_first import channels_first
from kspec.compiler.passes.join_repeats import join_repeats
from kspec.compiler.passes.loops import loops
from kspec.compiler.passes.unroll import SHORT, unroll
from kspec.targets.formats.coreml.rules.recurrent import is_native

PASSES: tuple[Pass, ...] = (
    loops(is_native),
    unroll(SHORT),
    join_repeats,
    channels_first,
)
