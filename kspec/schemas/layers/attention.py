"""Attention layers: each query position receives a mean of the values, weighted by its scores with
the keys.

The inputs are `from: [query, value]`, or `[query, value, key]`; by default the value is also the
key. Self-attention names the same step twice.
"""

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from kspec.schemas.base import located
from kspec.schemas.layers.base import (
    Axes,
    Dim,
    Layer,
    Shape,
    ShapeError,
    Weight,
    Whole,
    agree,
    known,
    show,
    sized,
)
from kspec.schemas.layers.recurrent import Share
from kspec.schemas.values import Positive, Seed, Spread
from kspec.schemas.weights import (
    Constraint,
    GlorotUniform,
    KernelInitializer,
    Regularizer,
    VectorInitializer,
    Zeros,
)

Sizes = Annotated[tuple[Positive, ...], Spread(), Field(min_length=1, max_length=4)]
NAMES = ("query", "value", "key")


class Attending(Layer):
    """The base of all attention layers."""

    arity: ClassVar[Literal[1, "many"]] = "many"
    call_fields: ClassVar[frozenset[str]] = frozenset({"use_causal_mask"})
    least: ClassVar[int] = 2
    """Minimum rank of an input."""

    dropout: Share = 0.0
    """Dropout rate of the attention weights."""
    use_causal_mask: bool = False
    """Whether a query position ignores later positions of the value (causal mask)."""

    def scored(self, shapes: tuple[Shape, ...]) -> int:
        """Return the number of scores of one head: query positions times value positions."""
        query, value = shapes[:2]
        return math.prod((*sized(query[:-1]), *sized(value[-2:-1])))

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:
        return self.scored(shapes)

    def checked(self, shapes: tuple[Shape, ...]) -> tuple[Shape, Shape, Shape]:
        """Return the shapes of query, value and key."""
        if len(shapes) not in (2, 3):
            message = f"{self.key} takes a query and a value, and perhaps a key"
            raise ShapeError(f"{message}, found {len(shapes)}", help="from: [query, value]")
        for name, shape in zip(NAMES, shapes, strict=False):
            if len(shape) < self.least:
                raise ShapeError(f"the {name} of {self.key} needs steps × channels")
            known(self, shape)
        query, value = shapes[:2]
        key = shapes[-1]
        if len(value) != len(key) or any(map(differ, value[:-1], key[:-1])):
            raise ShapeError(
                f"value and key of {self.key} need equal steps, found {show(value)} and {show(key)}"
            )
        return query, value, key


def differ(one: Dim, other: Dim) -> bool:
    """Return whether two sizes are known to differ."""
    return isinstance(one, int) and isinstance(other, int) and one != other


class Listing(Attending):
    """Attention whose only possible weight is a scale; its Keras class takes a list of inputs."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        query, value, key = self.checked(shapes)
        if query[-1] != key[-1]:
            raise ShapeError(
                f"query and key of {self.key} need as many channels, "
                f"found {show(query)} and {show(key)}"
            )
        if len(query) != len(value) or any(map(differ, query[:-2], value[:-2])):
            message = f"{self.key} needs equal axes before the steps"
            raise ShapeError(f"{message}, found {show(query)} and {show(value)}")
        return (*query[:-1], value[-1])


class Attention(Listing):
    """Dot-product attention (Luong et al., 2015)."""

    key: ClassVar[str] = "attention"

    use_scale: bool = False
    """Whether to learn a scale of the scores."""
    score_mode: Literal["dot", "concat"] = "dot"
    """`dot`: the product; `concat`: the sum of tanh(query + key)."""
    seed: Seed | None = None
    """Seed of this layer; by default the training seed applies."""

    def of_whole_numbers(self) -> Whole:
        return "float32" if self.use_scale or self.score_mode == "concat" else "refused"

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        del shapes
        names = {"scale": self.use_scale, "concat_score_weight": self.score_mode == "concat"}
        return tuple(Weight(name, ()) for name, is_there in names.items() if is_there)

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:
        sums = self.score_mode == "concat"
        return self.scored(shapes) * (math.prod(sized(shapes[0][-1:])) if sums else 1)


class AdditiveAttention(Listing):
    """Additive attention: scores are the sum of tanh(query + key) (Bahdanau et al., 2015)."""

    key: ClassVar[str] = "additive_attention"

    use_scale: bool = True
    """Whether to learn a scale per channel of tanh(query + key)."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return agree(first, shape, -1)

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return (Weight("scale", sized(shapes[0][-1:])),) if self.use_scale else ()

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:
        """Return the number of elements of query + key for all pairs of positions."""
        return self.scored(shapes) * math.prod(sized(shapes[0][-1:]))


class Projecting(Attending):
    """The base of attention with several heads and dense projections of inputs and output."""

    one_by_one: ClassVar[bool] = True

    use_bias: bool = True
    """Whether the projections add a bias."""
    sliding_window: Positive | None = None
    """Largest distance between a query position and the positions it attends to; unlimited by
    default."""
    kernel_initializer: KernelInitializer = GlorotUniform()
    """Initializer of the kernels."""
    bias_initializer: VectorInitializer = Zeros()
    """Initializer of the biases."""
    kernel_regularizer: Regularizer | None = None
    """Regularizer of the kernels."""
    bias_regularizer: Regularizer | None = None
    """Regularizer of the biases."""
    activity_regularizer: Regularizer | None = None
    """Regularizer of the output."""
    kernel_constraint: Constraint | None = None
    """Constraint on the kernels."""
    bias_constraint: Constraint | None = None
    """Constraint on the biases."""
    use_gate: bool = False
    """Whether a gate computed from the query scales the output of each head."""
    seed: Seed | None = None
    """Seed of this layer; by default the training seed applies."""

    def projections(self, **kernels: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[Weight, ...]:
        """Yield the weights of the dense layers by name: a kernel of shape input × output and a
        bias of shape output."""
        found: list[Weight] = []
        for name, (taken, given) in kernels.items():
            found.append(Weight(f"{name}/kernel", (*taken, *given)))
            if self.use_bias:
                found.append(Weight(f"{name}/bias", given))
        return tuple(found)


class MultiHeadAttention(Projecting):
    """Multi-head attention (Vaswani et al., 2017)."""

    key: ClassVar[str] = "multi_head_attention"

    num_heads: Annotated[Positive, Field(examples=[4])]
    """Number of heads."""
    key_dim: Annotated[Positive, Field(examples=[32])]
    """Size of a head's query and key."""
    value_dim: Positive | None = None
    """Size of a head's value; by default `key_dim`."""
    output_sizes: Sizes | None = Field(None, alias="output_shape")
    """Channels of the output; by default the channels of the query."""
    attention_axes: Axes | None = None
    """Axes over which attention is applied; by default all except the batch and the channels."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        query, value, _ = self.checked(shapes)
        if len(query) != len(value):
            message = f"query and value of {self.key} need as many axes"
            raise ShapeError(f"{message}, found {show(query)} and {show(value)}")
        for axis in self.attention_axes or ():
            if not 1 <= axis <= len(query) - 1:
                message = f"axis {axis} is none of the steps of {show(query)}"
                raise ShapeError(message, "attention_axes", "axes are counted from 1")
        self.expect_sequence(query, value)
        return (*query[:-1], *(self.output_sizes or query[-1:]))

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        query, value, key = (sized(shape[-1:]) for shape in (*shapes[:2], shapes[-1]))
        keys = (self.num_heads, self.key_dim)
        values = (self.num_heads, self.value_dim or self.key_dim)
        gate = {"gate": (query, values)} if self.use_gate else {}
        return self.projections(
            query=(query, keys),
            key=(key, keys),
            **gate,
            value=(value, values),
            attention_output=(values, self.output_sizes or query),
        )

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:
        query, value = shapes[:2]
        places = math.prod(sized(query[:-1]))
        axes = self.attention_axes or tuple(range(1, len(query)))
        seen = math.prod(sized(value[axis - 1] for axis in axes))
        return self.num_heads * places * max(seen, self.key_dim, self.value_dim or 0)

    def expect_sequence(self, query: Shape, value: Shape) -> None:
        """Refuse masks unless one axis is attended: Keras builds them with the size of axis 1."""
        axes = self.attention_axes or tuple(range(1, len(query)))
        for field in ("use_causal_mask", "sliding_window"):
            if not getattr(self, field):
                continue
            if len(axes) > 1:
                message = f"{field} is for attention over one axis, found {len(axes)}"
                raise ShapeError(message, field, "name the axis in attention_axes")
            if any(differ(each[0], each[axes[0] - 1]) for each in (query, value)):
                message = f"{field} needs axis {axes[0]} to be as long as axis 1"
                raise ShapeError(f"{message}, found {show(query)} and {show(value)}", field)


class GroupQueryAttention(Projecting):
    """Grouped-query attention: several query heads share a key and a value (Ainslie et al.,
    2023)."""

    key: ClassVar[str] = "group_query_attention"

    head_dim: Annotated[Positive, Field(examples=[32])]
    """Size of a head."""
    num_query_heads: Annotated[Positive, Field(examples=[4])]
    """Number of query heads."""
    num_key_value_heads: Annotated[Positive, Field(examples=[2])]
    """Number of key and value heads; must divide the number of query heads."""

    @model_validator(mode="after")
    def shared_evenly(self) -> "GroupQueryAttention":
        """Check that the number of key and value heads divides the number of query heads."""
        if self.num_query_heads % self.num_key_value_heads:
            message = f"{self.num_key_value_heads} does not divide num_query_heads"
            raise located(("num_key_value_heads",), message)
        return self

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        query, value, _ = self.checked(shapes)
        if len(query) != 2 or len(value) != 2 or query[-1] != value[-1]:
            raise ShapeError(
                f"{self.key} needs steps × channels, as many in query and value, "
                f"found {show(query)} and {show(value)}"
            )
        return query

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        query, value, key = (sized(shape[-1:]) for shape in (*shapes[:2], shapes[-1]))
        own, shared = (
            (heads, self.head_dim) for heads in (self.num_query_heads, self.num_key_value_heads)
        )
        gate = {"gate": (query, own)} if self.use_gate else {}
        return self.projections(
            query=(query, own),
            key=(key, shared),
            **gate,
            value=(value, shared),
            attention_output=(own, query),
        )

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:
        projected = math.prod(sized(shapes[0][:-1])) * self.head_dim
        return self.num_query_heads * max(self.scored(shapes), projected)
