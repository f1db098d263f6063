"""Layers over pictures that act in every model, trained or not."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from kspec.schemas.base import located
from kspec.schemas.layers.base import Elementwise, Layer, Shape, Whole, spatial
from kspec.schemas.values import Listed, Number, Positive

Range = Annotated[tuple[Number, Number], Listed]
"""The least and the largest value of a pixel."""


class Framing(Layer):
    """A layer that gives pictures another size."""

    height: Annotated[Positive, Field(examples=[64])]
    """Height of the output."""
    width: Annotated[Positive, Field(examples=[64])]
    """Width of the output."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        spatial(self, shape, 2)
        return (self.height, self.width, shape[-1])


class Resizing(Framing):
    """Another size, by interpolation."""

    key: ClassVar[str] = "resizing"
    whole: ClassVar[Whole] = "kept"

    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"] = "bilinear"
    """How values between pixels are found."""
    crop_to_aspect_ratio: bool = False
    """Whether to keep the shape of things by cutting off edges."""
    pad_to_aspect_ratio: bool = False
    """Whether to keep the shape of things by adding edges."""
    fill_mode: Literal["constant"] = "constant"
    """What added edges hold."""
    fill_value: Number = 0.0
    """Value of added edges."""
    antialias: bool = False
    """Whether to smooth first when it gets smaller."""

    @model_validator(mode="after")
    def one_way(self) -> "Resizing":
        """Edges are cut off or added, not both."""
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            message = "crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other"
            raise located(("pad_to_aspect_ratio",), message)
        return self


class CenterCrop(Framing):
    """The middle of the picture; one that is too small is resized to cover it."""

    key: ClassVar[str] = "center_crop"


class AutoContrast(Elementwise):
    """Stretches each channel of each picture over the whole range of values."""

    key: ClassVar[str] = "auto_contrast"

    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        spatial(self, shape, 2)
        return shape
