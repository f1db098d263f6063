"""Layers that change pictures at random in training and are the identity at inference.

A factor is a number, the bound of the random value, or a pair `[least, largest]`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, Tag

from kspec.schemas.layers.base import Shape, ShapeError, show, spatial
from kspec.schemas.layers.dropout import Seeded
from kspec.schemas.layers.image import Range
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
    """Least and largest value of a pixel."""


class RandomContrast(Augmentation):
    """Moves pixels towards the mean of their channel, or away from it."""

    key: ClassVar[str] = "random_contrast"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[UnitFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomSaturation(Augmentation):
    """Changes the saturation of the colours."""

    key: ClassVar[str] = "random_saturation"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomHue(Augmentation):
    """Rotates the hue of the colours."""

    key: ClassVar[str] = "random_hue"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[UnitFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomColorDegeneration(Augmentation):
    """Blends the picture with its greyscale version."""

    key: ClassVar[str] = "random_color_degeneration"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        shape = super().output_shape(shapes)
        if shape[-1] != 3:
            raise ShapeError(f"{self.key} needs 3 channels, found {show(shape)}")
        return shape


class RandomColorJitter(Augmentation):
    """Brightness, contrast, saturation and hue at once."""

    key: ClassVar[str] = "random_color_jitter"

    brightness_factor: SignedFactor | None = None
    """The `factor` of random_brightness."""
    contrast_factor: UnitFactor | None = None
    """The `factor` of random_contrast."""
    saturation_factor: SignedFactor | None = None
    """The `factor` of random_saturation."""
    hue_factor: UnitFactor | None = None
    """The `factor` of random_hue."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomGrayscale(Augmentation):
    """Converts a share of the pictures to greyscale."""

    key: ClassVar[str] = "random_grayscale"

    factor: Unit = 0.5
    """Share of the pictures that change."""


class RandomInvert(Augmentation):
    """Inverts a share of the pictures."""

    key: ClassVar[str] = "random_invert"

    factor: UnitFactor = 1.0
    """Share of the pictures that change."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomPosterization(Augmentation):
    """Keeps a few bits of each value."""

    key: ClassVar[str] = "random_posterization"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[BitsFactor, Field(examples=[4])]
    """Number of bits, from 1 to 8."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomSharpness(Augmentation):
    """Makes edges softer or sharper."""

    key: ClassVar[str] = "random_sharpness"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[UnitFactor, Field(examples=[0.2])]
    """How far."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class Solarization(Augmentation):
    """Adds to the pixels and inverts pixels above a threshold."""

    key: ClassVar[str] = "solarization"

    addition_factor: UnitFactor = 0.0
    """Bound of what is added, as a share of 255."""
    threshold_factor: UnitFactor = 0.0
    """Bound of the threshold, as a share of 255."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomGaussianBlur(Augmentation):
    """Blurs a share of the pictures."""

    key: ClassVar[str] = "random_gaussian_blur"

    factor: UnitFactor = 1.0
    """Share of the pictures that change."""
    kernel_size: Odd = 3
    """Size of the kernel, odd; one number for both axes, or one per axis."""
    sigma: UnitFactor = 1.0
    """Standard deviation of the Gaussian."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomErasing(Augmentation):
    """Overwrites a rectangle in a share of the pictures."""

    key: ClassVar[str] = "random_erasing"

    factor: UnitFactor = 1.0
    """Share of the pictures that change."""
    scale: UnitFactor = (0.02, 0.33)
    """The rectangle's share of the picture."""
    fill_value: FillValue | None = None
    """Fill value, or one per channel for three channels; noise by default."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandomFlip(Augmentation):
    """Mirrors the picture."""

    key: ClassVar[str] = "random_flip"

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = "horizontal_and_vertical"
    """Direction of the flip."""


class RandomRotation(Augmentation):
    """Turns the picture."""

    key: ClassVar[str] = "random_rotation"
    shorthand: ClassVar[str | None] = "factor"

    factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """Bound of the angle, as a share of a full turn."""
    fill_mode: Fill = "reflect"
    """How places beyond the edges are filled."""
    interpolation: Interpolation = "bilinear"
    """Interpolation between pixels."""
    fill_value: Number = 0.0
    """Value beyond the edges, with `fill_mode: constant`."""


class RandomTranslation(Augmentation):
    """Moves the picture."""

    key: ClassVar[str] = "random_translation"

    height_factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """Bound of the shift downwards, as a share of the height."""
    width_factor: Annotated[SignedFactor, Field(examples=[0.2])]
    """Bound of the shift to the right, as a share of the width."""
    fill_mode: Fill = "reflect"
    """How places beyond the edges are filled."""
    interpolation: Interpolation = "bilinear"
    """Interpolation between pixels."""
    fill_value: Number = 0.0
    """Value beyond the edges, with `fill_mode: constant`."""


class RandomZoom(Augmentation):
    """Makes the picture smaller (above 0) or larger (below)."""

    key: ClassVar[str] = "random_zoom"
    shorthand: ClassVar[str | None] = "height_factor"

    height_factor: Annotated[ZoomFactor, Field(examples=[0.2])]
    """Bound of the change of the height."""
    width_factor: ZoomFactor | None = None
    """Bound of the change of the width; by default equal to the change of the height."""
    fill_mode: Fill = "reflect"
    """How places beyond the edges are filled."""
    interpolation: Interpolation = "bilinear"
    """Interpolation between pixels."""
    fill_value: Number = 0.0
    """Value beyond the edges, with `fill_mode: constant`."""


class RandomShear(Augmentation):
    """Shears the picture."""

    key: ClassVar[str] = "random_shear"

    x_factor: UnitFactor = 0.0
    """Bound of the horizontal shear."""
    y_factor: UnitFactor = 0.0
    """Bound of the vertical shear."""
    interpolation: Interpolation = "bilinear"
    """Interpolation between pixels."""
    fill_mode: Fill = "reflect"
    """How places beyond the edges are filled."""
    fill_value: Number = 0.0
    """Value beyond the edges, with `fill_mode: constant`."""


class RandomPerspective(Augmentation):
    """Applies a perspective transform to a share of the pictures."""

    key: ClassVar[str] = "random_perspective"

    factor: UnitFactor = 1.0
    """Share of the pictures that change."""
    scale: Unit = 1.0
    """Bound of the displacement of the corners."""
    interpolation: Interpolation = "bilinear"
    """Interpolation between pixels."""
    fill_value: Number = 0.0
    """Value beyond the edges, with `fill_mode: constant`."""


class RandomElasticTransform(Augmentation):
    """Applies an elastic deformation to a share of the pictures."""

    key: ClassVar[str] = "random_elastic_transform"

    factor: UnitFactor = 1.0
    """Share of the pictures that change."""
    scale: UnitFactor = 1.0
    """Strength of the deformation."""
    interpolation: Interpolation = "bilinear"
    """Interpolation between pixels."""
    fill_mode: Fill = "reflect"
    """How places beyond the edges are filled."""
    fill_value: Number = 0.0
    """Value beyond the edges, with `fill_mode: constant`."""
    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""


class RandAugment(Augmentation):
    """RandAugment: several random changes in sequence (Cubuk et al., 2019)."""

    key: ClassVar[str] = "rand_augment"

    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""
    num_ops: Positive = 2
    """Number of changes."""
    factor: UnitFactor = 0.5
    """Strength of the changes."""
    interpolation: Interpolation = "bilinear"
    """Interpolation between pixels."""


class AugMix(Augmentation):
    """AugMix: a weighted mean of chains of random changes (Hendrycks et al., 2020)."""

    key: ClassVar[str] = "aug_mix"

    value_range: Range = (0, 255)
    """Least and largest value of a pixel."""
    num_chains: Positive = 3
    """Number of chains."""
    chain_depth: Positive = 3
    """Maximum length of a chain."""
    factor: UnitFactor = 0.3
    """Strength of the changes."""
    alpha: Annotated[float, Field(gt=0), Evaluated] = 1.0
    """Concentration of the distribution of mixing weights: larger values give more even weights."""
    all_ops: bool = True
    """Whether brightness, contrast and sharpness may change too."""
    interpolation: Interpolation = "bilinear"
    """Interpolation between pixels."""
