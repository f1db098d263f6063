"""A model built by kspec.

`Model().predict(row)` returns the answer to a row. Rows are mappings by input name, of the type
`Inputs`; answers are mappings by output name, of the type `Outputs`.
"""

from .client import Client, Decision
from .description import Engine
from .errors import EngineError, InputError
from .spec import SPEC, Inputs, Outputs

__all__ = ["SPEC", "Decision", "Engine", "EngineError", "InputError", "Inputs", "Model", "Outputs"]


class Model(Client[Inputs, Outputs]):
    """The loaded model."""

    def __init__(self, engine: Engine | None = None, threads: int | None = None) -> None:
        super().__init__(SPEC, engine, threads)
