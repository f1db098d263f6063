"""How the model is trained."""

from kspec.schemas.base import Model, Positive, Seed


class Train(Model):
    """How the model is trained."""

    epochs: Positive
    """Passes over the training split, at most."""
    batch_size: Positive = 32
    """Rows in a step."""
    seed: Seed = 0
    """Seed of weights, shuffles and dropout."""
    deterministic: bool = True
    """Whether the same seed gives the same weights, bit for bit."""
