"""Optimizers and learning rates, with Keras' arguments and defaults.

Left out: `loss_scale_factor` (training is in float32) and `name`.
"""

from typing import Annotated, ClassVar

from pydantic import Field, Tag, model_validator

from kspec.schemas.base import Keyed, located
from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.values import Evaluated, Listed, Natural, Positive, written
from kspec.schemas.weights import Above0, NonNegative

Fraction = Annotated[float, Field(ge=0, lt=1), Evaluated]


class Schedule(KerasObject):
    """A learning rate that changes with the steps (batches) of the training."""

    module: ClassVar[str | None] = "keras.optimizers.schedules"


class Decay(Schedule):
    """A decay from an initial learning rate over a number of steps."""

    initial_learning_rate: Annotated[NonNegative, Field(examples=[0.001])]
    """Learning rate of the first step."""
    decay_steps: Annotated[Positive, Field(examples=[1000])]
    """Steps (batches) of the decay."""


class CosineDecay(Decay):
    """Half a cosine, after a linear warm-up (Loshchilov & Hutter, 2016)."""

    key: ClassVar[str] = "cosine_decay"

    alpha: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.0
    """Last learning rate, as a share of the first."""
    warmup_target: NonNegative | None = None
    """Learning rate at the end of the warm-up; no warm-up by default."""
    warmup_steps: Natural = 0
    """Steps (batches) of the warm-up."""


class CosineDecayRestarts(Schedule):
    """Repeated half cosines (Loshchilov & Hutter, 2016)."""

    key: ClassVar[str] = "cosine_decay_restarts"

    initial_learning_rate: Annotated[NonNegative, Field(examples=[0.001])]
    """Learning rate of the first step."""
    first_decay_steps: Annotated[Positive, Field(examples=[1000])]
    """Steps (batches) of the first cosine."""
    t_mul: Annotated[float, Field(ge=1), Evaluated] = 2.0
    """Factor on the length of each further cosine."""
    m_mul: Above0 = 1.0
    """Factor on the initial learning rate of each further cosine."""
    alpha: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.0
    """Least learning rate, as a share of the first."""


class ExponentialDecay(Decay):
    """initial_learning_rate · decay_rate ^ (step / decay_steps)."""

    key: ClassVar[str] = "exponential_decay"

    decay_rate: Annotated[Above0, Field(examples=[0.96])]
    """Factor over `decay_steps`."""
    staircase: bool = False
    """Whether the rate changes only every `decay_steps`."""


class InverseTimeDecay(Decay):
    """initial_learning_rate / (1 + decay_rate · step / decay_steps)."""

    key: ClassVar[str] = "inverse_time_decay"

    decay_rate: Annotated[NonNegative, Field(examples=[0.5])]
    """Increase of the divisor over `decay_steps`."""
    staircase: bool = False
    """Whether the rate changes only every `decay_steps`."""


class PolynomialDecay(Decay):
    """A polynomial decay from the first learning rate to the last."""

    key: ClassVar[str] = "polynomial_decay"

    end_learning_rate: NonNegative = 0.0001
    """Last learning rate."""
    power: Above0 = 1.0
    """The exponent; 1 is linear."""
    cycle: bool = False
    """Whether to restart at the end."""


class PiecewiseConstantDecay(Schedule):
    """A piecewise constant learning rate."""

    key: ClassVar[str] = "piecewise_constant_decay"

    boundaries: Annotated[tuple[Natural, ...], Listed, Field(min_length=1, examples=[[1000]])]
    """The last step (batch) of each learning rate except the final one, increasing."""
    values: Annotated[tuple[NonNegative, ...], Listed, Field(examples=[[0.001, 0.0001]])]
    """The learning rates: one more than the boundaries."""

    @model_validator(mode="after")
    def consistent(self) -> "PiecewiseConstantDecay":
        """Check that boundaries increase and that `values` has one entry more."""
        if len(self.values) != len(self.boundaries) + 1:
            raise located(("values",), "values needs one entry more than boundaries")
        if any(a >= b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise located(("boundaries",), "boundaries must increase")
        return self


SCHEDULES = (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
LearningRate = Annotated[
    Annotated[NonNegative, Tag("number")] | Annotated[Schedule, Keyed(SCHEDULES), Tag("mapping")],
    written(number="a number", mapping="a schedule"),
]


class Optimizer(KerasObject):
    """The base of all optimizers."""

    learning_rate: LearningRate = 0.001
    """Size of a step: a number, or a schedule."""
    weight_decay: NonNegative | None = None
    """Share of each weight that is subtracted at each step, times the learning rate."""
    clipnorm: Above0 | None = None
    """Largest norm of a weight's gradient; excludes the other two clips."""
    clipvalue: Above0 | None = None
    """Largest absolute value of a gradient; excludes the other two clips."""
    global_clipnorm: Above0 | None = None
    """Largest norm of all gradients together; excludes the other two clips."""
    use_ema: bool = False
    """Whether the final weights are an exponential moving average."""
    ema_momentum: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.99
    """Share of the old average in an update."""
    ema_overwrite_frequency: Positive | None = None
    """Steps (batches) after which the average replaces the weights; by default at the end of
    training."""
    gradient_accumulation_steps: Annotated[int, Field(ge=2)] | None = None
    """Number of batches whose gradients are averaged for one step."""

    @model_validator(mode="after")
    def one_clip(self) -> "Optimizer":
        """Check that only one kind of clipping is set."""
        clips = [c for c in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, c)]
        if len(clips) > 1:
            raise located((clips[1],), f"gradients are clipped by {clips[0]} already")
        return self


class Adam(Optimizer):
    """Adam (Kingma & Ba, 2014)."""

    key: ClassVar[str] = "adam"
    shorthand: ClassVar[str | None] = "learning_rate"

    beta_1: Fraction = 0.9
    """Decay of the mean of the gradients."""
    beta_2: Fraction = 0.999
    """Decay of the mean of the squared gradients."""
    epsilon: Above0 = 1e-7
    """Added to the divisor."""
    amsgrad: bool = False
    """Whether to use the largest mean of the squares so far (Reddi et al., 2018)."""


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2017)."""

    key: ClassVar[str] = "adamw"

    weight_decay: NonNegative = 0.004
    """Share of each weight that is subtracted at each step, times the learning rate."""


class SGD(Optimizer):
    """Gradient descent, with optional momentum."""

    key: ClassVar[str] = "sgd"
    shorthand: ClassVar[str | None] = "learning_rate"

    learning_rate: LearningRate = 0.01
    """Size of a step: a number, or a schedule."""
    momentum: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.0
    """Momentum: share of the last step that is added to this one."""
    nesterov: bool = False
    """Whether to use Nesterov momentum."""


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton, 2012)."""

    key: ClassVar[str] = "rmsprop"
    shorthand: ClassVar[str | None] = "learning_rate"

    rho: Fraction = 0.9
    """Decay of the mean of the squared gradients."""
    momentum: Annotated[float, Field(ge=0, le=1), Evaluated] = 0.0
    """Momentum: share of the last step that is added to this one."""
    epsilon: Above0 = 1e-7
    """Added to the divisor."""
    centered: bool = False
    """Whether to divide by the variance instead of the mean of the squares."""


OPTIMIZERS = (Adam, AdamW, SGD, RMSprop)
AnyOptimizer = Annotated[Optimizer, Keyed(OPTIMIZERS)]
