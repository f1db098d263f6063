"""The root of a spec."""

from typing import Annotated, Any, Literal

from pydantic import Field

from kspec.schemas.base import Listed, Model, Name
from kspec.schemas.data import Data
from kspec.schemas.features import Input, Output
from kspec.schemas.network import Step
from kspec.schemas.train import Train

SEMVER = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"


class Spec(Model):
    """A model: its data, network, training, targets and gates."""

    kspec: Literal[1]
    """Version of the language."""
    name: Name
    """Name of the model; files and packages are called after it."""
    version: Annotated[str, Field(pattern=SEMVER)] = "0.1.0"
    """Version of the model: `major.minor.patch`."""
    description: Annotated[str, Field(max_length=4096)] = ""
    """What the model is for; goes into every artifact."""
    params: dict[Name, int | float | str | bool] = Field(default_factory=dict)
    """Values for `${…}`; `--set params.width=32` changes one."""
    data: Data | None = None
    """The rows to learn from and to test on."""
    inputs: Annotated[dict[Name, Input], Field(min_length=1)]
    """What the model takes, by name."""
    outputs: Annotated[dict[Name, Output], Field(min_length=1)]
    """What the model gives, by name: the names of steps."""
    blocks: dict[str, Annotated[tuple[dict[str, Any] | str, ...], Listed]] = Field(
        default_factory=dict
    )
    """Steps to use again, by signature: `conv_block(filters)`."""
    network: Annotated[tuple[Step, ...], Listed, Field(min_length=1)]
    """The steps, each after what it takes."""
    train: Train | None = None
    """How to train."""
    targets: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """What to build, with the options of each target."""
    gates: dict[str, str] = Field(default_factory=dict)
    """What must hold of every artifact, or it is not shipped."""
