"""The table of layers. The module of a layer is imported when the layer is asked for: building the
models of all layers takes longer than checking a spec."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType

from kspec.schemas.layers.base import Layer

PACKAGE = "kspec.schemas.layers"
MODULES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Core": {
            "dense": "dense",
            "core": "einsum_dense embedding reversible_embedding masking identity",
        },
        "Convolution": {
            "convolution": "conv1d conv2d conv3d",
            "depthwise":
                "depthwise_conv1d depthwise_conv2d separable_conv1d separable_conv2d",
            "transposed": "conv1d_transpose conv2d_transpose conv3d_transpose",
        },
        "Pooling": {
            "pooling":
                "max_pooling1d max_pooling2d max_pooling3d average_pooling1d average_pooling2d "
                "average_pooling3d",
            "global_pooling":
                "global_max_pooling1d global_max_pooling2d global_max_pooling3d "
                "global_average_pooling1d global_average_pooling2d global_average_pooling3d",
            "adaptive_pooling":
                "adaptive_max_pooling1d adaptive_max_pooling2d adaptive_max_pooling3d "
                "adaptive_average_pooling1d adaptive_average_pooling2d adaptive_average_pooling3d",
        },
        "Recurrent": {
            "recurrent": "simple_rnn lstm gru rnn",
            "recurrent_convolution": "conv_lstm1d conv_lstm2d conv_lstm3d",
        },
        "Attention": {
            "attention": "attention additive_attention multi_head_attention group_query_attention",
        },
        "Wrapping": {
            "wrapping": "bidirectional time_distributed spectral_normalization",
        },
        "Normalization": {
            "batch_normalization": "batch_normalization",
            "normalization":
                "layer_normalization rms_normalization group_normalization unit_normalization",
        },
        "Regularization": {
            "dropout": "dropout",
            "regularization":
                "spatial_dropout1d spatial_dropout2d spatial_dropout3d gaussian_dropout "
                "gaussian_noise alpha_dropout activity_regularization",
        },
        "Reshaping": {
            "reshaping":
                "flatten reshape permute repeat_vector zero_padding1d zero_padding2d "
                "zero_padding3d cropping1d cropping2d cropping3d up_sampling1d up_sampling2d "
                "up_sampling3d",
        },
        "Merging": {
            "merging": "add subtract multiply average maximum minimum concatenate dot",
        },
        "Activation": {
            "activation": "activation relu leaky_relu prelu elu softmax",
            "function":
                "celu exponential gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh "
                "linear log_sigmoid log_softmax mish relu6 selu sigmoid silu soft_shrink "
                "softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh "
                "tanh_shrink",
        },
        "Preprocessing": {
            "preprocessing": "rescaling normalization category_encoding discretization",
            "image": "resizing center_crop auto_contrast",
            "signal": "mel_spectrogram",
        },
        "Augmentation": {
            "augmentation":
                "random_brightness random_contrast random_saturation random_hue "
                "random_color_degeneration random_color_jitter random_grayscale random_invert "
                "random_posterization random_sharpness solarization random_gaussian_blur "
                "random_erasing random_flip random_rotation random_translation random_zoom "
                "random_shear random_perspective random_elastic_transform rand_augment aug_mix",
        },
    }
)  # fmt: skip
"""The layers of Keras: family → module → keys. A new layer is a class in a module and its key here.
"""
FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {family: tuple(" ".join(keys.values()).split()) for family, keys in MODULES.items()}
)
"""The keys of each family, in the order of the reference."""


@dataclass(frozen=True, eq=False)
class Layers(Mapping[str, type[Layer]]):
    """Layer classes by key. Keys are known at once; a class is imported when it is looked up."""

    modules: Mapping[str, str]
    """The module of each key, inside this package."""

    def __getitem__(self, key: str) -> type[Layer]:
        return _defined(self.modules[key])[key]

    def __contains__(self, key: object) -> bool:
        return key in self.modules

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)

    def __hash__(self) -> int:
        return id(self)

    def only(self, *keys: str) -> "Layers":
        """A part of the table of layers."""
        return Layers(MappingProxyType({key: self.modules[key] for key in keys}))


@cache
def _defined(module: str) -> Mapping[str, type[Layer]]:
    """The layers that a module defines: its classes with a key of their own."""
    found = vars(import_module(f"{PACKAGE}.{module}")).values()
    return MappingProxyType(
        {
            each.key: each
            for each in found
            if isinstance(each, type) and issubclass(each, Layer) and "key" in vars(each)
        }
    )


LAYERS = Layers(
    MappingProxyType(
        {
            key: module
            for modules in MODULES.values()
            for module, keys in modules.items()
            for key in keys.split()
        }
        | {"backbone": "backbone"}
    )
)
"""Every layer that is available without a third-party package."""


def catalogue() -> tuple[type[Layer], ...]:
    """The classes of all layers of Keras, family by family. This imports them all."""
    return tuple(LAYERS[key] for keys in FAMILIES.values() for key in keys)
