"""Layers that change pictures at random while training; afterwards they give what they take.

A factor is a number, the bound of what is drawn, or two, `[least, largest]`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, Tag

from kspec.schemas.layers.base import Shape, ShapeError, show, spatial
from kspec.schemas.layers.image import Range
from kspec.schemas.layers.regularization import Seeded
from kspec.schemas.values import Evaluated, Listed, Number, Positive, written


def _odd(size: int) -> int:
    if size % 2 == 0:
        raise ValueError("a kernel has a middle: write an odd number")
    return size


OddSize = Annotated[int, Field(ge=1, le=255), AfterValidator(_odd)]
Unit = Annotated[float, Field(ge=0, le=1), Evaluated]
Signed = Annotated[float, Field(ge=-1, le=1), Evaluated]
Zoom = Annotated[float, Field(gt=-1, le=1), Evaluated]
Bits = Annotated[int, Field(ge=1, le=8)]
ONE_OR_TWO = written(number="a number", list="two numbers")
UnitFactor = Annotated[
    Annotated[Unit, Tag("number")] | Annotated[tuple[Unit, Unit], Listed, Tag("list")], ONE_OR_TWO
]
SignedFactor = Annotated[
    Annotated[Signed, Tag("number")] | Annotated[tuple[Signed, Signed], Listed, Tag("list")],
    ONE_OR_TWO,
]
ZoomFactor = Annotated[
    Annotated[Zoom, Tag("number")] | Annotated[tuple[Zoom, Zoom], Listed, Tag("list")], ONE_OR_TWO
]
BitsFactor = Annotated[
    Annotated[Bits, Tag("number")] | Annotated[tuple[Bits, Bits], Listed, Tag("list")], ONE_OR_TWO
]
Odd = Annotated[
    Annotated[OddSize, Tag("number")] | Annotated[tuple[OddSize, OddSize], Listed, Tag("list")],
    ONE_OR_TWO,
]
FillValue = Annotated[
    Annotated[Number, Tag("number")]
    | Annotated[tuple[Number, Number, Number], Listed, Tag("list")],
    written(number="a number", list="three numbers"),
]
Interpolation = Literal["nearest", "bilinear"]
Fill = Literal["constant", "nearest", "reflect", "wrap"]


class Augmentation(Seeded):
    """A layer over height × width × channels."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        spatial(self, shape, 2)
        return shape


class RandomBrightness(Augmentation):
    """Adds a number to all pixels."""

    key: ClassVar[str] = "random_brightness"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """Bound of the number, as a share of the range."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomContrast(Augmentation):
    """Draws pixels towards the mean of their channel, or away from it."""

    key: ClassVar[str] = "random_contrast"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[UnitFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomSaturation(Augmentation):
    """Makes colours paler or stronger."""

    key: ClassVar[str] = "random_saturation"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomHue(Augmentation):
    """Turns colours."""

    key: ClassVar[str] = "random_hue"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[UnitFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomColorDegeneration(Augmentation):
    """Mixes the picture with its grey self."""

    key: ClassVar[str] = "random_color_degeneration"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        shape = super().output_shape(shapes)
        if shape[-1] != 3:
            raise ShapeError(f"{self.key} needs 3 channels, found {show(shape)}")
        return shape


class RandomColorJitter(Augmentation):
    """Brightness, contrast, saturation and hue at once."""

    key: ClassVar[str] = "random_color_jitter"

    brightness_factor: SignedFactor | None = None
    """As of random_brightness."""
    contrast_factor: UnitFactor | None = None
    """As of random_contrast."""
    saturation_factor: SignedFactor | None = None
    """As of random_saturation."""
    hue_factor: UnitFactor | None = None
    """As of random_hue."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomGrayscale(Augmentation):
    """Takes the colours from a share of the pictures."""

    key: ClassVar[str] = "random_grayscale"

    factor: Unit = 0.5
    """The share."""


class RandomInvert(Augmentation):
    """Turns a share of the pictures into their negatives."""

    key: ClassVar[str] = "random_invert"

    factor: UnitFactor = 1.0
    """The share."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomPosterization(Augmentation):
    """Keeps a few bits of each value."""

    key: ClassVar[str] = "random_posterization"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[BitsFactor, Field(examples=[4])]
    """How many bits, from 1 to 8."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomSharpness(Augmentation):
    """Makes edges softer or sharper."""

    key: ClassVar[str] = "random_sharpness"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[UnitFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class Solarization(Augmentation):
    """Adds to the pixels and inverts those above a threshold."""

    key: ClassVar[str] = "solarization"

    addition_factor: UnitFactor = 0.0
    """Bound of what is added, as a share of 255."""
    threshold_factor: UnitFactor = 0.0
    """Bound of the threshold, as a share of 255."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomGaussianBlur(Augmentation):
    """Blurs a share of the pictures."""

    key: ClassVar[str] = "random_gaussian_blur"

    factor: UnitFactor = 1.0
    """The share."""
    kernel_size: Odd = 3
    """Size of the kernel, odd; one for both axes, or one for each."""
    sigma: UnitFactor = 1.0
    """Width of the bell."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomErasing(Augmentation):
    """Overwrites a rectangle in a share of the pictures."""

    key: ClassVar[str] = "random_erasing"

    factor: UnitFactor = 1.0
    """The share."""
    scale: UnitFactor = (0.02, 0.33)
    """The rectangle's share of the picture."""
    fill_value: FillValue | None = None
    """What is written, or one for each of three channels; without it, noise."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandomFlip(Augmentation):
    """Mirrors the picture."""

    key: ClassVar[str] = "random_flip"

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = "horizontal_and_vertical"
    """Which ways."""


class RandomRotation(Augmentation):
    """Turns the picture."""

    key: ClassVar[str] = "random_rotation"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """Bound of the angle, as a share of a full turn."""
    fill_mode: Fill = "reflect"
    """What lies beyond the edges."""
    interpolation: Interpolation = "bilinear"
    """How values between pixels are found."""
    fill_value: Number = 0.0
    """Value beyond the edges, where they are constant."""


class RandomTranslation(Augmentation):
    """Moves the picture."""

    key: ClassVar[str] = "random_translation"

    height_factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """Bound of the way down, as a share of the height."""
    width_factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """Bound of the way to the right, as a share of the width."""
    fill_mode: Fill = "reflect"
    """What lies beyond the edges."""
    interpolation: Interpolation = "bilinear"
    """How values between pixels are found."""
    fill_value: Number = 0.0
    """Value beyond the edges, where they are constant."""


class RandomZoom(Augmentation):
    """Makes the picture smaller (above 0) or larger (below)."""

    key: ClassVar[str] = "random_zoom"
    shorthand: ClassVar[str | None] = "height_factor"

    height_factor: Annotated[ZoomFactor, Field(examples=[0.2])]
    """Bound of the change of the height."""
    width_factor: ZoomFactor | None = None
    """Bound of the change of the width; without it, as the height."""
    fill_mode: Fill = "reflect"
    """What lies beyond the edges."""
    interpolation: Interpolation = "bilinear"
    """How values between pixels are found."""
    fill_value: Number = 0.0
    """Value beyond the edges, where they are constant."""


class RandomShear(Augmentation):
    """Slants the picture."""

    key: ClassVar[str] = "random_shear"

    x_factor: UnitFactor = 0.0
    """How far from side to side."""
    y_factor: UnitFactor = 0.0
    """How far up and down."""
    interpolation: Interpolation = "bilinear"
    """How values between pixels are found."""
    fill_mode: Fill = "reflect"
    """What lies beyond the edges."""
    fill_value: Number = 0.0
    """Value beyond the edges, where they are constant."""


class RandomPerspective(Augmentation):
    """Looks at a share of the pictures from another side."""

    key: ClassVar[str] = "random_perspective"

    factor: UnitFactor = 1.0
    """The share."""
    scale: Unit = 1.0
    """How far the corners may move."""
    interpolation: Interpolation = "bilinear"
    """How values between pixels are found."""
    fill_value: Number = 0.0
    """Value beyond the edges, where they are constant."""


class RandomElasticTransform(Augmentation):
    """Bends a share of the pictures."""

    key: ClassVar[str] = "random_elastic_transform"

    factor: UnitFactor = 1.0
    """The share."""
    scale: UnitFactor = 1.0
    """How strongly."""
    interpolation: Interpolation = "bilinear"
    """How values between pixels are found."""
    fill_mode: Fill = "reflect"
    """What lies beyond the edges."""
    fill_value: Number = 0.0
    """Value beyond the edges, where they are constant."""
    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""


class RandAugment(Augmentation):
    """Several random changes in a row (Cubuk et al., 2019)."""

    key: ClassVar[str] = "rand_augment"

    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""
    num_ops: Positive = 2
    """How many."""
    factor: UnitFactor = 0.5
    """How strong."""
    interpolation: Interpolation = "bilinear"
    """How values between pixels are found."""


class AugMix(Augmentation):
    """A mix of chains of random changes (Hendrycks et al., 2020)."""

    key: ClassVar[str] = "aug_mix"

    value_range: Range = (0, 255)
    """The least and the largest value of a pixel."""
    num_chains: Positive = 3
    """How many chains."""
    chain_depth: Positive = 3
    """Longest chain."""
    factor: UnitFactor = 0.3
    """How strong."""
    alpha: Annotated[float, Field(gt=0), Evaluated] = 1.0
    """Evenness of the mix."""
    all_ops: bool = True
    """Whether brightness, contrast and sharpness may change too."""
    interpolation: Interpolation = "bilinear"
    """How values between pixels are found."""
