"""The npm package: the client as it stands, and what one model adds to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kspec.targets.platforms.templates import package_name, render_tree, spell_json

_HERE = Path(__file__).parent
_VECTOR = 2
"""The rank of outputs with one answer a row."""


def render_package(about: Mapping[str, Any]) -> dict[str, bytes]:
    """Every file of the client by path."""
    engine = _HERE / "engines" / about["options"]["engine"]
    return {
        **render_tree(_HERE / "templates", _values(about)),
        **{f"lib/{path.name}": path.read_bytes() for path in sorted(engine.glob("*.js"))},
        "package.json": _package(engine / "package.json", about),
        "package-lock.json": _lock(engine / "package-lock.json", about),
    }


def npm_name(name: str) -> str:
    """``digits-model``: names like ``node_modules`` are none for npm."""
    return f"{package_name(name).replace('_', '-')}-model"


def _values(about: Mapping[str, Any]) -> dict[str, Any]:
    signature = about["signature"]
    return {
        "name": about["name"],
        "version": about["version"],
        "about": about["description"],
        "artifact": about["artifacts"][0]["path"],
        "inputs": [_input(name, each) for name, each in signature["inputs"].items()],
        "outputs": [_output(name, each) for name, each in signature["outputs"].items()],
    }


def _input(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    columns = given["columns"]
    named = given["kind"] == "number" and len(columns) == given["shape"][-1]
    return {
        "name": name,
        "kind": given["kind"],
        "dtype": given["dtype"],
        "shape": given["shape"],
        "columns": columns if named else [],
        "picture": given.get("picture"),
    }


def _output(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    one = len(given["shape"]) <= _VECTOR
    return {
        "name": name,
        "kind": given["kind"],
        "shape": given["shape"],
        "labels": given.get("labels", []),
        "decides": one and "labels" in given,
        "single": one and given["shape"][1:] in ([], [1]),
        "flat": one,
    }


def _package(path: Path, about: Mapping[str, Any]) -> bytes:
    package = json.loads(path.read_text())
    named = {"name": npm_name(about["name"]), "version": about["version"]}
    return _spell({**package, **named, "description": about["description"]})


def _lock(path: Path, about: Mapping[str, Any]) -> bytes:
    lock = json.loads(path.read_text())
    named = {"name": npm_name(about["name"]), "version": about["version"]}
    packages = {**lock["packages"], "": {**lock["packages"][""], **named}}
    return _spell({**lock, **named, "packages": packages})


def _spell(value: Mapping[str, Any]) -> bytes:
    spell_json(value)
    return f"{json.dumps(value, indent=2)}\n".encode()
