"""Every built-in activation of Keras as a layer of its own, without arguments."""

from typing import Any, ClassVar

from kspec.schemas.activations import WHOLE
from kspec.schemas.layers.base import Elementwise, Shape, Whole, known


class Function(Elementwise):
    """An activation without arguments, as a step."""

    keras: ClassVar[str] = "Activation"

    def arguments(self) -> dict[str, Any]:
        return {"activation": self.key}

    def of_whole_numbers(self) -> Whole:
        return WHOLE.get(self.key, "refused")


class CELU(Function):
    """x above 0, exp(x) - 1 below, smooth at 0."""

    key: ClassVar[str] = "celu"


class Exponential(Function):
    """exp(x)."""

    key: ClassVar[str] = "exponential"


class GELU(Function):
    """x · Φ(x), Φ of the normal distribution, by the error function."""

    key: ClassVar[str] = "gelu"


class HardShrink(Function):
    """x, but 0 between -0.5 and 0.5."""

    key: ClassVar[str] = "hard_shrink"


class HardSigmoid(Function):
    """x / 6 + 0.5 between 0 and 1."""

    key: ClassVar[str] = "hard_sigmoid"


class HardSilu(Function):
    """x · hard_sigmoid(x)."""

    key: ClassVar[str] = "hard_silu"


class HardSwish(Function):
    """An alias of hard_silu."""

    key: ClassVar[str] = "hard_swish"


class HardTanh(Function):
    """x between -1 and 1."""

    key: ClassVar[str] = "hard_tanh"


class Linear(Function):
    """x."""

    key: ClassVar[str] = "linear"


class LogSigmoid(Function):
    """log(sigmoid(x))."""

    key: ClassVar[str] = "log_sigmoid"


class LogSoftmax(Function):
    """log(softmax(x)) over the last axis."""

    key: ClassVar[str] = "log_softmax"


class Mish(Function):
    """x · tanh(softplus(x))."""

    key: ClassVar[str] = "mish"


class ReLU6(Function):
    """x between 0 and 6."""

    key: ClassVar[str] = "relu6"


class SELU(Function):
    """A scaled elu that keeps mean and variance (Klambauer et al., 2017)."""

    key: ClassVar[str] = "selu"


class Sigmoid(Function):
    """1 / (1 + exp(-x))."""

    key: ClassVar[str] = "sigmoid"


class Silu(Function):
    """x · sigmoid(x)."""

    key: ClassVar[str] = "silu"


class SoftShrink(Function):
    """sign(x) · max(|x| - 0.5, 0)."""

    key: ClassVar[str] = "soft_shrink"


class Softplus(Function):
    """log(1 + exp(x))."""

    key: ClassVar[str] = "softplus"


class Softsign(Function):
    """x / (1 + |x|)."""

    key: ClassVar[str] = "softsign"


class SparsePlus(Function):
    """0 below -1, x above 1, (x + 1)² / 4 between."""

    key: ClassVar[str] = "sparse_plus"


class SparseSigmoid(Function):
    """(x + 1) / 2 between 0 and 1."""

    key: ClassVar[str] = "sparse_sigmoid"


class Sparsemax(Function):
    """The nearest point of the simplex, over the last axis (Martins & Astudillo, 2016)."""

    key: ClassVar[str] = "sparsemax"

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        known(self, shape)
        return shape


class Squareplus(Function):
    """(x + √(x² + 4)) / 2."""

    key: ClassVar[str] = "squareplus"


class Swish(Function):
    """An alias of silu."""

    key: ClassVar[str] = "swish"


class Tanh(Function):
    """The hyperbolic tangent."""

    key: ClassVar[str] = "tanh"


class TanhShrink(Function):
    """x - tanh(x)."""

    key: ClassVar[str] = "tanh_shrink"
