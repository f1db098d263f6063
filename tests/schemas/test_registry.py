"""The table of layers names every layer once, and imports no more than a spec needs."""

import inspect
import json
import pkgutil
import subprocess
import sys
from importlib import import_module

from kspec.schemas import layers
from kspec.schemas.layers import FAMILIES, LAYERS, Layer, catalogue
from kspec.schemas.layers.registry import MODULES

LOADED = """
import gc, json, sys
from kspec.pipeline.check import check
from kspec.schemas.layers import Layer

assert not check(sys.argv[1])
classes = [each for each in gc.get_objects() if isinstance(each, type) and issubclass(each, Layer)]
print(json.dumps({
    "modules": sorted(name for name in sys.modules if name.startswith("kspec.schemas.layers.")),
    "built": sorted(each.key for each in classes if each.__pydantic_complete__),
}))
"""


def test_every_layer_is_in_the_table_under_its_module() -> None:
    found: dict[str, set[str]] = {}
    for info in pkgutil.iter_modules(layers.__path__):
        module = import_module(f"{layers.__name__}.{info.name}")
        for each in vars(module).values():
            if inspect.isclass(each) and issubclass(each, Layer) and "key" in vars(each):
                found.setdefault(each.__module__.rpartition(".")[2], set()).add(each.key)
    named = {
        module: set(keys.split()) for part in MODULES.values() for module, keys in part.items()
    }
    assert found == named | {"backbone": {"backbone"}}
    assert all(key == cls.key for key, cls in LAYERS.items())


def test_no_layer_is_named_twice() -> None:
    keys = [key for family in FAMILIES.values() for key in family]
    assert len(keys) == len(set(keys)) == len(catalogue()) == len(LAYERS) - 1


def test_check_imports_and_builds_the_layers_of_the_spec_alone() -> None:
    command = [sys.executable, "-c", LOADED, "examples/digits/model.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    loaded = json.loads(done.stdout)
    used = ["batch_normalization", "conv2d", "dense", "dropout", "global_average_pooling2d",
            "max_pooling2d", "relu"]  # fmt: skip
    assert loaded["built"] == used
    modules = {LAYERS.modules[key] for key in used}
    shared = {"base", "registry", "decided_out", "window", "affine"}
    assert {name.rpartition(".")[2] for name in loaded["modules"]} == modules | shared
