"""The npm package: the files of the client, and the files generated for one model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kspec.features.steps import DecodeImage, Step
from kspec.targets.platforms.templates import Verbatim, package_name, render_tree, spell_json

if TYPE_CHECKING:
    from kspec.features.description import Description
    from kspec.features.signature import InputPort, OutputPort

_HERE = Path(__file__).parent
_CELLS: Mapping[type[Step], str] = MappingProxyType({DecodeImage: "Picture"})
"""The TypeScript type of a value that an app passes, by the step that takes the value."""
_VECTOR = 2
"""The rank of outputs with one vector per row."""


def render_package(about: Description) -> dict[str, bytes]:
    """Return every file of the client by path."""
    engine = _HERE / "engines" / str(about.options["engine"])
    return {
        **render_tree(_HERE / "templates", _values(about)),
        **{f"lib/{path.name}": path.read_bytes() for path in sorted(engine.glob("*.js"))},
        "package.json": _package(engine / "package.json", about),
        "package-lock.json": _lock(engine / "package-lock.json", about),
    }


def npm_name(name: str) -> str:
    """Return ``digits-model`` for ``digits``: npm refuses names such as ``node_modules``."""
    return f"{package_name(name).replace('_', '-')}-model"


def _values(about: Description) -> dict[str, Any]:
    return {
        "name": about.name,
        "version": about.version,
        "about": about.description,
        "artifact": about.artifacts[0].path,
        "beside": about.artifacts[0].places[1:],
        "inputs": [_input(each) for each in about.signature.inputs],
        "outputs": [_output(each) for each in about.signature.outputs],
    }


def _input(given: InputPort) -> dict[str, Any]:
    return {
        "name": given.name,
        "dtype": given.dtype,
        "shape": given.shape,
        "columns": given.columns if given.columns_by_name else (),
        "steps": [each.model_dump(mode="json", exclude={"place"}) for each in given.on_host],
        "cell": given.entry and Verbatim(_CELLS[given.entry]),
        "vector": given.is_vector,
    }


def _output(given: OutputPort) -> dict[str, Any]:
    one = len(given.shape) <= _VECTOR
    return {
        "name": given.name,
        "shape": given.shape,
        "labels": given.labels,
        "threshold": given.decision and given.decision.threshold,
        "logits": given.decision is not None and given.decision.scores == "logits",
        "decides": given.decides,
        "single": one and given.row in ((), (1,)),
        "flat": one,
    }


def _package(path: Path, about: Description) -> bytes:
    package = json.loads(path.read_text())
    named = {"name": npm_name(about.name), "version": about.version}
    return _spell({**package, **named, "description": about.description})


def _lock(path: Path, about: Description) -> bytes:
    lock = json.loads(path.read_text())
    named = {"name": npm_name(about.name), "version": about.version}
    packages = {**lock["packages"], "": {**lock["packages"][""], **named}}
    return _spell({**lock, **named, "packages": packages})


def _spell(value: Mapping[str, Any]) -> bytes:
    spell_json(value)
    return f"{json.dumps(value, indent=2)}\n".encode()
