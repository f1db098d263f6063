"""What the model takes and what it gives."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kspec.schemas.base import Choice, Entry, Keyed, Listed, Number, Positive
from kspec.schemas.data import Column, Columns

Label = Annotated[str, Field(min_length=1, max_length=256)]


class Image(Choice):
    """A picture: height × width × channels, as numbers 0 to 255 or as the columns hold them."""

    key: ClassVar[str] = "image"

    height: Positive
    """Rows of pixels."""
    width: Positive
    """Pixels in a row."""
    channels: Annotated[int, Field(ge=1, le=4)] = 3
    """1 grey, 3 RGB, 4 RGBA."""


class Numeric(Choice):
    """A vector of numbers."""

    key: ClassVar[str] = "numeric"
    shorthand: ClassVar[str | None] = "size"

    size: Positive
    """How many numbers."""


class Tensor(Choice):
    """An array of any shape."""

    key: ClassVar[str] = "tensor"
    shorthand: ClassVar[str | None] = "shape"

    shape: Annotated[tuple[Positive | str, ...], Listed, Field(min_length=1)]
    """Sizes without the batch; a name stands for a size that varies (`time`)."""
    dtype: Literal["float32", "int32"] = "float32"
    """Type of the elements."""


class Input(Entry):
    """An input of the model."""

    choice_field: ClassVar[str] = "kind"

    kind: Annotated[Image | Numeric | Tensor, Keyed()]
    """What it is."""
    columns: Columns | None = None
    """The columns that hold it; without it, the column of the input's name."""
    rescale: Number = 1.0
    """Factor on each value, inside the model."""
    offset: Number = 0.0
    """Added after rescaling, inside the model."""
    normalize: bool = False
    """Whether to subtract the mean and divide by the deviation of each column (an image: of each
    channel), taken from the training split and kept inside the model."""


class Category(Choice):
    """One label of several."""

    key: ClassVar[str] = "category"
    shorthand: ClassVar[str | None] = "labels"

    labels: Annotated[tuple[Label, ...], Listed, Field(min_length=2)]
    """The labels, in the order of the model's output."""


class Binary(Choice):
    """Yes or no."""

    key: ClassVar[str] = "binary"
    shorthand: ClassVar[str | None] = "labels"

    labels: Annotated[tuple[Label, Label], Listed] = ("0", "1")
    """The negative label, then the positive one."""


class Quantity(Choice):
    """A number, or a vector of them."""

    key: ClassVar[str] = "number"
    shorthand: ClassVar[str | None] = "size"

    size: Positive = 1
    """How many numbers."""


class Output(Entry):
    """An output of the model: what the step of the same name gives."""

    choice_field: ClassVar[str] = "kind"

    kind: Annotated[Category | Binary | Quantity, Keyed()]
    """What it is."""
    column: Column | None = None
    """The column that holds the truth; without it, the column of the output's name."""
    columns: Columns | None = None
    """The columns that hold the truth, for a vector of numbers."""
