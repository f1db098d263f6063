"""The client: it checks rows, calls the engine and decodes answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from .description import Engine, Spec
from .engines import open_session
from .errors import InputError, listed
from .signature import Input, Output
from .steps import StepError, run
from .steps.decode_image import File

Label = TypeVar("Label", bound=str)
Inputs = TypeVar("Inputs", bound=Mapping[str, Any])
Outputs = TypeVar("Outputs", bound=Mapping[str, Any])
Numbers: TypeAlias = "Sequence[float] | Mapping[str, float] | NDArray[Any]"
"""Values in order, or by the names of their columns."""
Nested: TypeAlias = "Sequence[Any] | NDArray[Any]"
"""An array of the input's shape, or nested lists."""
PictureLike: TypeAlias = "File | NDArray[Any]"
"""The path of a picture file, its content, an open picture, or raw values of the input's shape."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[Label]):
    """The answer of an output with labels."""

    label: Label
    confidence: float
    """The probability of that label."""
    probabilities: Mapping[Label, float]
    values: tuple[float, ...]
    """The model's output values: probabilities or logits."""


class Client(Generic[Inputs, Outputs]):
    """A loaded model. It may be called from several threads; they take turns."""

    def __init__(
        self, spec: Spec, engine: Engine | None = None, threads: int | None = None
    ) -> None:
        """Load the model. Raises EngineError if the engine is not installed or refuses the file."""
        self.spec = spec
        self.artifact = spec.artifacts[engine or spec.engine]
        self._session = open_session(
            engine or spec.engine, self.artifact, spec.threads if threads is None else threads
        )
        self._turn = Lock()

    @property
    def engine(self) -> str:
        """The engine and its version."""
        return self._session.engine

    def predict(self, row: Inputs) -> Outputs:
        """Return the answer to one row. Raises InputError for a row that does not fit."""
        return self.predict_many([row])[0]

    def predict_many(self, rows: Sequence[Inputs]) -> list[Outputs]:
        """Return the answers to several rows, in order."""
        if not rows:
            return []
        prepared = [self._prepare(row) for row in rows]
        stacked = {
            each.name: _stack([row[each.name] for row in prepared]) for each in self.spec.inputs
        }
        with self._turn:
            found = self._session.run(stacked)
        answers = [
            {each.name: answer(each, found[each.name][row]) for each in self.spec.outputs}
            for row in range(len(rows))
        ]
        return cast("list[Outputs]", answers)

    def _prepare(self, row: Inputs) -> dict[str, NDArray[Any]]:
        known = [each.name for each in self.spec.inputs]
        if wrong := sorted(row.keys() ^ set(known)):
            raise InputError(f"inputs are {listed(known)}; missing or unknown: {listed(wrong)}")
        return {
            each.name: tensor(each, row[each.name], self.artifact.sizes)
            for each in self.spec.inputs
        }


def tensor(given: Input, value: object, sizes: Mapping[str, int]) -> NDArray[Any]:
    """Return one row of an input, in the input's shape and type. Raises InputError."""
    try:
        if given.steps and isinstance(value, given.steps[0].takes):
            return run(given.steps, value)
        if isinstance(value, Mapping):
            value = _in_order(given, value)
        return _checked(given, value, sizes)
    except (InputError, StepError) as error:
        raise InputError(f"input {given.name!r}: {error}") from None


def answer(output: Output, values: NDArray[Any]) -> Any:
    """Return the answer to one row: a decision, a number, a tuple of numbers, or nested lists."""
    if output.decides:
        return _decision(output, values)
    numbers: list[Any] = values.tolist()
    if values.ndim > 1:
        return numbers
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


def _decision(output: Output, values: NDArray[Any]) -> Decision[str]:
    (label,) = output.decide(values[None])
    shares = output.probabilities(values[None])[0].tolist()
    probabilities = dict(zip(output.labels, shares, strict=True))
    return Decision(label, probabilities[label], probabilities, tuple(values.tolist()))


def _in_order(given: Input, value: Mapping[str, object]) -> list[object]:
    if not given.columns:
        raise InputError("its values have no names: give an array")
    if missing := [name for name in given.columns if name not in value]:
        raise InputError(f"columns are missing: {listed(missing)}")
    if unknown := sorted(value.keys() - set(given.columns)):
        raise InputError(f"unknown columns: {listed(unknown)}")
    return [value[name] for name in given.columns]


def _checked(given: Input, value: object, sizes: Mapping[str, int]) -> NDArray[Any]:
    try:
        found = np.asarray(value)
    except ValueError:
        raise InputError("lists of unequal lengths are not an array") from None
    if found.dtype.kind not in "biuf":
        raise InputError("not an array of numbers")
    shape = tuple(sizes.get(each, each) if isinstance(each, str) else each for each in given.shape)
    if found.ndim == 1 and found.size == len(given.columns):
        found = found.reshape([int(each) for each in shape])
    fits = len(shape) == found.ndim and all(
        isinstance(wanted, str) or wanted == size
        for wanted, size in zip(shape, found.shape, strict=True)
    )
    if not fits:
        raise InputError(f"the shape is {list(found.shape)}, not {list(shape)}")
    with np.errstate(over="ignore"):
        result = found.astype(given.dtype)
    if given.dtype == "int32" and not np.array_equal(result, found):
        raise InputError("not whole numbers of 32 bits")
    if not np.isfinite(result).all():
        raise InputError("a number is missing, not finite or too large")
    return result


def _stack(rows: list[NDArray[Any]]) -> NDArray[Any]:
    if any(row.shape != rows[0].shape for row in rows):
        raise InputError("rows of one call must have one shape")
    return np.stack(rows)
