"""Attention: each place of a query takes a mean of values, weighted by how keys fit it.

The inputs are `from: [query, value]`, or `[query, value, key]`; without a key, the value is the
key too. Self-attention names the same step twice.
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
    """What all kinds of attention have in common."""

    arity: ClassVar[Literal[1, "many"]] = "many"
    call_fields: ClassVar[frozenset[str]] = frozenset({"use_causal_mask"})
    least: ClassVar[int] = 2
    """Fewest axes of an input."""

    dropout: Share = 0.0
    """Share of the weights that is lost while training."""
    use_causal_mask: bool = False
    """Whether a place of the query sees no later places of the value."""

    def scored(self, shapes: tuple[Shape, ...]) -> int:
        """Elements of the scores of one head: the places of the query times those of the value."""
        query, value = shapes[:2]
        return math.prod((*sized(query[:-1]), *sized(value[-2:-1])))

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:
        return self.scored(shapes)

    def checked(self, shapes: tuple[Shape, ...]) -> tuple[Shape, Shape, Shape]:
        """Query, value and key."""
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
    """Whether two sizes are known to be different."""
    return isinstance(one, int) and isinstance(other, int) and one != other


class Listing(Attending):
    """Attention without weights of its own but a scale: the class takes a list of inputs."""

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
    """Weights by products of query and key (Luong et al., 2015)."""

    key: ClassVar[str] = "attention"

    use_scale: bool = False
    """Whether to learn a factor on the scores."""
    score_mode: Literal["dot", "concat"] = "dot"
    """`dot`: the product; `concat`: the sum of tanh(query + key)."""
    seed: Seed | None = None
    """Seed of its own; without it, the seed of the training decides."""

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
    """Weights by the sum of tanh(query + key) (Bahdanau et al., 2015)."""

    key: ClassVar[str] = "additive_attention"

    use_scale: bool = True
    """Whether to learn a factor on each channel of the scores."""

    def takes_again(self, first: Shape, shape: Shape) -> bool:
        return agree(first, shape, -1)

    def weight_shapes(self, shapes: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return (Weight("scale", sized(shapes[0][-1:])),) if self.use_scale else ()

    def largest_inner(self, shapes: tuple[Shape, ...]) -> int:
        """The sums of each query and each key."""
        return self.scored(shapes) * math.prod(sized(shapes[0][-1:]))


class Projecting(Attending):
    """Attention of several heads, with dense layers before and after."""

    one_by_one: ClassVar[bool] = True

    use_bias: bool = True
    """Whether the dense layers add a bias."""
    sliding_window: Positive | None = None
    """How far a place of the query sees; without it, everywhere."""
    kernel_initializer: KernelInitializer = GlorotUniform()
    """How the kernels begin."""
    bias_initializer: VectorInitializer = Zeros()
    """How the biases begin."""
    kernel_regularizer: Regularizer | None = None
    """Penalty on the kernels."""
    bias_regularizer: Regularizer | None = None
    """Penalty on the biases."""
    activity_regularizer: Regularizer | None = None
    """Penalty on the output."""
    kernel_constraint: Constraint | None = None
    """Bounds of the kernels."""
    bias_constraint: Constraint | None = None
    """Bounds of the biases."""
    use_gate: bool = False
    """Whether a gate, learnt from the query, scales the result of each head."""
    seed: Seed | None = None
    """Seed of its own; without it, the seed of the training decides."""

    def projections(self, **kernels: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[Weight, ...]:
        """The weights of dense layers by name: a kernel of the sizes of input and output, and a
        bias of the size of the output."""
        found: list[Weight] = []
        for name, (taken, given) in kernels.items():
            found.append(Weight(f"{name}/kernel", (*taken, *given)))
            if self.use_bias:
                found.append(Weight(f"{name}/bias", given))
        return tuple(found)


class MultiHeadAttention(Projecting):
    """Attention of several heads (Vaswani et al., 2017)."""

    key: ClassVar[str] = "multi_head_attention"

    num_heads: Annotated[Positive, Field(examples=[4])]
    """How many heads."""
    key_dim: Annotated[Positive, Field(examples=[32])]
    """Size of a head's query and key."""
    value_dim: Positive | None = None
    """Size of a head's value; without it, `key_dim`."""
    output_sizes: Sizes | None = Field(None, alias="output_shape")
    """Channels of the output; without it, those of the query."""
    attention_axes: Axes | None = None
    """The axes that attention is over; without it, all but the batch and the channels."""

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
        """Keras makes the masks of what is seen for the first axis, and fits them to one."""
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
    """Attention of several heads that share keys and values (Ainslie et al., 2023)."""

    key: ClassVar[str] = "group_query_attention"

    head_dim: Annotated[Positive, Field(examples=[32])]
    """Size of a head."""
    num_query_heads: Annotated[Positive, Field(examples=[4])]
    """How many heads the query has."""
    num_key_value_heads: Annotated[Positive, Field(examples=[2])]
    """How many heads key and value have; divides those of the query."""

    @model_validator(mode="after")
    def shared_evenly(self) -> "GroupQueryAttention":
        """As many heads of the query for each of the others."""
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
