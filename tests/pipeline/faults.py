"""Artifacts with one wrong channel, judged by their golden rows as a self-test does."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from kspec.compiler.ir import Array, Graph
from kspec.compiler.passes import run_passes
from kspec.compiler.passes.common import COMMON
from kspec.pipeline.proof.comparison import scale_of
from kspec.pipeline.proof.rows import Rows
from kspec.pipeline.proof.sensitivity import Channel, Scale, channels_of, shown
from kspec.pipeline.proof.verdict import bundle_tolerances
from kspec.targets.emission import emit
from kspec.targets.formats import child
from kspec.targets.formats.format import Tolerance
from kspec.targets.registry import formats
from kspec.targets.request import ArtifactRequest


def random_channels(graph: Graph, count: int, seed: int = 5) -> list[Channel]:
    """Channels of the graph after the common passes that any row could show, drawn at random."""
    every = channels_of(graph)
    drawn = np.random.default_rng(seed)
    places = drawn.permutation(len(every))[:count]
    return [every[place] for place in sorted(places.tolist())]


def undetected(
    graph: Graph, golden: Rows, format_: str, count: int, folder: Path, able: Rows | None = None
) -> list[Channel]:
    """The faults that the golden rows let pass, of ``count`` random ones of those that react at
    all: on the golden rows, or on the rows ``able``."""
    folded = run_passes(graph, COMMON)
    scales = {name: scale_of(each) for name, each in golden.expected.items()}
    scale = Scale(
        bundle_tolerances(dict.fromkeys(scales, Tolerance()), scales, golden.yardsticks), scales
    )
    rows = (able or golden).inputs
    drawn = random_channels(folded, 3 * count)
    reacts = shown(folded, rows, drawn, scale).any(axis=1)
    chosen = [each for each, is_able in zip(drawn, reacts, strict=True) if is_able][:count]
    assert len(chosen) == count
    assert run(folded, format_, golden, folder / "right", scale) <= 1, "a right artifact"
    return [
        channel
        for place, channel in enumerate(chosen)
        if run(faulty(folded, channel), format_, golden, folder / str(place), scale) <= 1
    ]


def faulty(folded: Graph, channel: Channel) -> Graph:
    constants: Mapping[str, Array] = {
        **folded.constants,
        channel.constant: channel.faulty(folded),
    }
    return replace(folded, constants=constants)


def run(folded: Graph, format_: str, golden: Rows, folder: Path, scale: Scale) -> float:
    """The largest error of the artifact on the golden rows, in tolerances."""
    folder.mkdir()
    known = formats()[format_]
    path = folder / f"model{known.suffix}"
    emit(folded, ArtifactRequest(format_, known.options.model_validate({})), path)
    outputs = child.run_rows(_opened(known.runner, path), golden.inputs)
    return float(scale.reaction(outputs, golden.expected).max())


def _opened(runner: str, path: Path) -> Any:
    module, _, name = runner.partition(":")
    with ExitStack() as stack:
        if "tensorflow" in sys.modules:
            import tensorflow as tf

            for kind in ("inter", "intra"):  # which cannot be set any more
                setter = f"set_{kind}_op_parallelism_threads"
                stack.enter_context(mock.patch.object(tf.config.threading, setter))
        return getattr(importlib.import_module(module), name)(path)
