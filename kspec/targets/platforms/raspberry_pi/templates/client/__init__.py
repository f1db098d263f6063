"""A model that was built by kspec.

`Model().predict(row)` answers; rows and answers are mappings by the names of inputs and outputs,
whose types are `Inputs` and `Outputs`.
"""

from .client import Client, Decision
from .description import Engine
from .errors import EngineError, InputError
from .spec import SPEC, Inputs, Outputs

__all__ = ["SPEC", "Decision", "Engine", "EngineError", "InputError", "Inputs", "Model", "Outputs"]


class Model(Client[Inputs, Outputs]):
    """This model, loaded."""

    def __init__(self, engine: Engine | None = None, threads: int | None = None) -> None:
        super().__init__(SPEC, engine, threads)
