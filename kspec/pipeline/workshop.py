"""The data and the Keras model of a document, for the stages that need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kspec.data.dataset import Dataset, load_dataset
from kspec.data.faults import SPLITS
from kspec.spec.document import Document
from kspec.training.weights import initialize


@dataclass(frozen=True)
class Workshop:
    """The data and the Keras model of a document, each created on first use."""

    document: Document
    sizes: Mapping[str, int]
    """The sizes that targets fix for named dimensions; random rows have these sizes."""

    @cached_property
    def dataset(self) -> Dataset:
        return load_dataset(self.document)

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of rows of each split."""
        return {name: len(getattr(self.dataset, name)) for name in SPLITS}

    @cached_property
    def model(self) -> Any:
        from kspec.models.keras_model import build_model

        train = self.document.spec.train
        model = build_model(self.document, seed=train.seed if train else 0)
        initialize(model, self.document)
        return model
