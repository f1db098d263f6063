"""The stage that trains: weights and history in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kspec.pipeline.store.records import HISTORY, WEIGHTS, write_json
from kspec.pipeline.workshop import Workshop
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.training.fit import fit
from kspec.training.monitors import Monitor
from kspec.training.weights import save_weights


def train(shop: Workshop, folder: Path, scratch: Path, secret: bytes, monitor: Monitor) -> None:
    """Train and write the weights and the history to ``folder``. Checkpoints are written to
    ``scratch``, sealed with ``secret``; a killed run resumes from them. Without a section
    ``train`` the weights are copied from the file that the spec names."""
    document = shop.document
    if document.spec.train is None and document.spec.weights is None:
        help_ = "train: {epochs: 20}, or weights: model.safetensors"
        raise KspecError(
            Diagnostic("KS605", "the spec has no train section", help=help_), document=document
        )
    history: dict[str, Any] = {"epochs": [], "stopped_early": False, "seconds": 0.0}
    if document.spec.train is not None:
        result = fit(
            shop.model, shop.dataset, document.spec, scratch, monitor=monitor, secret=secret
        )
        history = {
            "epochs": list(result.history),
            "stopped_early": result.stopped_early,
            "seconds": round(result.seconds, 3),
        }
    save_weights(shop.model, folder / WEIGHTS)
    write_json(folder / HISTORY, history)
