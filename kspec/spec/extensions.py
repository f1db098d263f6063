"""Third-party layers: from installed packages, and from the spec's own Python file.

A package names its layers in the entry point `kspec.layers`, each by the key that steps use. It is
imported when a spec uses one of its layers. A file runs only if the command line allows it. In
both, a layer is a class with arguments and shapes that names its Keras class as `module:Class` (in
a file also `beside.py:Class`), so that `kspec check` does not need Keras.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.abc import SourceLoader
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from kspec.schemas.layers import LAYERS, Layer
from kspec.schemas.layers.base import Part
from kspec.spec.blocks import IDENTIFIER, STEP_KEYS
from kspec.spec.diagnostics import Diagnostic, KspecError
from kspec.spec.untrusted import File, PlaceError

GROUP = "kspec.layers"
MAX_SOURCE = 16 << 20
"""Bound on the bytes of one Python file."""
FAILURES = (
    SyntaxError, ImportError, NameError, AttributeError, TypeError, ValueError, LookupError,
    ArithmeticError, AssertionError, OSError, RuntimeError,
)  # fmt: skip
"""Errors of third-party code while it is loaded."""


@dataclass(frozen=True, eq=False)
class Catalogue(Mapping[str, type[Layer]]):
    """Layers by key: kspec's own, layers of a file, and layers of packages. A lookup imports the
    package, and raises KspecError KS411 for an object that is not a layer."""

    own: Mapping[str, type[Layer]]
    """The layers of the spec's file."""

    @cached_property
    def _entries(self) -> Mapping[str, list[EntryPoint]]:
        found: dict[str, list[EntryPoint]] = {}
        for each in installed(GROUP):
            found.setdefault(each.name, []).append(each)
        return found

    def __contains__(self, key: object) -> bool:
        return key in LAYERS or key in self.own or key in self._entries

    def __getitem__(self, key: str) -> type[Layer]:
        for known in (LAYERS, self.own):
            if key in known:
                return known[key]
        entry, *others = self._entries[key]
        if others:
            raise unusable(f"the layer `{key}`", f"{_owner(entry)} and {_owner(others[0])} have it")
        try:
            found = entry.load()
        except FAILURES as error:
            raise unusable(f"the layer `{key}` of {_owner(entry)}", error) from error
        check_layer(found, f"`{key}` of {_owner(entry)}")
        if found.key != key:
            raise unusable(f"`{key}` of {_owner(entry)}", f"its class has the key `{found.key}`")
        layer: type[Layer] = found
        return layer

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*LAYERS, *self.own, *self._entries]))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def installed(group: str) -> EntryPoints:
    """Return the entry points of a group. Installed packages are read once for each `sys.path`."""
    found: EntryPoints = _installed(tuple(sys.path)).select(group=group)
    return found


@cache
def _installed(path: tuple[str, ...]) -> Any:  # noqa: ARG001 - where packages are found
    return entry_points()  # the type in Python 3.11 differs from later versions


def layers_of(path: Path) -> Mapping[str, type[Layer]]:
    """Run a Python file and return its layers by key. Raises KspecError KS411."""
    try:
        module = run_file(path)
    except FAILURES as error:
        raise unusable(f"`{path.name}`", error) from error
    found: dict[str, type[Layer]] = {}
    for each in vars(module).values():
        defined = isinstance(each, type) and each.__module__ == module.__name__
        if not defined or not issubclass(each, Layer) or "key" not in vars(each):
            continue
        check_layer(each, f"`{each.__name__}` of `{path.name}`")
        if each.key in found:
            raise unusable(f"`{path.name}`", f"two of its layers have the key `{each.key}`")
        found[each.key] = each
    if not found:
        raise unusable(f"`{path.name}`", "it defines no layer: a class with a `key`")
    return found


def check_layer(found: Any, what: str) -> None:
    """Raise KspecError KS411 if an object cannot be a layer of a spec."""
    if not (isinstance(found, type) and issubclass(found, Layer)):
        raise unusable(what, "it is not a subclass of `kspec.schemas.layers.Layer`")
    if inspect.isabstract(found):
        raise unusable(what, "it does not define `output_shape`")
    key, keras = getattr(found, "key", None), getattr(found, "keras", None)
    if not isinstance(key, str) or not IDENTIFIER.fullmatch(key) or key in STEP_KEYS:
        raise unusable(what, f"its key is {key!r}")
    if key in LAYERS:
        raise unusable(what, f"kspec itself has a layer `{key}`")
    if not isinstance(keras, str) or not all(keras.partition(":")):
        raise unusable(what, "its `keras` is not written `module:Class`")


def keras_class(layer: type[Part]) -> type[Any]:
    """Return the class that a layer names as `module:Class`. Raises KspecError KS411."""
    place, _, name = layer.keras.partition(":")
    try:
        module = run_file(_beside(layer, place)) if place.endswith(".py") else import_module(place)
        found: type[Any] = getattr(module, name)
    except FAILURES as error:
        raise unusable(f"`{layer.keras}` of the layer `{layer.key}`", error) from error
    return found


def code_digest(layer: type[Layer]) -> str:
    """Return SHA-256, in hex, of a layer's source: its file and the file of its Keras class, or all
    Python files of their packages. Nothing is imported."""
    place = layer.keras.partition(":")[0]
    own = sys.modules[layer.__module__]
    if isinstance(own.__loader__, _Content):
        roots = [Path(str(own.__file__))]
        roots += [_beside(layer, place)] if place.endswith(".py") else []
    else:
        roots = [_root(layer.__module__), _root(place)]
    digest = hashlib.sha256()
    for root in dict.fromkeys(roots):
        for file in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            digest.update(file.relative_to(root.parent).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(_source(file)).digest())
    return digest.hexdigest()


def run_file(path: Path) -> ModuleType:
    """Return the module of a Python file. An unchanged file runs once in a process; no bytecode is
    written beside it."""
    content = _source(path)
    digest = hashlib.sha256(f"{path.resolve()}\0".encode() + content).hexdigest()
    name = f"kspec_file_{digest[:16]}"
    if name not in sys.modules:
        spec = spec_from_loader(name, _Content(path, content))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = module_from_spec(spec)  # Pydantic resolves names here
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _source(path: Path) -> bytes:
    try:
        return File(path.parent, path.name, MAX_SOURCE).read()
    except PlaceError as error:
        raise unusable(f"`{path.name}`", error.message) from None


@dataclass(frozen=True)
class _Content(SourceLoader):
    """The content of a file, read once: the hashed bytes are the bytes that run."""

    path: Path
    content: bytes

    def get_filename(self, fullname: str) -> str:
        del fullname
        return str(self.path)

    def get_data(self, path: bytes | str) -> bytes:
        del path
        return self.content


def unusable(what: str, why: object) -> KspecError:
    """Return the error for a third-party layer that cannot be used."""
    said = f"{type(why).__name__}: {why}" if isinstance(why, BaseException) else str(why)
    return KspecError(Diagnostic("KS411", f"{what} cannot be used: {said}"))


def _beside(layer: type[Part], name: str) -> Path:
    """Return a file in the folder of the file that defines a layer."""
    return Path(str(sys.modules[layer.__module__].__file__)).with_name(name)


def _root(module: str) -> Path:
    """Return the folder of a module's package, or the module's own file."""
    found = find_spec(module.partition(".")[0])
    if found is None or found.origin is None:
        raise unusable(f"`{module}`", "there is no such module")
    places = found.submodule_search_locations
    return Path(next(iter(places))) if places else Path(found.origin)


def _owner(entry: EntryPoint) -> str:
    return f"the package {entry.dist.name}" if entry.dist else f"`{entry.value}`"
