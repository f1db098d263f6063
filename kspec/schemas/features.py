"""The inputs and outputs of a model."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag, model_validator

from kspec.schemas.base import Choice, Entry, Keyed, located
from kspec.schemas.data import Column, Columns
from kspec.schemas.values import Listed, Name, Number, Positive, written

Label = Annotated[str, Field(min_length=1, max_length=256)]
Dimension = Annotated[
    Annotated[Positive, Tag("number")] | Annotated[Name, Tag("text")],
    written(number="a size", text="a name"),
]


class Kind(Choice):
    """The kind of an input or an output."""

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels; empty for kinds without labels."""
        return ()

    @property
    def is_whole(self) -> bool:
        """Whether the values are whole numbers."""
        return False


class Image(Kind):
    """A picture, as height × width × channels."""

    key: ClassVar[str] = "image"

    height: Annotated[Positive, Field(examples=[28])]
    """Rows of pixels."""
    width: Annotated[Positive, Field(examples=[28])]
    """Pixels in a row."""
    channels: Annotated[int, Field(ge=1, le=4)] = 3
    """1 grey, 3 red, green and blue, 4 with alpha."""
    maximum: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 255.0
    """Value of a full channel in the data. Decoded pictures, in training and in clients, are
    rescaled from 255 to this value."""
    resize: Literal["nearest", "bilinear"] | None = None
    """Interpolation that stretches pictures of another size to this one, in training and in
    clients, as in TensorFlow without antialiasing. By default such pictures are refused."""


class Quantity(Kind):
    """A number, or a vector of numbers."""

    key: ClassVar[str] = "number"
    shorthand: ClassVar[str | None] = "size"

    size: Annotated[Positive, Field(examples=[30])] = 1
    """Number of numbers."""


class Tensor(Kind):
    """An array of any shape."""

    key: ClassVar[str] = "tensor"
    shorthand: ClassVar[str | None] = "shape"

    shape: Annotated[
        tuple[Dimension, ...],
        Listed,
        Field(min_length=1, max_length=7, examples=[["time", 40]]),
    ]
    """Sizes without the batch; a name is a symbolic dimension: `[time, 40]`."""
    dtype: Literal["float32", "int32"] = "float32"
    """Type of the values."""

    @property
    def is_whole(self) -> bool:
        """Whether the values are whole numbers."""
        return self.dtype == "int32"


_COLUMNS = "write a column of 0 and 1 for each label, and read them with `number`"
_IDS = "write the numbers of the words as columns, and read them with a `tensor` of int32"
_NUMBERS = "write it as numbers, and read them with `number` or `tensor`"


class Input(Entry):
    """An input of the model."""

    choice_field: ClassVar[str] = "kind"
    planned: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            **dict.fromkeys(("category", "binary"), _COLUMNS),
            **dict.fromkeys(("text", "string"), _IDS),
            **dict.fromkeys(("date", "time", "sequence", "audio"), _NUMBERS),
        }
    )

    kind: Annotated[Image | Quantity | Tensor, Keyed()]
    """What it is."""
    columns: Columns | None = None
    """The columns of the input: a name, a glob, or a list; by default the input's name."""
    rescale: Number = 1.0
    """Factor on each value, inside the model."""
    offset: Number = 0.0
    """Added after the factor, inside the model."""
    normalize: bool = False
    """Whether to normalise each place of the last axis to mean 0 and variance 1, with the
    statistics of the training split, inside the model."""

    @model_validator(mode="after")
    def consistent(self) -> "Input":
        """Check that inputs of whole numbers have no preprocessing, and that values stay apart."""
        if self.kind.is_whole:
            for field in ("rescale", "offset", "normalize"):
                if field in self.model_fields_set:
                    raise located((field,), f"{field} needs a float32 input, this input is int32")
        if self.rescale == 0:
            raise located(("rescale",), "a factor of 0 makes all values equal")
        return self


class Category(Kind):
    """One label of several."""

    key: ClassVar[str] = "category"
    shorthand: ClassVar[str | None] = "labels"

    labels: Annotated[
        tuple[Label, ...],
        Listed,
        Field(min_length=2, examples=[["cat", "dog", "bird"]]),
    ]
    """The labels, in the order of the model's output."""

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels."""
        return self.labels


class Binary(Kind):
    """Yes or no."""

    key: ClassVar[str] = "binary"
    shorthand: ClassVar[str | None] = "labels"

    labels: Annotated[tuple[Label, Label], Listed] = ("0", "1")
    """The negative label, then the positive one."""

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels."""
        return self.labels


class Output(Entry):
    """An output of the model: the output of the step of the same name."""

    choice_field: ClassVar[str] = "kind"

    kind: Annotated[Category | Binary | Quantity | Tensor, Keyed()]
    """What it is."""
    column: Column | None = None
    """The column with the true value; by default the output's name."""
    columns: Columns | None = None
    """The columns with the true values, for outputs of numbers."""

    @model_validator(mode="after")
    def consistent(self) -> "Output":
        """Check that only outputs of numbers have `columns`, and that no label is repeated."""
        if self.columns is not None and self.kind.label_names:
            raise located(("columns",), "labels have one column: write column")
        if self.columns is not None and self.column is not None:
            raise located(("column",), "write column or columns, not both")
        seen: set[str] = set()
        for place, label in enumerate(self.kind.label_names):
            if label in seen:
                route = ("kind", self.kind.key, "labels", place)
                raise located(route, f"label {label} is given twice")
            seen.add(label)
        return self
