"""The passes that every format starts from, in their order."""

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
"""fold_affine folds each scale and shift into the operation before it, in order, so that one walk
takes in a whole chain (bias, BatchNorm, bias); simplify runs again on what it left;
nodes are equal when the constants that they read are one."""
