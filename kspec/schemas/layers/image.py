"""Layers over pictures that act in training and at inference alike."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from kspec.schemas.base import located
from kspec.schemas.layers.base import Elementwise, Layer, Shape, Whole, spatial
from kspec.schemas.values import Listed, Number, Positive

Range = Annotated[tuple[Number, Number], Listed]
"""Least and largest value of a pixel."""


class Framing(Layer):
    """The base of layers that change the size of pictures."""

    height: Annotated[Positive, Field(examples=[64])]
    """Height of the output."""
    width: Annotated[Positive, Field(examples=[64])]
    """Width of the output."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        spatial(self, shape, 2)
        return (self.height, self.width, shape[-1])


class Resizing(Framing):
    """Resizes pictures by interpolation."""

    key: ClassVar[str] = "resizing"
    whole: ClassVar[Whole] = "kept"

    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"] = "bilinear"
    """Interpolation between pixels."""
    crop_to_aspect_ratio: bool = False
    """Whether to keep the aspect ratio by cropping edges."""
    pad_to_aspect_ratio: bool = False
    """Whether to keep the aspect ratio by padding edges."""
    fill_mode: Literal["constant"] = "constant"
    """How padded edges are filled."""
    fill_value: Number = 0.0
    """Value of padded edges."""
    antialias: bool = False
    """Whether to smooth before downsampling."""

    @model_validator(mode="after")
    def one_way(self) -> "Resizing":
        """Check that edges are not both cropped and padded."""
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            message = "crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other"
            raise located(("pad_to_aspect_ratio",), message)
        return self


class CenterCrop(Framing):
    """Crops the centre of the picture; a smaller picture is resized to cover the size."""

    key: ClassVar[str] = "center_crop"


class AutoContrast(Elementwise):
    """Stretches the values of each channel of each picture to the whole range."""

    key: ClassVar[str] = "auto_contrast"

    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        spatial(self, shape, 2)
        return shape
