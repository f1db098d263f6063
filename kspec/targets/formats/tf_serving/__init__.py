"""TF-Serving SavedModels, written from the IR; importing this package does not import
TensorFlow."""

from __future__ import annotations

from kspec.targets.formats.tf_serving.format import TfServing

__all__ = ["TfServing"]
