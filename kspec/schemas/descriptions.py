"""The docstrings of the fields of models."""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring of each field by name, inherited fields included."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls.__module__ in sys.modules:
            found |= in_module(cls.__module__).get(cls.__qualname__, {})
    return {name: text for name, text in found.items() if name in model.model_fields}


@cache
def in_module(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return the docstrings of all fields in a module, by class and field."""
    try:
        source = inspect.getsource(sys.modules[module])
    except OSError:
        return {}
    classes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef))
    return {node.name: in_body(node.body) for node in classes}


def in_body(body: list[ast.stmt]) -> dict[str, str]:
    """Return the docstring after each annotated name of a class."""
    texts: dict[str, str] = {}
    for field, text in pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(docstring))),
            ):
                texts[name] = inspect.cleandoc(docstring)
    return texts
