"""The root of a spec."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from kspec.schemas.base import Model, located
from kspec.schemas.data import Data, Path
from kspec.schemas.features import Input, Output
from kspec.schemas.gates import Gate, GateName
from kspec.schemas.network import Step
from kspec.schemas.train import Train
from kspec.schemas.values import Form, Listed, Name, fault

Version = Annotated[
    str,
    Form(
        r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$",
        "is not a version",
        "write major.minor.patch, such as 1.0.0",
    ),
]
Signature = Annotated[
    str,
    Form(
        r"^[A-Za-z][A-Za-z0-9_-]*(\( *[A-Za-z]\w*( *, *[A-Za-z]\w*)* *\))?$",
        "cannot be the signature of a block",
        "write a name and, in parentheses, its parameters: `conv_block(filters)`",
    ),
]


def _whole(raw: object) -> object:
    if isinstance(raw, bool):  # which equals 1
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return raw


def _scalar(raw: object) -> object:
    if isinstance(raw, bool | int | str) or (isinstance(raw, float) and math.isfinite(raw)):
        return raw
    raise fault("parameter", "a number, text, true or false")


Scalar = Annotated[
    bool | int | float | str,
    PlainValidator(_scalar),
    WithJsonSchema({"type": ["boolean", "number", "string"]}),
]
Body = Annotated[tuple[Any, ...], Listed, Field(min_length=1)]
Options = Annotated[dict[str, Any], BeforeValidator(lambda raw: {} if raw is None else raw)]


class Spec(Model):
    """A model: its data, network, training, targets and gates."""

    kspec: Annotated[Literal[1], BeforeValidator(_whole)]
    """Version of the language."""
    name: Name
    """Name of the model: letters, digits, - and _; names of files and packages derive from it."""
    version: Version = "0.1.0"
    """Version of the model: major.minor.patch."""
    description: Annotated[str, Field(max_length=4096)] = ""
    """Purpose of the model; written into every artifact."""
    params: dict[Name, Scalar] = Field(default_factory=dict)
    """Values for `${…}`; `--set params.width=32` changes one."""
    data: Data | None = None
    """The rows to learn from and to test on."""
    inputs: Annotated[dict[Name, Input], Field(min_length=1)]
    """The inputs of the model, by name."""
    outputs: Annotated[dict[Name, Output], Field(min_length=1)]
    """The outputs of the model, by name; each is a step of the network."""
    python: Annotated[Path | None, Field(examples=["layers.py"])] = None
    """A Python file that defines layers for this spec. It runs only with `--allow-python`."""
    blocks: dict[Signature, Body] = Field(default_factory=dict)
    """Reusable steps, by signature: `conv_block(filters)`."""
    network: Annotated[tuple[Step, ...], Listed, Field(min_length=1)]
    """The steps, each after its inputs."""
    weights: Annotated[Path | None, Field(examples=["model.safetensors"])] = None
    """Initial values of all variables: a safetensors file with one tensor per variable, keyed by
    its path, as written by `kspec import` and `kspec train`. Normalisations keep their statistics
    from the file. Without `train`, the model is built with these values."""
    train: Train | None = None
    """How to train."""
    targets: dict[Name, Options] = Field(default_factory=dict)
    """Targets to build, with their options."""
    gates: dict[GateName, Gate] = Field(default_factory=dict)
    """Conditions that every artifact must meet before it is shipped."""

    @model_validator(mode="after")
    def consistent(self) -> "Spec":
        """Check the names of outputs, and the references to them in `train`."""
        for name in self.outputs:
            if name in self.inputs:
                raise located(("outputs", name), f"{name} is an input already")
        if self.train is not None:
            self.check_train(self.train)
        return self

    def check_train(self, train: Train) -> None:
        """Check the references to outputs and labels in `train`."""
        for section in ("loss", "loss_weights", "metrics"):
            for name in getattr(train, section):
                if name not in self.outputs:
                    route = ("train", section, name)
                    raise located(route, f"unknown output {name}", known=[*self.outputs])
        if train.class_weight is None:
            return
        kinds = [output.kind for output in self.outputs.values()]
        labels = list(kinds[0].label_names) if len(kinds) == 1 else []
        if not labels:
            raise located(
                ("train", "class_weight"), "class_weight needs a single output, with labels"
            )
        for label in () if isinstance(train.class_weight, str) else train.class_weight:
            if label not in labels:
                route = ("train", "class_weight", label)
                raise located(route, f"unknown label {label}", known=labels)
