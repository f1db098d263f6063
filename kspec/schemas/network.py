"""The steps of the network, as written and as resolved."""

from typing import Annotated, ClassVar

from pydantic import Field

from kspec.schemas.base import Entry, Keyed
from kspec.schemas.layers import LAYERS, Layer
from kspec.schemas.values import Name, Positive, Spread

Names = Annotated[tuple[Name, ...], Spread(), Field(min_length=1)]


class Step(Entry):
    """A layer in the network, after blocks are expanded."""

    choice_field: ClassVar[str] = "layer"

    layer: Annotated[Layer, Keyed(LAYERS)]
    """The layer."""
    name: Name | None = None
    """The step's name, for `from` and for outputs."""
    from_: Annotated[Names | None, Field(alias="from")] = None
    """The inputs of this step: inputs of the model or earlier steps; by default the step before."""
    use: Name | None = None
    """In place of a layer: an earlier step, or a call of a block, whose layers are called again
    with the same variables on the inputs of this step."""
    repeat: Positive = 1
    """Number of times that the step is repeated in sequence."""
