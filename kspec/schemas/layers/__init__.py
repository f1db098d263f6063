"""The layers of the spec, by key."""

from collections.abc import Mapping
from types import MappingProxyType

from kspec.schemas.layers.activation import (
    ELU,
    FUNCTIONS,
    ActivationLayer,
    LeakyReLU,
    PReLU,
    ReLU,
    Softmax,
)
from kspec.schemas.layers.attention import (
    AdditiveAttention,
    Attention,
    GroupQueryAttention,
    MultiHeadAttention,
)
from kspec.schemas.layers.augmentation import AUGMENTATIONS
from kspec.schemas.layers.backbone import Backbone
from kspec.schemas.layers.base import Dim, Layer, Shape, ShapeError
from kspec.schemas.layers.convolution import (
    Conv1D,
    Conv2D,
    Conv3D,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from kspec.schemas.layers.core import (
    Dense,
    EinsumDense,
    Embedding,
    Identity,
    Masking,
    ReversibleEmbedding,
)
from kspec.schemas.layers.decided_out import DECIDED_OUT
from kspec.schemas.layers.image import AutoContrast, CenterCrop, Resizing
from kspec.schemas.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from kspec.schemas.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from kspec.schemas.layers.pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from kspec.schemas.layers.preprocessing import (
    CategoryEncoding,
    Discretization,
    Normalization,
    Rescaling,
)
from kspec.schemas.layers.recurrent import CELLS, GRU, LSTM, RNN, Cell, SimpleRNN
from kspec.schemas.layers.recurrent_convolution import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from kspec.schemas.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from kspec.schemas.layers.reshaping import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Flatten,
    Permute,
    RepeatVector,
    Reshape,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from kspec.schemas.layers.signal import MelSpectrogram
from kspec.schemas.layers.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from kspec.schemas.layers.wrapping import Bidirectional, SpectralNormalization, TimeDistributed

FAMILIES: Mapping[str, tuple[type[Layer], ...]] = MappingProxyType(
    {
        "Core": (Dense, EinsumDense, Embedding, ReversibleEmbedding, Masking, Identity),
        "Convolution": (
            Conv1D, Conv2D, Conv3D, DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D,
            SeparableConv2D, Conv1DTranspose, Conv2DTranspose, Conv3DTranspose,
        ),
        "Pooling": (
            MaxPooling1D, MaxPooling2D, MaxPooling3D,
            AveragePooling1D, AveragePooling2D, AveragePooling3D,
            GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
            GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
            AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D,
            AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D,
        ),
        "Recurrent": (SimpleRNN, LSTM, GRU, RNN, ConvLSTM1D, ConvLSTM2D, ConvLSTM3D),
        "Attention": (
            Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention,
        ),
        "Wrapping": (Bidirectional, TimeDistributed, SpectralNormalization),
        "Normalization": (
            BatchNormalization, LayerNormalization, RMSNormalization, GroupNormalization,
            UnitNormalization,
        ),
        "Regularization": (
            Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, GaussianDropout,
            GaussianNoise, AlphaDropout, ActivityRegularization,
        ),
        "Reshaping": (
            Flatten, Reshape, Permute, RepeatVector, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D,
            Cropping1D, Cropping2D, Cropping3D, UpSampling1D, UpSampling2D, UpSampling3D,
        ),
        "Merging": (Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot),
        "Activation": (ActivationLayer, ReLU, LeakyReLU, PReLU, ELU, Softmax, *FUNCTIONS),
        "Preprocessing": (
            Rescaling, Normalization, CategoryEncoding, Discretization, Resizing, CenterCrop,
            AutoContrast, MelSpectrogram,
        ),
        "Augmentation": AUGMENTATIONS,
    }
)  # fmt: skip
"""All layers of Keras; adding one is adding its class here."""

CLASSES: tuple[type[Layer], ...] = tuple(cls for family in FAMILIES.values() for cls in family)
BUILT_IN: tuple[type[Layer], ...] = (*CLASSES, Backbone)
"""What a step may be without any package of others."""
LAYERS: Mapping[str, type[Layer]] = MappingProxyType({cls.key: cls for cls in BUILT_IN})

__all__ = [
    "BUILT_IN",
    "CELLS",
    "CLASSES",
    "DECIDED_OUT",
    "FAMILIES",
    "LAYERS",
    "Backbone",
    "Cell",
    "Dim",
    "Layer",
    "Shape",
    "ShapeError",
]
