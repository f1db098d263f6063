"""The element types and dtype policies that a `.keras` file may name."""

from __future__ import annotations

from kspec.compiler.tracer import TEXT
from kspec.models.keras_file import classes
from kspec.models.keras_file.configuration import Json, member
from kspec.models.keras_file.refusal import refused

FLOAT32 = "build the model in float32, or compile it in Python: `kspec.compile_keras(model)`"
POLICIES = frozenset({"float32", "mixed_float16", "mixed_bfloat16"})
"""Accepted policies. Mixed policies keep variables in float32, and are read as float32."""
DTYPE_POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy"})
"""Policy classes that name a type; Keras before 3.4 wrote the second."""
INPUT_TYPES = frozenset(
    {"float32", "int32", "int64", "int16", "int8", "uint8", "uint16", "uint32", "bool"}
)


def element_type(value: Json, where: str) -> str:
    """Return the element type of an input, or float32 for a layer."""
    if isinstance(value, dict):
        return _policy(value, where)
    if value in POLICIES:
        return "float32"
    if value in INPUT_TYPES:
        return str(value)
    help_ = TEXT if value == "string" else FLOAT32
    raise refused("KS733", f"{where} has the dtype {str(value)[:80]}", help_)


def _policy(value: dict[str, Json], where: str) -> str:
    """Check for a float32 or mixed-precision policy, alone or for all parts of a layer."""
    module, name = classes.key_of(value, where)
    config = member(value, "config", dict, where)
    if module.partition(".")[0] == "keras" and name in DTYPE_POLICIES:
        return element_type(config.get("name"), where)
    if name == "DTypePolicyMap" and not config.get("policy_map"):
        return element_type(config.get("default_policy"), where)
    mode = config.get("mode") or name
    if "Quantized" in name or "mode" in config or name == "DTypePolicyMap":
        raise refused(
            "KS733",
            f"{where} is quantised ({str(mode)[:80]})",
            "compile the model as it was before `quantize`",
        )
    raise refused("KS733", f"{where} has the dtype policy {name[:80]}", FLOAT32)
