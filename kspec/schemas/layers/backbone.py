"""The networks of `keras.applications` without their classifiers, each as one layer.

The spatial size of the output follows from the strided windows of the network. A stage is (window,
stride, total padding) and maps a size to (size + padding - window) // stride + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType
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
"""A window of 3 with stride 2 and without padding."""
CLOSE: Stage = (3, 1, 0)


PARAMETERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "mobilenet": (3_228_288, 288),
        "mobilenet_v2": (2_257_408, 288),
        "mobilenet_v3_small": (938_832, 144),
        "mobilenet_v3_large": (2_996_064, 144),
        "efficientnet_b0": (4_048_991, 290),
        "efficientnet_b1": (6_574_659, 290),
        "efficientnet_b2": (7_767_989, 290),
        "efficientnet_b3": (10_782_811, 362),
        "efficientnet_b4": (17_672_955, 434),
        "efficientnet_b5": (28_512_659, 434),
        "efficientnet_b6": (40_959_131, 506),
        "efficientnet_b7": (64_096_531, 578),
        "efficientnet_v2_b0": (5_918_736, 288),
        "efficientnet_v2_b1": (6_930_548, 288),
        "efficientnet_v2_b2": (8_768_798, 288),
        "efficientnet_v2_b3": (12_929_902, 360),
        "efficientnet_v2_s": (20_330_928, 216),
        "efficientnet_v2_m": (53_149_956, 216),
        "efficientnet_v2_l": (117_746_272, 288),
        "resnet50": (23_581_440, 3_136),
        "resnet101": (42_651_904, 3_136),
        "resnet152": (58_364_672, 3_136),
        "resnet50_v2": (23_558_528, 3_136),
        "resnet101_v2": (42_620_288, 3_136),
        "resnet152_v2": (58_325_376, 3_136),
        "densenet121": (7_031_232, 3_136),
        "densenet169": (12_636_608, 3_136),
        "densenet201": (18_315_712, 3_136),
        "inception_v3": (21_802_208, 288),
        "inception_resnet_v2": (54_336_160, 288),
        "xception": (20_860_904, 288),
        "vgg16": (14_713_536, 576),
        "vgg19": (20_023_232, 576),
        "nasnet_mobile": (4_269_140, 288),
        "nasnet_large": (84_915_090, 864),
        "convnext_tiny": (27_817_056, 1_536),
        "convnext_small": (49_451_616, 1_536),
        "convnext_base": (87_562_368, 2_048),
        "convnext_large": (196_224_192, 3_072),
        "convnext_xlarge": (348_139_776, 4_096),
    }
)
"""Number of weights of each network with Keras' default arguments (from `count_params`): the count
for one input channel, and the increase per further channel."""
WIDENING = ("alpha", "depth_multiplier", "minimalistic")
"""Arguments that change the number of weights."""


class Network(KerasObject):
    """A network by its name in `keras.applications`, without its classifier."""

    module: ClassVar[str | None] = "keras.applications"
    stages: ClassVar[tuple[Stage, ...]]
    features: ClassVar[int]
    """Channels of the output."""
    smallest: ClassVar[int] = 32
    """Minimum height and width that Keras accepts."""

    pooling: Literal["avg", "max"] | None = None
    """Global pooling over height and width, mean or maximum; none by default."""
    weights: Annotated[Path | None, Field(examples=["backbone.safetensors"])] = None
    """Initial values of the variables: a safetensors file with one tensor per variable, keyed by
    its path in the Keras network. Random by default. Nothing is downloaded."""
    trainable: bool = True
    """Whether training changes the network. If not, its BatchNormalization layers also run as at
    inference."""

    def channels(self) -> int:
        """Return the channels of the output for the arguments of this network."""
        return self.features

    def parameter_count(self, channels: int) -> int | None:
        """Return the number of weights for `channels` input channels; None if an argument changes
        the width of the layers."""
        fields = type(self).model_fields
        if any(getattr(self, name) != fields[name].default for name in WIDENING if name in fields):
            return None
        first, further = PARAMETERS[self.key]
        return first + (channels - 1) * further

    def arguments(self) -> dict[str, Any]:
        apart = ("weights", "trainable")
        return {key: each for key, each in super().arguments().items() if key not in apart}


class Scaled(Network):
    """A network with a width multiplier."""

    alpha: Above0 = 1.0
    """Factor on the channels of its layers."""


class MobileNet(Scaled):
    """MobileNet (Howard et al., 2017)."""

    key: ClassVar[str] = "mobilenet"
    # MobileNet pads at the bottom and the right only.
    stages: ClassVar[tuple[Stage, ...]] = (UP, *((3, 2, 1),) * 4)
    features: ClassVar[int] = 1024

    depth_multiplier: Positive = 1
    """Output channels of a depthwise convolution per input channel."""

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
    """Whether to omit squeeze-and-excite, hard-swish and 5×5 kernels."""
    include_preprocessing: bool = True
    """Whether the network rescales pixels from 0–255 to -1–1."""

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
    """EfficientNet (Tan & Le, 2019). It takes pixels of 0 to 255 and rescales them."""

    stages: ClassVar[tuple[Stage, ...]] = (UP,) * 5


class EfficientNetV2(Network):
    """EfficientNetV2 (Tan & Le, 2021)."""

    stages: ClassVar[tuple[Stage, ...]] = (UP,) * 5

    include_preprocessing: bool = True
    """Whether the network takes pixels of 0 to 255 and rescales them."""


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
    """Whether the network takes pixels of 0 to 255 and normalises them."""


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
        """Read the value of the key as the network."""
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

    def parameter_count(self, shapes: tuple[Shape, ...]) -> int | None:
        (shape,) = shapes
        return self.network.parameter_count(known(self, shape))


def _strided(size: int, stage: Stage) -> int:
    window, stride, padding = stage
    return (size + padding - window) // stride + 1


def eighths(channels: float) -> int:
    """Return the multiple of 8 nearest to a width, but at least 90 % of it."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found
