"""docs/conformance.md: what of the catalogue works in which format.

`python -m tests.conformance.page` writes it, of the layers, their cases, the table of expected
refusals and the formats' tables of rules: the matrix holds every cell to exactly this.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from kspec.compiler.ir import Op
from kspec.schemas.layers import DECIDED_OUT, FAMILIES
from tests.conformance.artifacts import FORMATS, RefusedError, lower
from tests.conformance.cells import BY_ID
from tests.conformance.expected import fault, refusal
from tests.graphs import GRAPHS, RECURRENT

PATH = Path(__file__).parents[2] / "docs" / "conformance.md"
TITLES = {"onnx": "ONNX", "coreml": "Core ML", "tflite": "TFLite", "tf_serving": "SavedModel"}

INTRODUCTION = """# Conformance

<!-- Written by `python -m tests.conformance.page`; edit the tables that it reads instead. -->

Every layer of the spec, with each of its arguments varied, is built in Keras with random weights
and statistics, compiled, and run in each format's own runtime (Core ML: the written package in a
NumPy evaluator, off a Mac). An entry is right when every output is within 1e-5 of Keras', relative
to max(1, |Keras|), in float32, for one row and for three. `tests/conformance/` holds every cell to
what this page says, refusals too: one that began to work would fail.
"""

LEGEND = """`5/5`: all of five parameterisations are right, every error is ≤ 1e-5. A footnote
says what is refused, before anything is trained, and why.
"""


def render() -> str:
    """The page, in Markdown."""
    return "\n".join(_page()).rstrip() + "\n"


def _page() -> Iterator[str]:
    yield INTRODUCTION
    yield "## Layers\n"
    yield LEGEND
    for family, keys in FAMILIES.items():
        yield f"### {family} layers\n"
        yield from _layers(list(keys))
    yield "## Layers of Keras that are left out\n"
    yield "| `keras.layers` | why |\n|---|---|"
    yield from (f"| `{name}` | {reason} |" for name, reason in sorted(DECIDED_OUT.items()))
    yield "\n## `keras.ops`\n"
    yield from _keras_operations()
    yield "\n## Operations of the IR\n"
    yield (
        "What layers are made of. *native*: the format's rule writes it as it is; *decomposed*:"
        " written as simpler operations; a footnote: refused in that form, and why.\n"
    )
    yield from _operations()


def _layers(keys: list[str]) -> Iterator[str]:
    notes: list[str] = []
    yield f"| layer | {' | '.join(TITLES[name] for name in FORMATS)} |"
    yield "|---" * (len(FORMATS) + 1) + "|"
    for key in keys:
        ids = [id_ for id_, case in BY_ID.items() if case.key == key]
        cells = [_cell(ids, name, notes) for name in FORMATS]
        yield f"| `{key}` | {' | '.join(cells)} |"
    yield ""
    yield from _footnotes(notes)


def _cell(ids: list[str], format_: str, notes: list[str]) -> str:
    reasons = {id_: refusal(id_, format_) or fault(id_, format_) for id_ in ids}
    right = sum(reason is None for reason in reasons.values())
    told = [
        _note(
            notes, f"{reason}: {', '.join(f'`{_written(i)}`' for i in ids if reasons[i] == reason)}"
        )
        for reason in dict.fromkeys(reasons.values())
        if reason
    ]
    return " ".join([f"{right}/{len(ids)}" if right else "refused", *told])


def _written(id_: str) -> str:
    """A case as in YAML."""
    case = BY_ID[id_]
    shapes = ", ".join(str(shape).replace("'", "").replace("None", "?") for shape in case.shapes)
    arguments = "" if case.arguments is None else f": {case.arguments}"
    return f"{case.key}{arguments} of {shapes}".replace("'", "").replace("|", "¦")


def _keras_operations() -> Iterator[str]:
    """What a custom layer may be written in: by module, and by reason."""
    from kspec.compiler.rules import RULES
    from tests.compiler.operations import OPERATIONS, WITHOUT_A_CLASS, name_of

    lowered: defaultdict[str, list[str]] = defaultdict(list)
    refused: defaultdict[str, list[str]] = defaultdict(list)
    for each in OPERATIONS:
        if each in RULES:
            lowered[each.__module__.rpartition(".")[2]].append(name_of(each))
        else:
            refused[RULES.refused[each]].append(name_of(each))
    yield (
        f"What custom layers are written in. Of {len(OPERATIONS)} operations"
        f" {sum(map(len, lowered.values()))} are lowered, the others refused.\n"
    )
    yield "| lowered | `keras.ops` |\n|---|---|"
    yield from (f"| {module} | {_listed(names)} |" for module, names in sorted(lowered.items()))
    yield "\n| refused, because | `keras.ops` |\n|---|---|"
    yield from (f"| {reason} | {_listed(names)} |" for reason, names in sorted(refused.items()))
    others: defaultdict[str, list[str]] = defaultdict(list)
    for name, what in WITHOUT_A_CLASS.items():
        others[what].append(name)
    yield "\n| no operations themselves, but | `keras.ops` |\n|---|---|"
    yield from (f"| {what} | {_listed(names)} |" for what, names in sorted(others.items()))


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names, key=str.lower))


def _operations() -> Iterator[str]:
    notes: list[str] = []
    yield f"| operation | {' | '.join(TITLES[name] for name in FORMATS)} |"
    yield "|---" * (len(FORMATS) + 1) + "|"
    classes = sorted(
        {type(node.op) for case in (*GRAPHS, *RECURRENT) for node in case.graph.nodes},
        key=lambda cls: cls.__name__,
    )
    for cls in classes:
        cells = [_operation(cls, name, notes) for name in FORMATS]
        yield f"| `{cls.__name__}` | {' | '.join(cells)} |"
    yield ""
    yield from _footnotes(notes)


def _operation(cls: type[Op], format_: str, notes: list[str]) -> str:
    """Of all graphs that hold the operation: whether it is there after lowering, and refusals."""
    kept, reasons = False, Counter[str]()
    graphs = [
        case.graph
        for case in (*GRAPHS, *RECURRENT)
        if any(type(node.op) is cls for node in case.graph.nodes)
    ]
    written = 0
    for graph in graphs:
        try:
            lowered = lower(format_, graph)
        except RefusedError as refused:
            reasons.update([str(refused)])
            continue
        written += 1
        kept |= any(type(node.op) is cls for node in lowered.nodes)
    marks = [_note(notes, reason) for reason in reasons]
    if not written:
        return " ".join(["refused", *marks])
    return " ".join(["native" if kept else "decomposed", *marks])


def _note(notes: list[str], text: str) -> str:
    """The mark of a footnote."""
    if text not in notes:
        notes.append(text)
    return f"<sup>{notes.index(text) + 1}</sup>"


def _footnotes(notes: list[str]) -> Iterator[str]:
    yield from (f"{place}. {text}" for place, text in enumerate(notes, start=1))
    if notes:
        yield ""


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
