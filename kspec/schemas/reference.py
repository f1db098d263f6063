"""The reference page of the spec language, generated from the models."""

import inspect
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from kspec.schemas import data, features, losses, optimizers, train, weights
from kspec.schemas.base import Choice, Entry, Keyed, Model
from kspec.schemas.descriptions import descriptions
from kspec.schemas.layers import DECIDED_OUT, FAMILIES, LAYERS, Layer
from kspec.schemas.layers.backbone import NETWORKS, Backbone, Network
from kspec.schemas.layers.function import Function
from kspec.schemas.layers.recurrent import CELLS
from kspec.schemas.network import Step
from kspec.schemas.phrases import code, phrase
from kspec.schemas.spec import Spec

INTRODUCTION = """# The spec, version 1

<!-- Written by `python -m kspec.schemas.reference`; edit the models instead. -->

A spec is one YAML file. This page has every key it may hold; any other key is an error. A key in
**bold** must be written. Names and arguments of layers, optimizers, losses, initializers,
regularizers and constraints are those of Keras 3.15, in snake_case, with Keras' defaults.

- Where one of several things is chosen, it is a mapping with its key:
  `{adam: {learning_rate: 0.01}}`. Nothing needs to follow the key where all arguments have
  defaults: `adam`. Where there is a main argument (marked *), it may follow directly:
  `{dropout: 0.2}`.
- A number may be written as arithmetic, `1/16`, and may use parameters, `${2 * width}`.
- Where a number is wanted for each axis, a single one stands for all of them.
- Axes are counted as in Keras: 0 is the batch, 1 the first axis of a shape, -1 the last. Channels
  come last.
"""

Part = tuple[str, type[Model] | tuple[type[Choice], ...]]

PARTS: tuple[Part, ...] = (
    ("data", data.Data),
    ("Sources", (data.Csv, data.Parquet, data.Npz, data.ImageFolder)),
    ("data.split", data.Split),
    ("inputs", features.Input),
    ("Kinds of input", (features.Image, features.Quantity, features.Tensor)),
    ("outputs", features.Output),
    ("Kinds of output", (features.Category, features.Binary)),
    ("network", Step),
    ("train", train.Train),
    ("train.early_stopping", train.EarlyStopping),
    ("train.reduce_lr_on_plateau", train.ReduceLROnPlateau),
    ("Optimizers", optimizers.OPTIMIZERS),
    ("Schedules", optimizers.SCHEDULES),
    ("Losses", losses.LOSSES),
    ("Initializers", weights.INITIALIZERS),
    ("Regularizers", weights.REGULARIZERS),
    ("Constraints", weights.CONSTRAINTS),
)


def render() -> str:
    """Return the page in Markdown."""
    return "\n".join(_page()).rstrip() + "\n"


def _page() -> Iterator[str]:
    yield INTRODUCTION
    yield "## The file\n"
    yield from _table(Spec)
    for title, part in PARTS:
        yield f"## {title}\n"
        if isinstance(part, tuple):
            for choice in part:
                yield from _choice(choice)
        else:
            yield (inspect.getdoc(part) or "") + "\n"
            yield from _table(part)
    yield "## Layers\n"
    for family, keys in FAMILIES.items():
        yield f"### {family} layers\n"
        layers = tuple(LAYERS[key] for key in keys)
        for layer in layers:
            if not issubclass(layer, Function):
                yield from _choice(layer)
        yield from _functions(layers)
        if family == "Recurrent":
            yield "### Cells\n"
            for cell in CELLS:
                yield from _choice(cell)
    yield from _backbones()
    yield "### Layers of Keras that are not available\n"
    yield "| layer | why |\n|---|---|"
    for name, reason in DECIDED_OUT.items():
        yield f"| `{name}` | {_cell(reason)} |"


def _functions(layers: tuple[type[Layer], ...]) -> Iterator[str]:
    functions = [layer for layer in layers if issubclass(layer, Function)]
    if functions:
        yield "These have no arguments:\n"
        yield "| step | |\n|---|---|"
        for layer in functions:
            yield f"| `{layer.key}` | {_cell(inspect.getdoc(layer) or '')} |"
        yield ""


def _backbones() -> Iterator[str]:
    """Yield all networks, grouped by their arguments besides the common ones."""
    yield "### Backbones\n"
    yield (inspect.getdoc(Backbone) or "") + " Every network has these arguments:\n"
    yield "```yaml\n- backbone: {mobilenet_v3_small: {pooling: avg}}\n```\n"
    yield from _table(Network)
    for fields, networks in groupby(sorted(NETWORKS, key=_own_fields), key=_own_fields):
        found = list(networks)
        yield "| network | |\n|---|---|"
        for network in found:
            yield f"| `{network.key}` | {_cell(inspect.getdoc(network) or '')} |"
        yield ""
        if fields:
            yield "with these arguments too:\n"
            yield from _table(found[0], fields)


def _own_fields(network: type[Network]) -> tuple[str, ...]:
    return tuple(name for name in network.model_fields if name not in Network.model_fields)


def _choice(choice: type[Choice]) -> Iterator[str]:
    yield f"#### {choice.key}\n"
    yield (inspect.getdoc(choice) or "") + "\n"
    yield f"```yaml\n{_example(choice)}\n```\n"
    if choice.model_fields:
        yield from _table(choice)


def _table(model: type[Model], only: tuple[str, ...] = ()) -> Iterator[str]:
    yield "| key | holds | default | |\n|---|---|---|---|"
    schema = model.model_json_schema()
    required, texts = schema.get("required", ()), descriptions(model)
    beside = {model.choice_field} if issubclass(model, Entry) else set()
    fields = [
        (f.alias or name, name)
        for name, f in model.model_fields.items()
        if not only or name in only
    ]
    for key, name in sorted(fields, key=lambda field: field[0] not in required):
        if name in beside:
            yield f"| {_alternatives(model, name)} | | | {_cell(texts[name])} |"
            continue
        shown = f"**{key}**" if key in required else key
        star = " *" if getattr(model, "shorthand", None) == name else ""
        held = schema["properties"][key]
        default = "" if key in required else code(_shortest(held.get("default")))
        yield f"| {shown}{star} | {_cell(phrase(held))} | {default} | {_cell(texts[name])} |"
    yield ""


def _alternatives(model: type[Model], name: str) -> str:
    if model is Step:
        return "a [layer](#layers) or a block"
    marks = [mark for mark in model.model_fields[name].metadata if isinstance(mark, Keyed)]
    choices = marks[0].members(model.model_fields[name].annotation)
    return " or ".join(f"[{key}](#{key})" for key in choices)


def _shortest(default: Any) -> Any:
    """Return a list of equal items as one item, which stands for all of them."""
    while isinstance(default, list) and default and all(item == default[0] for item in default):
        default = default[0]
    return default


def _example(choice: type[Choice]) -> str:
    dash = "- " if issubclass(choice, Layer) else ""
    fields = choice.model_fields.items()
    needed = {
        field.alias or name: _sample(choice, field.alias or name)
        for name, field in fields
        if field.is_required()
    }
    if not needed:
        return f"{dash}{choice.key}"
    if set(needed) == {choice.shorthand}:
        return f"{dash}{choice.key}: {''.join(needed.values())}"
    inside = ", ".join(f"{name}: {value}" for name, value in needed.items())
    return f"{dash}{choice.key}: {{{inside}}}"


def _sample(choice: type[Choice], name: str) -> str:
    examples = choice.model_json_schema()["properties"][name].get("examples")
    if not examples:
        raise LookupError(f"{choice.key}.{name} must be written but has no example")
    return str(examples[0]).replace("'", "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render())
