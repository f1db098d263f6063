"""The public classes of `keras.layers` (3.15) that a spec does not offer, and why."""

from collections.abc import Mapping
from types import MappingProxyType

CODE = "runs code that a spec cannot hold and no format can express"
STRINGS = "strings, hash tables and vocabularies are not tensors of an artifact: encode rows before"
LABELS = "mixes the labels of rows too, which a step of the network does not see"
STEPS = "a sequence of layers is written as steps of `network`, or as a block"
INPUTS = "inputs are written in the section `inputs`; a step takes them in `from`"
BASE = "a base class without a computation of its own"

DECIDED_OUT: Mapping[str, str] = MappingProxyType(
    {
        "ContrastLimitedAdaptiveHistogramEqualization": "histograms of each tile of each picture "
        "are not differentiable and in no mobile format: equalise pictures before the model",
        "CutMix": LABELS,
        "Equalization": "Keras builds no Functional model with it: it returns its input",
        "FlaxLayer": CODE,
        "HashedCrossing": STRINGS,
        "Hashing": STRINGS,
        "InputLayer": INPUTS,
        "InputSpec": "no layer: what a layer says of its inputs",
        "IntegerLookup": STRINGS,
        "JaxLayer": CODE,
        "Lambda": CODE,
        "Layer": BASE,
        "MaxNumBoundingBoxes": "takes a mapping of bounding boxes, not a tensor",
        "MixUp": LABELS,
        "Pipeline": STEPS,
        "RandomCrop": "gives another shape while training than afterwards: center_crop gives one",
        "STFTSpectrogram": "Keras makes its windows with SciPy, which is not installed with kspec: "
        "mel_spectrogram, or spectra as inputs",
        "StringLookup": STRINGS,
        "TFSMLayer": CODE,
        "TextVectorization": STRINGS,
        "TorchModuleWrapper": CODE,
        "Wrapper": BASE,
    }
)
"""Reason by class name. Aliases (`Convolution2D`, `MaxPool2D`) follow their class."""


NOT_LAYERS: Mapping[str, str] = MappingProxyType(
    {"Functional": STEPS, "Input": INPUTS, "Model": STEPS, "Sequential": STEPS}
)
"""What people write as a layer and Keras has beside its layers."""


def reason(key: str) -> str | None:
    """Return why a layer of Keras is not offered, by its key or class name; None for other
    names."""
    folded = {name.lower(): why for name, why in (*DECIDED_OUT.items(), *NOT_LAYERS.items())}
    return folded.get(key.replace("_", "").lower())
