"""The passes that run first for every format, in order."""

from __future__ import annotations

from kspec.compiler.passes import Pass
from kspec.compiler.passes.fold_affine import fold_affine
from kspec.compiler.passes.fold_constants import fold_constants
from kspec.compiler.passes.merge_equal import merge_equal
from kspec.compiler.passes.remove_dead import remove_dead
from kspec.compiler.passes.share_constants import share_constants
from kspec.compiler.passes.simplify import simplify

COMMON: tuple[Pass, ...] = (
    fold_constants,
    simplify,
    fold_affine,
    simplify,
    remove_dead,
    share_constants,
    merge_equal,
)
"""fold_affine folds each scale and shift into the preceding operation, in order, so that one walk
folds a whole chain (bias, BatchNorm, bias); simplify then runs again. share_constants precedes
merge_equal because equal nodes must read the same constants."""
