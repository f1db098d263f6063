"""The base of normalizations with a learnt scale and offset."""

from kspec.schemas.layers.base import Elementwise, Shape, Weight, distinct, sized
from kspec.schemas.weights import (
    Above0,
    Ones,
    Regularizer,
    VectorConstraint,
    VectorInitializer,
    Zeros,
)


class Affine(Elementwise):
    """A normalization with a learnt scale (gamma) and offset (beta)."""

    epsilon: Above0 = 0.001
    """Added to the variance, to avoid a division by 0."""
    center: bool = True
    """Whether to add beta."""
    scale: bool = True
    """Whether to multiply by gamma."""
    beta_initializer: VectorInitializer = Zeros()
    """Initializer of beta."""
    gamma_initializer: VectorInitializer = Ones()
    """Initializer of gamma."""
    beta_regularizer: Regularizer | None = None
    """Regularizer of beta."""
    gamma_regularizer: Regularizer | None = None
    """Regularizer of gamma."""
    beta_constraint: VectorConstraint | None = None
    """Constraint on beta."""
    gamma_constraint: VectorConstraint | None = None
    """Constraint on gamma."""

    def affine(self, shape: tuple[int, ...]) -> tuple[Weight, ...]:
        """Return gamma and beta of this shape, if the layer has them."""
        gamma = (Weight("gamma", shape),) if self.scale else ()
        return (*gamma, *((Weight("beta", shape),) if self.center else ()))


def along(layer: Elementwise, shape: Shape, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sizes of axes, in the order of the shape."""
    return sized(shape[place] for place in sorted(distinct(layer, shape, axes, "axis")))
