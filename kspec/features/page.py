"""docs/host-steps.md: the closed set of steps, generated from their classes."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from kspec.features.steps import STEPS, GraphStep, Step
from kspec.schemas.descriptions import descriptions

_HEAD = """\
# The steps of an input

The data contains raw values of an input, such as numbers or picture files. The network takes a
tensor. The steps between them are from a closed set. Each step has one place:

- **host** steps run outside the artifact: in the data reader during training, and in the client of
  a bundle afterwards. Both compute the same numbers; the golden rows of a bundle prove it.
- **graph** steps are part of the artifact. No client may repeat them.

`kspec-bundle.json` lists the steps of each input in order, under `steps`, with their fields. A
client that knows these steps serves every kind of input.

| Step | Place | |
| --- | --- | --- |
"""


def render() -> str:
    """Return the page in Markdown."""
    rows = (
        f"| [`{_name(each)}`](#{_name(each)}) | {_place(each)} | {_first(each)} |" for each in STEPS
    )
    parts = "\n".join("\n".join(_part(each)) for each in STEPS)
    return _HEAD + "\n".join(rows) + "\n\n" + parts


def _part(step: type[Step]) -> Iterator[str]:
    yield f"## {_name(step)}\n"
    yield f"{inspect.getdoc(step)}\n"
    yield f"{inspect.getdoc(step.apply)}\n"  # type: ignore[attr-defined]
    texts = descriptions(step)
    fields = {
        name: field for name, field in step.model_fields.items() if name not in ("step", "place")
    }
    if fields:
        yield "| Field | |\n| --- | --- |"
        for name in fields:
            yield f"| `{name}` | {' '.join(texts[name].split())} |"
        yield ""
    if issubclass(step, GraphStep) and step.learnt:
        names = " and ".join(f"`{name}`" for name in step.learnt)
        yield f"Statistics of the training split: {names}.\n"


def _name(step: type[Step]) -> str:
    return str(step.model_fields["step"].default)


def _place(step: type[Step]) -> str:
    return str(step.model_fields["place"].default)


def _first(step: type[Step]) -> str:
    return (inspect.getdoc(step) or "").split(".", 1)[0].replace("\n", " ") + "."


if __name__ == "__main__":
    sys.stdout.write(render())
