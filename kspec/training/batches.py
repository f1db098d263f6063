"""Splits as `tf.data` batches, in an order that depends on the seed and the epoch only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from kspec.data.dataset import Split
from kspec.data.splits import shuffled
from kspec.data.table import Array

Tensors: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """A split as tensors in batches (inputs, targets[, row weights])."""

    parts: tuple[Tensors, ...]
    rows: int
    size: int
    """The number of rows in a batch; the last batch of an epoch has the remaining rows."""

    @classmethod
    def of(cls, split: Split, size: int, weights: Mapping[str, Array] | None = None) -> Batches:
        """Return the batches of a split; `weights` are float32 (rows,) by output."""
        import tensorflow as tf

        written = (split.inputs, split.targets) + ((weights,) if weights else ())
        with tf.device("CPU"):
            parts = tuple(
                {name: tf.constant(array) for name, array in part.items()} for part in written
            )
        return cls(parts, len(split), size)

    @property
    def steps(self) -> int:
        """The number of batches in an epoch."""
        return -(-self.rows // self.size)

    def in_order(self) -> Any:
        """Return a `tf.data.Dataset` in the order of the split."""
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices(self.parts).batch(self.size)

    def shuffled(self, seed: int, first: int, last: int) -> Any:
        """Return a `tf.data.Dataset` of the epochs `first` to `last` - 1, each in its own order.

        The permutation is computed here because no checkpoint contains the state of
        `Dataset.shuffle`: a resumed run must see the batches that it would have seen.
        """
        import tensorflow as tf

        def orders() -> Iterator[Array]:
            return (shuffled(self.rows, "epoch", seed, epoch) for epoch in range(first, last))

        def gather(rows: Any) -> tuple[dict[str, Any], ...]:
            return tuple(
                {name: tf.gather(tensor, rows) for name, tensor in part.items()}
                for part in self.parts
            )

        spec = tf.TensorSpec([self.rows], tf.int64)
        epochs = tf.data.Dataset.from_generator(orders, output_signature=spec)
        batches = epochs.flat_map(
            lambda order: tf.data.Dataset.from_tensor_slices(order).batch(self.size)
        )
        return batches.map(gather).prefetch(2)
