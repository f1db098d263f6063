"""The networks of `keras.applications` without their classifiers, as one layer.

What such a network makes of a picture's size follows from its windows with a stride: each stage
is (window, stride, padding on both sides together), and makes (size + padding - window) // stride
+ 1 of a size.
"""

from __future__ import annotations

from functools import reduce
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from kspec.schemas.base import Keyed
from kspec.schemas.data import Path
from kspec.schemas.keras_objects import KerasObject
from kspec.schemas.layers.base import Layer, Shape, ShapeError, known, spatial
from kspec.schemas.values import Positive
from kspec.schemas.weights import Above0

Stage = tuple[int, int, int]
UP: Stage = (1, 2, 0)
"""Half of a size, rounded up."""
DOWN: Stage = (2, 2, 0)
"""Half of a size, rounded down."""
INNER: Stage = (3, 2, 0)
"""A window of 3 that stays inside, by steps of 2."""
CLOSE: Stage = (3, 1, 0)


class Network(KerasObject):
    """A network by its name in `keras.applications`, without its classifier."""

    module: ClassVar[str | None] = "keras.applications"
    stages: ClassVar[tuple[Stage, ...]]
    features: ClassVar[int]
    """Channels of what it gives."""
    smallest: ClassVar[int] = 32
    """Least height and width that Keras allows."""

    pooling: Literal["avg", "max"] | None = None
    """Whether height and width are averaged, or the largest is taken; without it, they stay."""
    weights: Annotated[Path | None, Field(examples=["backbone.safetensors"])] = None
    """The values that its variables start from, a safetensors file with a tensor for each by its
    path in the network as Keras makes it; without it, random ones. Nothing is downloaded."""
    trainable: bool = True
    """Whether training changes it; if not, its BatchNormalization too works as at inference."""

    def channels(self) -> int:
        """Channels of what it gives, with its arguments."""
        return self.features

    def arguments(self) -> dict[str, Any]:
        apart = ("weights", "trainable")
        return {key: each for key, each in super().arguments().items() if key not in apart}


class Scaled(Network):
    """One whose width is chosen."""

    alpha: Above0 = 1.0
    """Factor on the channels of its layers."""


class MobileNet(Scaled):
    """MobileNet (Howard et al., 2017)."""

    key: ClassVar[str] = "mobilenet"
    # It pads below and to the right alone.
    stages: ClassVar[tuple[Stage, ...]] = (UP, *((3, 2, 1),) * 4)
    features: ClassVar[int] = 1024

    depth_multiplier: Positive = 1
    """Channels that depthwise convolutions make of each."""

    def channels(self) -> int:
        return int(self.features * self.alpha)


class MobileNetV2(Scaled):
    """MobileNetV2 (Sandler et al., 2018)."""

    key: ClassVar[str] = "mobilenet_v2"
    stages: ClassVar[tuple[Stage, ...]] = (UP,) * 5
    features: ClassVar[int] = 1280

    def channels(self) -> int:
        return eighths(self.features * self.alpha) if self.alpha > 1 else self.features


class MobileNetV3(Scaled):
    """MobileNetV3 (Howard et al., 2019)."""

    stages: ClassVar[tuple[Stage, ...]] = (UP,) * 5

    minimalistic: bool = False
    """Whether to do without squeeze-and-excite, hard-swish and windows of 5."""
    include_preprocessing: bool = True
    """Whether it brings pixels of 0 to 255 to -1 to 1 itself."""

    def channels(self) -> int:
        return eighths(6 * eighths(self.features * self.alpha))


class MobileNetV3Small(MobileNetV3):
    """MobileNetV3, small."""

    key: ClassVar[str] = "mobilenet_v3_small"
    features: ClassVar[int] = 96


class MobileNetV3Large(MobileNetV3):
    """MobileNetV3, large."""

    key: ClassVar[str] = "mobilenet_v3_large"
    features: ClassVar[int] = 160


class EfficientNet(Network):
    """EfficientNet (Tan & Le, 2019); it rescales pixels of 0 to 255 itself."""

    stages: ClassVar[tuple[Stage, ...]] = (UP,) * 5


class EfficientNetV2(Network):
    """EfficientNetV2 (Tan & Le, 2021)."""

    stages: ClassVar[tuple[Stage, ...]] = (UP,) * 5

    include_preprocessing: bool = True
    """Whether it rescales pixels of 0 to 255 itself."""


class ResNet(Network):
    """Residual networks (He et al., 2015)."""

    stages: ClassVar[tuple[Stage, ...]] = (UP,) * 5
    features: ClassVar[int] = 2048


class DenseNet(Network):
    """Densely connected networks (Huang et al., 2016)."""

    stages: ClassVar[tuple[Stage, ...]] = (UP, UP, DOWN, DOWN, DOWN)


class VGG(Network):
    """VGG (Simonyan & Zisserman, 2014)."""

    stages: ClassVar[tuple[Stage, ...]] = (DOWN,) * 5
    features: ClassVar[int] = 512


class NASNet(Network):
    """NASNet (Zoph et al., 2017)."""

    stages: ClassVar[tuple[Stage, ...]] = (INNER, UP, UP, UP, UP)


class ConvNeXt(Network):
    """ConvNeXt (Liu et al., 2022)."""

    stages: ClassVar[tuple[Stage, ...]] = ((4, 4, 0), DOWN, DOWN, DOWN)

    include_preprocessing: bool = True
    """Whether it normalises pixels of 0 to 255 itself."""


class InceptionV3(Network):
    """Inception v3 (Szegedy et al., 2015)."""

    key: ClassVar[str] = "inception_v3"
    stages: ClassVar[tuple[Stage, ...]] = (INNER, CLOSE, INNER, CLOSE, INNER, INNER, INNER)
    features: ClassVar[int] = 2048
    smallest: ClassVar[int] = 75


class InceptionResNetV2(Network):
    """Inception-ResNet v2 (Szegedy et al., 2016)."""

    key: ClassVar[str] = "inception_resnet_v2"
    stages: ClassVar[tuple[Stage, ...]] = InceptionV3.stages
    features: ClassVar[int] = 1536
    smallest: ClassVar[int] = 75


class Xception(Network):
    """Xception (Chollet, 2016)."""

    key: ClassVar[str] = "xception"
    stages: ClassVar[tuple[Stage, ...]] = (INNER, CLOSE, UP, UP, UP, UP)
    features: ClassVar[int] = 2048
    smallest: ClassVar[int] = 71


def _variant(family: type[Network], name: str, key: str, features: int) -> type[Network]:
    """One network of a family that differs in depth and width."""
    return type(
        name,
        (family,),
        {
            "__module__": __name__,
            "__doc__": family.__doc__,
            "__annotations__": dict.fromkeys(("key", "features"), ClassVar[Any]),
            "key": key,
            "features": features,
        },
    )


NETWORKS: tuple[type[Network], ...] = (
    MobileNet, MobileNetV2, MobileNetV3Small, MobileNetV3Large,
    *(
        _variant(EfficientNet, f"EfficientNetB{n}", f"efficientnet_b{n}", features)
        for n, features in enumerate((1280, 1280, 1408, 1536, 1792, 2048, 2304, 2560))
    ),
    *(
        _variant(EfficientNetV2, f"EfficientNetV2{s}", f"efficientnet_v2_{s.lower()}", features)
        for s, features in (
            ("B0", 1280), ("B1", 1280), ("B2", 1408), ("B3", 1536),
            ("S", 1280), ("M", 1280), ("L", 1280),
        )
    ),
    *(
        _variant(ResNet, f"ResNet{depth}{version}", f"resnet{depth}{version and '_v2'}", 2048)
        for version in ("", "V2") for depth in (50, 101, 152)
    ),
    *(
        _variant(DenseNet, f"DenseNet{depth}", f"densenet{depth}", features)
        for depth, features in ((121, 1024), (169, 1664), (201, 1920))
    ),
    InceptionV3, InceptionResNetV2, Xception,
    *(_variant(VGG, f"VGG{depth}", f"vgg{depth}", 512) for depth in (16, 19)),
    *(
        _variant(NASNet, f"NASNet{size}", f"nasnet_{size.lower()}", features)
        for size, features in (("Mobile", 1056), ("Large", 4032))
    ),
    *(
        _variant(ConvNeXt, f"ConvNeXt{size}", f"convnext_{size.lower()}", features)
        for size, features in (
            ("Tiny", 768), ("Small", 768), ("Base", 1024), ("Large", 1536), ("XLarge", 2048),
        )
    ),
)  # fmt: skip
"""All networks of `keras.applications`."""


class Backbone(Layer):
    """A network of `keras.applications`, without its classifier, as one layer."""

    key: ClassVar[str] = "backbone"
    keras: ClassVar[str] = "kspec.models.backbone:Backbone"

    network: Annotated[Network, Keyed(NETWORKS)]
    """The network."""

    @classmethod
    def open(cls, body: object) -> object:
        """Its key alone stands for the network."""
        return body if isinstance(body, Backbone) else {"network": body}

    def written(self) -> Any:
        return {self.key: self.network.written()}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = super().__get_pydantic_json_schema__(schema, handler)
        network: JsonSchemaValue = handler.resolve_ref_schema(described)["properties"]["network"]
        return network

    def arguments(self) -> dict[str, Any]:
        return {
            "application": self.network.keras,
            "arguments": self.network.arguments(),
            "trainable": self.network.trainable,
        }

    def weights_file(self) -> tuple[tuple[str, ...], str] | None:
        path = self.network.weights
        return None if path is None else ((self.network.key, "weights"), path)

    def output_shape(self, shapes: tuple[Shape, ...]) -> Shape:
        (shape,) = shapes
        spatial(self, shape, 2)
        sizes = [known(self, shape, axis) for axis in (1, 2)]
        known(self, shape)
        if min(sizes) < self.network.smallest:
            least = self.network.smallest
            raise ShapeError(f"{self.network.key} needs pictures of {least} × {least} at least")
        channels = self.network.channels()
        if self.network.pooling is not None:
            return (channels,)
        return (*(reduce(_strided, self.network.stages, size) for size in sizes), channels)


def _strided(size: int, stage: Stage) -> int:
    window, stride, padding = stage
    return (size + padding - window) // stride + 1


def eighths(channels: float) -> int:
    """The multiple of 8 nearest to a width, not below nine tenths of it."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found
