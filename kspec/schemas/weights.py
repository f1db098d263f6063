"""Initializers, regularizers and constraints of weights, with Keras' names in snake_case.

`input_axes` and `output_axes` of initializers are left out: Keras sets them itself where a kernel
needs them.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from kspec.schemas.base import Keyed, located
from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.values import Evaluated, Number, Seed, Spread

NonNegative = Annotated[float, Field(ge=0), Evaluated]
Above0 = Annotated[float, Field(gt=0), Evaluated]
WeightAxes = Annotated[
    tuple[Annotated[int, Field(ge=-5, le=4)], ...], Spread(), Field(min_length=1)
]


class Zeros(KerasObject):
    """All 0."""

    key: ClassVar[str] = "zeros"


class Ones(KerasObject):
    """All 1."""

    key: ClassVar[str] = "ones"


class Constant(KerasObject):
    """All the same value."""

    key: ClassVar[str] = "constant"
    shorthand: ClassVar[str | None] = "value"

    value: Number = 0.0
    """The value."""


class Identity(KerasObject):
    """The identity matrix."""

    key: ClassVar[str] = "identity"
    shorthand: ClassVar[str | None] = "gain"

    gain: Number = 1.0
    """Factor on the matrix."""


class Random(KerasObject):
    """The base of random initializers."""

    seed: Seed | None = None
    """Seed of its own; without it, the seed of the training decides."""


class RandomNormal(Random):
    """Normally distributed."""

    key: ClassVar[str] = "random_normal"

    mean: Number = 0.0
    """Mean of the distribution."""
    stddev: NonNegative = 0.05
    """Its standard deviation."""


class TruncatedNormal(Random):
    """Normally distributed; values beyond two standard deviations are drawn again."""

    key: ClassVar[str] = "truncated_normal"

    mean: Number = 0.0
    """Mean of the distribution."""
    stddev: NonNegative = 0.05
    """Its standard deviation."""


class RandomUniform(Random):
    """Uniformly distributed."""

    key: ClassVar[str] = "random_uniform"

    minval: Number = -0.05
    """Lower bound."""
    maxval: Number = 0.05
    """Upper bound."""

    @model_validator(mode="after")
    def ordered(self) -> "RandomUniform":
        """Check that the lower bound is below the upper bound."""
        if self.minval >= self.maxval:
            raise located(("minval",), "minval is not below maxval")
        return self


class VarianceScaling(Random):
    """Scaled by the number of inputs and outputs of a unit."""

    key: ClassVar[str] = "variance_scaling"

    scale: Above0 = 1.0
    """Factor on the variance."""
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    """Divisor of the variance."""
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal"
    """Distribution of the values."""


class GlorotUniform(Random):
    """Uniform in ±√(6 / (inputs + outputs)) (Glorot & Bengio, 2010)."""

    key: ClassVar[str] = "glorot_uniform"


class GlorotNormal(Random):
    """Truncated normal of variance 2 / (inputs + outputs) (Glorot & Bengio, 2010)."""

    key: ClassVar[str] = "glorot_normal"


class HeUniform(Random):
    """Uniform in ±√(6 / inputs) (He et al., 2015)."""

    key: ClassVar[str] = "he_uniform"


class HeNormal(Random):
    """Truncated normal of variance 2 / inputs (He et al., 2015)."""

    key: ClassVar[str] = "he_normal"


class LecunUniform(Random):
    """Uniform in ±√(3 / inputs) (LeCun et al., 1998)."""

    key: ClassVar[str] = "lecun_uniform"


class LecunNormal(Random):
    """Truncated normal of variance 1 / inputs (LeCun et al., 1998)."""

    key: ClassVar[str] = "lecun_normal"


class Orthogonal(Random):
    """An orthogonal matrix (Saxe et al., 2013)."""

    key: ClassVar[str] = "orthogonal"
    shorthand: ClassVar[str | None] = "gain"

    gain: Number = 1.0
    """Factor on the matrix."""


VECTOR_INITIALIZERS = (
    Zeros,
    Ones,
    Constant,
    RandomNormal,
    TruncatedNormal,
    RandomUniform,
    VarianceScaling,
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
)
INITIALIZERS = (*VECTOR_INITIALIZERS, Orthogonal, Identity)
VectorInitializer = Annotated[KerasObject, Keyed(VECTOR_INITIALIZERS)]
"""For weights of any shape."""
KernelInitializer = Annotated[KerasObject, Keyed((*VECTOR_INITIALIZERS, Orthogonal))]
"""For weights of two axes or more."""
MatrixInitializer = Annotated[KerasObject, Keyed(INITIALIZERS)]
"""For weights of two axes."""


class L1(KerasObject):
    """Adds l1 · Σ|w| to the loss."""

    key: ClassVar[str] = "l1"
    shorthand: ClassVar[str | None] = "l1"

    l1: NonNegative = 0.01
    """The factor."""


class L2(KerasObject):
    """Adds l2 · Σw² to the loss."""

    key: ClassVar[str] = "l2"
    shorthand: ClassVar[str | None] = "l2"

    l2: NonNegative = 0.01
    """The factor."""


class L1L2(KerasObject):
    """Adds l1 · Σ|w| + l2 · Σw² to the loss."""

    key: ClassVar[str] = "l1_l2"

    l1: NonNegative = 0.0
    """Factor of the absolute values."""
    l2: NonNegative = 0.0
    """Factor of the squares."""


class OrthogonalRegularizer(KerasObject):
    """Penalises rows or columns of a matrix that are not orthogonal to each other."""

    key: ClassVar[str] = "orthogonal_regularizer"

    factor: NonNegative = 0.01
    """Factor of the penalty."""
    mode: Literal["rows", "columns"] = "rows"
    """The vectors that should be orthogonal."""


REGULARIZERS = (L1, L2, L1L2, OrthogonalRegularizer)
Regularizer = Annotated[L1 | L2 | L1L2, Keyed()]
"""For weights and activities of any shape."""
MatrixRegularizer = Annotated[KerasObject, Keyed(REGULARIZERS)]
"""For weights of two axes."""


class MaxNorm(KerasObject):
    """Limits the norm to a maximum."""

    key: ClassVar[str] = "max_norm"
    shorthand: ClassVar[str | None] = "max_value"

    max_value: Above0 = 2.0
    """Largest norm."""
    axis: WeightAxes = (0,)
    """Axes of the weight over which the norm is computed."""


class MinMaxNorm(KerasObject):
    """Keeps the norm between two values."""

    key: ClassVar[str] = "min_max_norm"

    min_value: NonNegative = 0.0
    """Smallest norm."""
    max_value: Above0 = 1.0
    """Largest norm."""
    rate: Annotated[float, Field(gt=0, le=1), Evaluated] = 1.0
    """Rate at which the norm is moved to the bounds in each step; 1 enforces them exactly."""
    axis: WeightAxes = (0,)
    """Axes of the weight over which the norm is computed."""


class NonNeg(KerasObject):
    """Sets negative values to 0."""

    key: ClassVar[str] = "non_neg"


class UnitNorm(KerasObject):
    """Scales to norm 1."""

    key: ClassVar[str] = "unit_norm"
    shorthand: ClassVar[str | None] = "axis"

    axis: WeightAxes = (0,)
    """Axes of the weight over which the norm is computed."""


CONSTRAINTS = (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
Constraint = Annotated[KerasObject, Keyed(CONSTRAINTS)]
"""Applied to a weight after each training step."""


def outside(constraint: KerasObject | None, rank: int) -> str | None:
    """Return the problem of a constraint on a weight of this rank, which Keras would report in
    training only; None without a problem."""
    axes: tuple[int, ...] = getattr(constraint, "axis", ())
    beyond = [axis for axis in axes if not -rank <= axis < rank]
    if not beyond:
        return None
    return f"axis {beyond[0]} is outside of a weight of {rank} axes, which begin at 0"


def _within(rank: int) -> AfterValidator:
    def check(constraint: KerasObject) -> KerasObject:
        if problem := outside(constraint, rank):
            raise located(("axis",), problem)
        return constraint

    return AfterValidator(check)


VectorConstraint = Annotated[KerasObject, Keyed(CONSTRAINTS), _within(1)]
"""A constraint of a weight of one axis."""
MatrixConstraint = Annotated[KerasObject, Keyed(CONSTRAINTS), _within(2)]
"""A constraint of a weight of two axes."""
